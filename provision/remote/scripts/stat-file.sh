# Prints mode, owner, group, size and kind of $1, and the digest when it is a file of $2 bytes.
set -e
stat -c '%a %u %g %s %F' -- "$1"
if [ -f "$1" ] && ! [ -L "$1" ] && [ "$(stat -c %s -- "$1")" = "$2" ]; then
  sha256sum <"$1"
fi
