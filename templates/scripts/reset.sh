# Takes away what fairlead and the cluster made on this host and puts back what they
# changed, led by the ledger. May be run again after it was cut off: the ledger goes when all
# is undone. What it does not understand, or what is damaged, stays as it is, and so does all that
# was saved. One script with ledger.sh, mounts.sh, installed.sh and reset-*.sh, which come before it.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it
set -u
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
status=0

say() { printf '%s\n' "$*"; }
complain() {
	printf '%s\n' "$*" >&2
	status=1
}

# For entries that a later fairlead wrote, or that are damaged.
unknown_word() { complain "keeping $1: this fairlead does not know how it was before: $2"; }

# Ends the script if the ledger cannot be trusted; else its entries are in the file of that name.
read_ledger() {
	umask 077
	trust_ledger
	settle || complain "what the last install of packages has brought is not known"
	entries >"$state/entries" || exit 1
}

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

undo_sysctl() { # KEY VALUE
	path=/proc/sys/$(printf '%s' "$1" | tr . /)
	[ "$2" != absent ] && [ -e "$path" ] || return 0
	[ "$(tr '\t' ' ' <"$path")" = "$2" ] || printf '%s\n' "$2" >"$path" || complain "cannot restore sysctl $1"
}

undo_unit() { # KEY ENABLED ACTIVE
	case $2 in
	masked*) return 0 ;;
	not-found)
		case $1 in *.swap) systemctl unmask --quiet "$1" || complain "cannot unmask unit $1" ;; esac # the next boot would have made it
		return 0
		;;
	enabled* | disabled | static | alias | indirect | generated | transient | linked* | bad) ;;
	*)
		unknown_word "unit $1" "$2"
		return 0
		;;
	esac
	systemctl unmask --quiet "$1" 2>/dev/null && case $2 in
	enabled*) systemctl enable --quiet "$1" ;;
	disabled) systemctl disable --quiet "$1" ;;
	esac 2>/dev/null
	case $3 in inactive | failed) systemctl stop "$1" 2>/dev/null ;; esac
}

# Undoes one entry: KIND KEY WORD...
undo() {
	kind=$1
	decode "$2"
	key=$decoded
	shift 2
	case $kind in
	file) undo_file "$key" "$@" ;;
	tree) undo_tree "$key" "$@" ;;
	dir)
		[ "$1" = absent ] || unknown_word "dir $key" "$1"
		[ "$1" != absent ] || [ ! -d "$key" ] || rmdir "$key" 2>/dev/null || say "keeping $key, which is not empty"
		;;
	sysctl)
		decode "$*"
		undo_sysctl "$key" "$decoded"
		;;
	module)
		case $1 in
		loaded) ;;
		absent) modprobe -r "$key" 2>/dev/null || say "keeping kernel module $key, which is in use" ;;
		*) unknown_word "module $key" "$1" ;;
		esac
		;;
	unit) undo_unit "$key" "$1" "${2:-}" ;;
	swap | net | package) ;; # all at once, elsewhere
	*) complain "keeping $kind $key: this fairlead does not know such entries of the ledger" ;;
	esac
}

# Swap that was on, if its unit has not turned it on again. The kernel and the ledger escape names in the same way, but for a
# comma.
swap_on() {
	sed -n 's/^swap active //p' "$state/entries" | tr ',' '\n' | sed 's/\\054/,/g' >"$state/swaps"
	while read -r device; do
		[ "$device" != none ] || continue
		decode "$device"
		sed 's/[[:space:]].*//' /proc/swaps | grep -qxF -e "$device" || swapon "$decoded" || complain "cannot turn swap on again: $device"
	done <"$state/swaps"
}

restore() {
	say "restoring files and settings"
	# Enablement is links in systemd's folders, which go while the unit files are there.
	units=$(own_units)
	for unit in $units; do
		decode "$unit"
		systemctl disable --quiet "$decoded" 2>/dev/null
	done
	# Backwards, so that folders come after what is in them.
	if ! tac "$state/entries" >"$state/undo"; then
		complain "cannot read the ledger backwards"
		return
	fi
	set -f # words are no patterns
	while read -r line; do
		# shellcheck disable=SC2086 # words
		undo $line
	done <"$state/undo"
	set +f
	systemctl daemon-reload
	for unit in $units; do
		decode "$unit"
		systemctl reset-failed "$decoded" 2>/dev/null
	done
	# What ran before runs again, and with the files that were put back.
	sed -n -e '/^unit [^ ]* masked/d' -e 's/^unit \([^ ]*\) [^ ]* active$/\1/p' "$state/undo" >"$state/again"
	while read -r unit; do
		decode "$unit"
		verb=start
		[ "$unit" = "${unit%.service}" ] || verb=restart
		systemctl "$verb" "$decoded" || complain "cannot $verb $unit again"
	done <"$state/again"
	swap_on
}

# Forgets all that was saved. A reset or a run that comes after a cut in here sees that nothing is left to undo.
forget() {
	[ ! -d /run/fairlead ] || remove_tree /run/fairlead
	mounts_known "$state" && [ "$status" = 0 ] || return 1
	: >"$state/undone" && sync "$state/undone" "$state" && rm -f "$ledger" && sync "$state" && rm -rf --one-file-system "$state"
}

if [ -f "$ledger" ] && [ ! -e "$state/undone" ]; then
	read_ledger
	stop_programs
	unmount
	empty_namespaces
	if network_known; then
		remove_links
		remove_netfilter
	fi
	remove_packages
	restore
fi
if [ ! -e "$ledger" ] && [ ! -e "$state/undone" ] && [ -n "$(ls -A "$state/saved" 2>/dev/null)" ]; then
	complain "the ledger $ledger is gone, and $state/saved holds what it referred to. Nothing was changed"
fi
if [ "$status" = 0 ] && { [ -e "$ledger" ] || [ -e "$state/undone" ]; }; then
	forget || status=1
fi
exit "$status"
