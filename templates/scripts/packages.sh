# Follows the functions of a package manager. The first argument says what to do with the others:
#   key URL FILE      fetch the key of a repository to a file; URL is https
#   refresh NAME...   read the indexes of these repositories anew; a wrong signature is an error
#   install SPEC...   install packages, and write into the ledger which ones are new
#   reinstall SPEC... the same for packages of which files were changed
#   hold NAME...      keep packages at their version
#   account           write into the ledger what an install that was cut off has brought
# Whatever else works with packages on this host is waited for.
state=/var/lib/fairlead
patience=600 # seconds for other package managers; an unattended upgrade takes minutes
deadline=$(($(date +%s) + patience))

in_time() { [ "$(date +%s)" -lt "$deadline" ]; }

# Who has a lock file open: they lock by fcntl, so that closing is giving back.
holder() {
	for lock in $(locks); do
		find /proc/[0-9]*/fd -lname "$lock" 2>/dev/null
	done | cut -d / -f 3 | head -n 1
}

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

if [ -r /etc/fairlead/proxy.env ]; then
	# shellcheck disable=SC2046 # a variable a line, without spaces
	export $(sed -n 's/^\([A-Z_]*\)="\(.*\)"$/\1=\2/p' /etc/fairlead/proxy.env)
	http_proxy=${HTTP_PROXY:-} https_proxy=${HTTPS_PROXY:-} no_proxy=${NO_PROXY:-}
	export http_proxy https_proxy no_proxy
fi

# The list of the packages that were there before is kept until the ledger has the new ones, so
# that the next run, or reset, can write them if this one is cut off.
accounted() {
	[ -d "$state" ] || mkdir -m 0700 "$state"
	if [ ! -f "$state/packages.before" ]; then
		unlocked # what an upgrade brings that is under way is not ours
		installed >"$state/packages.new"
		mv "$state/packages.new" "$state/packages.before"
	fi
	"$@"
	umask 077
	installed | comm -13 "$state/packages.before" - | sed 's/.*/package & absent/' >"$state/packages.new"
	exec 9>"$state/lock"
	flock 9
	[ -e "$state/ledger" ] || : >"$state/ledger"
	awk '!known[$0]++' "$state/ledger" "$state/packages.new" >"$state/ledger.new"
	mv -f "$state/ledger.new" "$state/ledger"
	rm -f "$state/packages.before" "$state/packages.new"
}

verb=$1
shift
case $verb in
key) fetch_key "$@" ;;
refresh) refresh "$@" ;;
install | reinstall) accounted "$verb" "$@" ;;
hold) hold "$@" ;;
account) accounted : ;;
*)
	echo "unknown verb: $verb" >&2
	exit 64
	;;
esac
