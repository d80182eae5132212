# Takes away the files in its arguments, which are fairlead's: what was in their place before comes back, by the ledger, which
# forgets them then, as they are nothing of fairlead's any more. The folders go that fairlead has made for them, once they are
# empty.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# The words of a file's entry for how it was; nothing without one.
was() {
	awk 'BEGIN { key = ARGV[1]; ARGV[1] = "" }
	NR > 1 && $1 == "file" && $2 == key { $1 = $2 = ""; print }' "$(encode "$1")" "$ledger.new"
}

take_away() {
	rm -f -- "$1"
	known dir "${1%/*}" && rmdir -- "${1%/*}" 2>/dev/null || return 0
	strike dir "${1%/*}"
}

if [ ! -e "$ledger" ]; then
	rm -f -- "$@"
	exit
fi
open_ledger
copies=
for path in "$@"; do
	words=$(was "$path")
	# shellcheck disable=SC2086 # words
	case $words in
	*saved*)
		if ! put_back "$path" ${words#*saved}; then
			echo "cannot restore $path: its saved copy in $state/saved is lost or damaged, or the folder cannot be written" >&2
			exit 1
		fi
		copies="$copies $state/saved/$(set -- $words && echo "$2")"
		;;
	*) take_away "$path" ;;
	esac
	strike file "$path"
done
close_ledger
# shellcheck disable=SC2086 # names of digits
rm -f $copies
