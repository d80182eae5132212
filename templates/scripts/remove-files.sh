# Removes the files in its arguments, and their folders if nothing else is in them.
set -eu
rm -f -- "$@"
for path in "$@"; do
	rmdir -- "${path%/*}" 2>/dev/null || :
done
