# Writes standard input, which is $4 bytes, to the file $1 with mode $2 and owner $3, by way of a file beside it whose name
# ends with $5. Files of that kind that are older than $6 minutes are removed.
set -e
umask 077
target=$1 mode=$2 owner=$3 size=$4 mark=$5 stale=$6
dir=${target%/*}
prefix=$dir/.${target##*/}.fairlead-
temp=$prefix$mark

# parents makes $1 and what is missing above it.
parents() {
  if [ -z "$1" ] || [ -d "$1" ]; then
    return 0
  fi
  parents "${1%/*}"
  if said=$(mkdir -- "$1" 2>&1); then
    chmod 0755 -- "$1"
  elif ! [ -d "$1" ]; then # or another writer made it in the meantime
    echo "$said" >&2
    exit 1
  fi
}

parents "$dir"
trap 'rm -f -- "$temp"' EXIT
trap 'trap "" HUP INT TERM; exit 1' HUP INT TERM # signals come again, and leave what EXIT does alone
set -C # the file must be new
: >"$temp"
set +C
chown -- "$owner" "$temp"
chmod -- "$mode" "$temp" # after the owner, whose change drops set-id bits
cat >"$temp"
got=$(stat -c %s -- "$temp")
if [ "$got" != "$size" ]; then
  echo "$got of $size bytes arrived" >&2
  exit 1
fi
sync "$temp"
mv -T -f -- "$temp" "$target"
for old in "$prefix"*; do
  if [ -n "$(find "$old" -prune -type f -mmin "+$stale" 2>/dev/null)" ]; then
    rm -f -- "$old"
  fi
done
