# Follows the functions of a package manager. The first argument says what to do with the others:
#   key URL FILE      fetch the key of a repository to a file; URL is https
#   refresh NAME...   read the indexes of these repositories anew; a wrong signature is an error
#   install SPEC...   install packages, and write into the ledger which ones are new
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
	awk 'FILENAME == ARGV[1] { removed[$0]; next } { print $0, ($0 in removed) ? "removed" : "absent" }' \
		"$state/packages.now.removed" "$state/packages.new" >"$state/packages.next"
	sync "$state/packages.next"
	mv -f "$state/packages.next" "$state/packages.pending"
	sync "$state"
	install "$@"
	settle
}

verb=$1
shift
case $verb in
key) fetch_key "$@" ;;
refresh) refresh "$@" ;;
install) get "$@" ;;
reinstall) reinstall "$@" ;;
hold) hold "$@" ;;
account) settle ;;
*)
	echo "unknown verb: $verb" >&2
	exit 64
	;;
esac
