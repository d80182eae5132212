# Has a kubeconfig name another server, in the one line that names any. Arguments: the file, the server's URL. The new
# file is whole and on the disk before it takes the place of the former, whose mode and owner it has.
set -eu
umask 077
lines=$(grep -c '^[ -]*server: *[^ ]' "$1") || :
if [ "$lines" != 1 ]; then
	echo "$1 names $lines servers, want one" >&2
	exit 1
fi
new=$1.fairlead-new
cp -p "$1" "$new"
server=$2 awk '/^[ -]*server: *[^ ]/ { match($0, /^[ -]*server: */); print substr($0, 1, RLENGTH) ENVIRON["server"]; next } { print }' "$1" >"$new"
sync "$new"
mv -f "$new" "$1"
