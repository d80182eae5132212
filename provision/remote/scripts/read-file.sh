# Prints the file $1. Exits 4 when something else than a file is there, and says what.
[ -f "$1" ] && exec cat -- "$1"
kind=$(stat -c %F -- "$1") || exit 1
echo "$kind" >&2
exit 4
