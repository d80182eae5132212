# Keeps the record of the run that changes the cluster, in a file. Arguments:
#
#   FILE read            prints the record; an empty line without one
#   FILE write OLD NEW   puts NEW in the place of OLD and prints "written"; prints "changed" if something else is there. An empty
#                        OLD means that there is none, and an empty NEW takes it away.
#
# One at a time: the folder is locked meanwhile, so that no file of our own is left for that.
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

file=$1
exec 9<"${file%/*}"
flock -w 10 9
is=
[ ! -f "$file" ] || is=$(cat "$file")
case $2 in
read) printf '%s\n' "$is" ;;
write)
	if [ "$is" != "$3" ]; then
		echo changed
		exit 0
	fi
	if [ -n "$4" ]; then
		umask 022
		printf '%s\n' "$4" >"$file.new"
		mv -f "$file.new" "$file"
	else
		rm -f "$file"
	fi
	echo written
	;;
*)
	echo "unknown verb $2" >&2
	exit 64
	;;
esac
