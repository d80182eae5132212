# Reads concatenated tar+gzip layers on standard input and installs their files. Each one
# is written beside its final place and renamed at the end, when all have arrived whole.
# Arguments: the paths that must have come.
set -eu
suffix=.fairlead-new
discard() {
	for path in "$@"; do
		rm -f "$path$suffix"
	done
}
discard "$@"
trap 'discard "$@"' EXIT
# gzip ends with an error if its input does, so a broken transfer installs nothing.
tar --extract --gzip --ignore-zeros --file - --directory / --no-same-owner --transform "s|\$|$suffix|" --show-transformed-names --preserve-permissions
for path in "$@"; do
	if [ ! -f "$path$suffix" ]; then
		echo "the stream did not hold $path" >&2
		exit 1
	fi
	chown 0:0 "$path$suffix"
done
for path in "$@"; do
	mv -f "$path$suffix" "$path"
done
