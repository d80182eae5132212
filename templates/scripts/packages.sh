# Follows the functions of a package manager. The first argument says what to do with the others:
#   key URL FILE      fetch the key of a repository to a file; URL is https
#   refresh NAME...   read the indexes of these repositories anew; a wrong signature is an error
#   install SPEC...   install packages, and write into the ledger which ones are new
#   add NAME...       the same for packages beside what fairlead itself needs, by exactly these names
#   keep NAME...      remove what was added and is not among these, with all that came along, but for what others need
#   reinstall SPEC... the same for packages of which files were changed
#   hold NAME...      keep packages at their version
#   account           write into the ledger what an install that was cut off has brought
# Whatever else works with packages on this host is waited for.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it
patience=600 # seconds for other package managers; an unattended upgrade takes minutes
deadline=$(($(date +%s) + patience))

in_time() { [ "$(date +%s)" -lt "$deadline" ]; }

unlocked() {
	waited=
	while pid=$(holder) && [ -n "$pid" ]; do
		name=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || continue
		if ! in_time; then
			echo "the package manager is still in use after $patience s by process $pid: $name" >&2
			exit 1
		fi
		[ "$waited" = "$pid" ] || echo "waiting for the package manager, in use by process $pid: $name"
		waited=$pid
		sleep 0.2
	done
}

say() { printf '%s\n' "$*"; }
status=0
complain() {
	printf '%s\n' "$*" >&2
	status=1
}

if [ -r /etc/fairlead/proxy.env ]; then
	# shellcheck disable=SC2046 # a variable a line, without spaces
	export $(sed -n 's/^\([A-Z_]*\)="\(.*\)"$/\1=\2/p' /etc/fairlead/proxy.env)
	http_proxy=${HTTP_PROXY:-} https_proxy=${HTTPS_PROXY:-} no_proxy=${NO_PROXY:-}
	export http_proxy https_proxy no_proxy
fi

# Installs packages. What can be ours of that is settled before: what is going to be brought, and is not there yet. It is kept
# on the disk until the ledger has it, so that the next run, or reset, can write it if this one is cut off.
get() {
	[ -d "$state" ] || mkdir -m 0700 "$state"
	settle
	prepare "$@"
	unlocked # what an upgrade brings that is under way is not ours
	list_installed "$state/packages.now"
	transaction "$@" >"$state/packages.brought"
	sort -u "$state/packages.brought" | comm -23 - "$state/packages.now" >"$state/packages.new"
	if [ -n "$beside" ]; then
		exactly "$@"
		remember "$@"
	fi
	awk 'FILENAME == ARGV[1] { removed[$0]; next } { print $0, ($0 in removed) ? "removed" : "absent" }' \
		"$state/packages.now.removed" "$state/packages.new" >"$state/packages.next"
	sync "$state/packages.next"
	mv -f "$state/packages.next" "$state/packages.pending"
	sync "$state"
	install "$@"
	settle
}

# Ends the script for names that the repositories do not have.
unknown() {
	echo "no repository of this host has a package of the name $*: names differ between distributions" >&2
	exit 1
}

# What a package manager takes for a pattern, a version, or for something that another package offers, is no package's name.
exactly() {
	lacking=
	for name in "$@"; do
		grep -qxF -e "$name" "$state/packages.brought" || grep -qxF -e "$name" "$state/packages.now" || lacking="$lacking $name"
	done
	# shellcheck disable=SC2086 # names of packages have no spaces
	[ -z "$lacking" ] || unknown $lacking
}

# The packages beside what fairlead itself needs: "wanted NAME" for those that were missing and asked for, and "brought NAME"
# for all that comes by that. It is written before they come; whether they have come and are fairlead's, says the ledger.
additions=$state/packages

remember() { # NAME...
	[ ! -e "$additions" ] || cat "$additions" >"$state/packages.added"
	for name in "$@"; do
		! grep -qxF -e "$name" "$state/packages.new" || echo "wanted $name" >>"$state/packages.added"
	done
	sed 's/^/brought /' "$state/packages.new" >>"$state/packages.added"
	replace_added
}

replace_added() {
	sort -u -o "$state/packages.added" "$state/packages.added"
	sync "$state/packages.added"
	mv -f "$state/packages.added" "$additions"
	sync "$state"
}

# Names in that file behind a word, sorted.
added() { sed -n "s/^$1 //p" "$additions" | sort -u; }

# What is to go is forgotten when it is gone: a cut before that is seen by the next run, which goes on.
keep() {
	[ -e "$additions" ] || return 0
	settle
	trust_ledger
	entries >"$state/entries"
	printf '%s\n' "$@" | sort -u >"$state/packages.kept"
	added wanted | comm -23 - "$state/packages.kept" >"$state/packages.withdrawn"
	added brought | comm -23 - "$state/packages.kept" >"$state/packages.along"
	sed -n 's/^package \([^ ]*\) .*/\1/p' "$state/entries" | sort -u | comm -12 - "$state/packages.along" >"$state/packages.ours"
	unlocked
	uninstall "$state/packages.withdrawn"
	[ "$status" = 0 ] || exit 1
	list_installed "$state/packages.now"
	comm -23 "$state/packages.ours" "$state/packages.now" >"$state/packages.gone"
	open_ledger
	while read -r name; do strike package "$name"; done <"$state/packages.gone"
	close_ledger
	added brought | comm -12 - "$state/packages.now" >"$state/packages.left"
	sed 's/^/brought /' "$state/packages.left" >"$state/packages.added"
	# Also what came along and is wanted for itself by now.
	comm -12 "$state/packages.left" "$state/packages.kept" | sed 's/^/wanted /' >>"$state/packages.added"
	replace_added
	rm -f "$state"/packages.* "$state/entries" "$state/purge.log"
}

beside= # what fairlead itself needs
verb=$1
shift
case $verb in
key) fetch_key "$@" ;;
refresh) refresh "$@" ;;
install) get "$@" ;;
add)
	beside=y
	get "$@"
	;;
keep) keep "$@" ;;
reinstall) reinstall "$@" ;;
hold) hold "$@" ;;
account) settle ;;
*)
	echo "unknown verb: $verb" >&2
	exit 64
	;;
esac
