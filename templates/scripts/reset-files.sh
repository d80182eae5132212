# Files and folders, for reset.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it

# Says whether all that is mounted at a folder or below it was so before, which are words of its entry in the ledger. What is
# mounted since then is not the cluster's, whose mounts are gone by now, and must not go with the folder.
mounts_known() { # FOLDER MOUNTPOINT...
	known_folder=$1
	shift
	known_mounts=" $* "
	mounted=$(mounts_at "$known_folder") || {
		complain "keeping $known_folder: cannot tell what is mounted there"
		return 1
	}
	for mountpoint in $mounted; do
		case $known_mounts in *" $mountpoint "*) continue ;; esac
		complain "keeping $known_folder: something is mounted at $mountpoint, which is not the cluster's; unmount it, and reset again"
		return 1
	done
}

# Removes a folder that was not there before, with all that is in it.
remove_tree() {
	[ -L "$1" ] || mounts_known "$1" || return 1
	rm -rf --one-file-system "$1" || complain "cannot remove $1"
}

# Empties a folder that was there before, but for what it held then, and what is below its mount points of then. There may be
# ten thousands of files, so nothing is started for each. Names end in NUL all the way, as pods choose some of them.
empty_tree() { # FOLDER LIST SIZE SHA256 MOUNTPOINT...
	tree=$1 list=$state/saved/$2
	if ! intact "$list" "${3:-}" "${4:-}"; then
		complain "keeping what is in $1: the list of what was in it before is lost or damaged"
		return 1
	fi
	case $2 in
	*.names) shift 4 ;;
	*)
		shift $#
		# shellcheck disable=SC2046 # words
		former_list "$tree" "$list" && set -- $(cat "$state/known") || {
			complain "keeping what is in $tree: the list of what was in it before cannot be read"
			return 1
		}
		list=$state/list
		;;
	esac
	mounts_known "$tree" "$@" || return 1
	find_within "$tree" "$*" >"$state/found" &&
		sort -z -o "$state/found" "$state/found" && comm -z -13 "$list" "$state/found" >"$state/gone" &&
		sort -zr -o "$state/gone" "$state/gone" && xargs -0r rm -fd -- <"$state/gone" || complain "cannot empty $tree"
}

# Makes the file list of one of the former form, which had a name a line. It could not tell names with new lines: all that are
# there now are taken for those of before. It knew no mounts: those at folders that were there are taken for known, too.
former_list() { # FOLDER LIST
	mounted=$(mounts_at "$1") && real=$(readlink -f -- "$1") && tr '\n' '\0' <"$2" >"$state/list" &&
		find "$1" -mindepth 1 -xdev -path "*
*" -print0 >>"$state/list" && : >"$state/known" || return 1
	for mountpoint in $mounted; do
		decode "$mountpoint"
		if [ "$decoded" = "$real" ] || grep -qxF -e "$1${decoded#"$real"}" "$2"; then printf '%s\n' "$mountpoint" >>"$state/known"; fi
	done
	sort -zu -o "$state/list" "$state/list"
}

undo_file() { # KEY WAS NAME SIZE SHA256
	case $2 in
	absent) rm -f "$1" && [ ! -e "$1" ] && [ ! -L "$1" ] || complain "cannot remove $1" ;;
	saved) put_back "$1" "$3" "${4:-}" "${5:-}" || complain "cannot restore $1: its saved copy is lost or damaged, or the folder cannot be written" ;;
	*) unknown_word "file $1" "$2" && return ;;
	esac
	rm -f "$1.fairlead-new" "$1.fairlead"
}

undo_tree() { # KEY WAS NAME MODE OWNER SIZE SHA256 MOUNTPOINT...
	case $2 in
	absent) [ ! -d "$1" ] || remove_tree "$1" ;;
	existed)
		[ -d "$1" ] || return 0
		folder=$1 mode=$4 owner=$5
		list_of=$3
		shift 5
		empty_tree "$folder" "$list_of" "$@" || return 1
		chmod "$mode" "$folder" && chown "$owner" "$folder" || complain "cannot restore the mode of $folder"
		;;
	*) unknown_word "tree $1" "$2" ;;
	esac
}
