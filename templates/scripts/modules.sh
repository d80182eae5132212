# Loads kernel modules, given as arguments, and checks that they are there.
set -eu
for module in "$@"; do
	modprobe "$module"
done
