# Takes away what fairlead and the cluster made on this host and puts back what they
# changed, led by the ledger. May be run again after it was cut off: the ledger goes when all
# is undone.
set -u
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

state=/var/lib/fairlead
ledger=$state/ledger
status=0

say() { printf '%s\n' "$*"; }
complain() {
	printf '%s\n' "$*" >&2
	status=1
}

# The units that fairlead brought, from the ledger.
own_units() { sed -n 's/^unit \([^ ]*\) not-found .*/\1/p' "$ledger" 2>/dev/null; }

stop_programs() {
	say "stopping kubelet, pods and containerd"
	systemctl stop fairlead-kubeadm.service kubelet.service 2>/dev/null
	systemctl reset-failed fairlead-kubeadm.service 2>/dev/null
	# The kubelet is gone, so nothing starts pods again while they are killed: the shims
	# first, which would report and restart nothing but hold the mounts.
	for process in /proc/[0-9]*; do
		pid=${process#/proc/}
		if grep -q kubepods "$process/cgroup" 2>/dev/null; then
			kill -KILL "$pid" 2>/dev/null
			continue
		fi
		case $(readlink "$process/exe" 2>/dev/null) in
		*/containerd-shim-runc-v2*)
			tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q -- '-namespace k8s.io' && kill -KILL "$pid" 2>/dev/null
			;;
		esac
	done
	for unit in $(own_units); do
		systemctl stop "$unit" 2>/dev/null
	done
	systemctl stop kubepods.slice 2>/dev/null
	return 0
}

# containerd is not fairlead's: the host had it before, or the user has brought it, and others may
# work with it.
foreign_containerd() { ! grep -q '^unit containerd.service not-found' "$ledger"; }

# fairlead brought Docker Engine.
own_docker() { grep -q '^unit docker.service not-found' "$ledger"; }

# What Kubernetes, and a Docker that goes, have in such a containerd: all in their namespaces.
empty_namespaces() {
	foreign_containerd && systemctl --quiet is-active containerd.service || return 0
	say "emptying containerd's namespaces"
	for namespace in k8s.io moby; do
		[ "$namespace" = k8s.io ] || own_docker || continue
		ctr namespaces list --quiet 2>/dev/null | grep -qxF "$namespace" || continue
		for kind in tasks containers; do
			ctr --namespace "$namespace" "$kind" list --quiet 2>/dev/null | while read -r id; do
				ctr --namespace "$namespace" "$kind" delete "$id" >/dev/null 2>&1
			done
		done
		ctr --namespace "$namespace" images list --quiet 2>/dev/null | tr '\n' '\0' |
			xargs -0r ctr --namespace "$namespace" images remove >/dev/null 2>&1
		ctr --namespace "$namespace" leases list --quiet 2>/dev/null | tr '\n' '\0' |
			xargs -0r ctr --namespace "$namespace" leases delete >/dev/null 2>&1
		# What nothing refers to any more goes when a lease is deleted with this flag.
		ctr --namespace "$namespace" leases create --id fairlead >/dev/null 2>&1 &&
			ctr --namespace "$namespace" leases delete --sync fairlead >/dev/null 2>&1
		ctr namespaces remove "$namespace" >/dev/null 2>&1 || say "keeping containerd's namespace $namespace, which is not empty"
	done
}

# Mounts below the cluster's folders, the deepest first; the folders themselves may be
# mounts of the host and stay.
unmount() {
	say "unmounting volumes"
	while read -r _ _ _ _ mountpoint _; do
		case $mountpoint in
		/var/lib/kubelet/* | /run/containerd/*/k8s.io/* | /run/containerd/io.containerd.grpc.v1.cri/* | /run/netns/cni-*) printf '%s\n' "$mountpoint" ;;
		/var/lib/containerd/* | /run/containerd/* | /run/netns/* | /run/netns) foreign_containerd || printf '%s\n' "$mountpoint" ;;
		esac
	done </proc/self/mountinfo | sort -r | while read -r mountpoint; do
		mountpoint -q "$mountpoint" || continue # it went with another one
		umount "$mountpoint" 2>/dev/null || umount -l "$mountpoint" || say "cannot unmount $mountpoint"
	done
	rm -f /run/netns/cni-* 2>/dev/null
	return 0
}

# Packages that fairlead installed and nobody else needs by now. One that an install which was
# cut off brought is not in the ledger yet.
remove_packages() {
	if [ -s /var/lib/dpkg/status ]; then
		manager=dpkg
		installed() { dpkg-query --show --showformat '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^.[^nc].  *//p' | sort -u; }
	else
		manager=rpm
		installed() { rpm --query --all --queryformat '%{NAME}\n' | sort -u; }
	fi
	[ ! -f "$state/packages.before" ] || installed | comm -13 "$state/packages.before" - | sed 's/.*/package & absent/' >>"$ledger"
	rm -f "$state/packages.before"
	grep -q '^package ' "$ledger" || return 0
	if ! installed >"$state/packages.now" || [ ! -s "$state/packages.now" ]; then
		complain "cannot list the packages"
		return
	fi
	# shellcheck disable=SC2046 # names of packages have no spaces
	set -- $(sed -n 's/^package \([^ ]*\) absent$/\1/p' "$ledger" | sort -u | comm -12 - "$state/packages.now")
	[ $# -gt 0 ] || return 0
	say "removing packages: $*"
	case $manager in
	dpkg)
		apt-mark unhold "$@" >/dev/null 2>&1
		deadline=$(($(date +%s) + 600))
		# dpkg itself does not wait for others.
		while [ -n "$(find /proc/[0-9]*/fd -lname '/var/lib/dpkg/lock*' 2>/dev/null)" ] && [ "$(date +%s)" -lt "$deadline" ]; do
			sleep 0.2
		done
		# Without apt, which would take along what depends on them.
		DEBIAN_FRONTEND=noninteractive dpkg --purge "$@" >/dev/null 2>"$state/purge.log"
		! grep -q ' lock' "$state/purge.log" || complain "cannot remove packages: $(grep ' lock' "$state/purge.log" | head -n 1)"
		;;
	rpm)
		dnf --assumeyes --quiet versionlock delete "$@" >/dev/null 2>&1
		rpm --erase "$@" 2>"$state/purge.log" || while gone=; do
			# One by one, as long as one goes: what needed the others may have been it.
			for name in "$@"; do ! rpm --erase "$name" 2>/dev/null || gone=$name; done
			[ -n "$gone" ] || break
		done
		;;
	esac
	installed >"$state/packages.now"
	for name in "$@"; do
		! grep -qxF "$name" "$state/packages.now" || say "keeping package $name: $(grep -F "$name" "$state/purge.log" | head -n 1)"
	done
	return 0
}

remove_links() {
	say "removing interfaces"
	ip -o link show master cni0 2>/dev/null | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | while read -r link; do
		ip link delete "$link" 2>/dev/null
	done
	for path in /sys/class/net/*; do
		link=${path##*/}
		case $link in
		cni0 | flannel.1 | flannel-v6.1 | kube-ipvs0) ;;
		docker0 | br-[0-9a-f]*) own_docker || continue ;;
		*) continue ;;
		esac
		grep -qxF "$link" "$state/saved/links" 2>/dev/null && continue
		ip link delete "$link" || complain "cannot delete interface $link"
	done
}

# Prints the commands for iptables-restore --noflush that delete the rules and chains of
# Kubernetes, the CNI plugins and flannel, and of a Docker that fairlead brought, and nothing else.
deletions() {
	own='(KUBE-|CNI-|FLANNEL-)' named=flanneld
	own_docker && own='(KUBE-|CNI-|FLANNEL-|DOCKER)' named='(flanneld| -[io] (docker0|br-[0-9a-f]+) )'
	awk -v own="$own" -v named="$named" '
	/^\*/ { table = $0; rules = chains = "" }
	$0 ~ "^:" own { name = substr($1, 2); chains = chains "-F " name "\n"; gone = gone "-X " name "\n" }
	$0 ~ "^-A " own { next }
	/^-A / && ($0 ~ " -[jg] " own || $0 ~ named) { sub(/^-A/, "-D"); rules = rules $0 "\n" }
	/^COMMIT/ { if (rules chains != "") printf "%s\n%s%s%sCOMMIT\n", table, rules, chains, gone; gone = "" }
	'
}

remove_netfilter() {
	say "removing netfilter rules"
	for variant in iptables ip6tables iptables-legacy ip6tables-legacy; do
		command -v "$variant-save" >/dev/null 2>&1 || continue
		case $variant in
		iptables-legacy) [ -e /proc/net/ip_tables_names ] || continue ;;
		ip6tables-legacy) [ -e /proc/net/ip6_tables_names ] || continue ;;
		esac
		commands=$("$variant-save" 2>/dev/null | deletions)
		[ -z "$commands" ] || printf '%s\n' "$commands" | "$variant-restore" --noflush || complain "cannot delete the rules of $variant"
	done
	remove_tables
}

# nft tables and base chains that were not there before: those of kube-proxy and flannel,
# and those that iptables made and that hold nothing any more.
remove_tables() {
	[ -f "$state/saved/chains" ] && command -v nft >/dev/null 2>&1 || return 0
	nft list chains 2>/dev/null | awk '$1 == "table" { table = $2 " " $3 } $1 == "chain" { print table, $2 }' |
		while read -r family table chain; do
			case $table:$chain in
			filter:[A-Z]* | nat:[A-Z]* | mangle:[A-Z]* | raw:[A-Z]* | security:[A-Z]*) ;;
			*) continue ;;
			esac
			grep -qxF "$family $table $chain" "$state/saved/chains" && continue
			hollow chain "$family" "$table" "$chain" && nft delete chain "$family" "$table" "$chain"
		done
	nft list tables 2>/dev/null | while read -r _ family table; do
		grep -qxF "$family $table" "$state/saved/chains" && continue
		case $table in
		kube-proxy | flannel-ipv4 | flannel-ipv6) nft delete table "$family" "$table" ;;
		filter | nat | mangle | raw | security) hollow table "$family" "$table" && nft delete table "$family" "$table" ;;
		esac
	done
}

# Says whether a table or chain has no rules: each line of it then opens or closes it, or
# says that a base chain accepts.
hollow() {
	! nft list "$@" 2>/dev/null | grep -qvE '^[[:space:]]*(table .*|chain [A-Z]+ \{|type .* policy accept;|\}|)$'
}

# Empties a folder that was there before, but for what it held then. There may be ten
# thousands of files, so nothing is started for each.
empty_tree() {
	if [ ! -f "$state/saved/$2" ]; then
		complain "cannot empty $1: the list of what was in it is lost"
		return
	fi
	find "$1" -mindepth 1 -depth -print | awk -v listing="$state/saved/$2" '
		BEGIN { while ((getline path <listing) > 0) stays[path] }
		!($0 in stays)' | tr '\n' '\0' | xargs -0r rm -fd -- || complain "cannot empty $1"
}

undo() {
	kind=$1 key=$2 was=$3 detail=${4:-} mode=${5:-} owner=${6:-}
	case $kind in
	file)
		rm -f "$key.fairlead-new" "$key.fairlead"
		case $was in
		absent) rm -f "$key" || complain "cannot remove $key" ;;
		saved) cp -pP "$state/saved/$detail" "$key.fairlead-old" && mv -f "$key.fairlead-old" "$key" || complain "cannot restore $key" ;;
		esac
		;;
	tree)
		[ -d "$key" ] || return 0
		case $was in
		absent) rm -rf --one-file-system "$key" || complain "cannot remove $key" ;;
		existed)
			empty_tree "$key" "$detail"
			chmod "$mode" "$key" && chown "$owner" "$key" || complain "cannot restore the mode of $key"
			;;
		esac
		;;
	dir) [ ! -d "$key" ] || rmdir "$key" 2>/dev/null || say "keeping $key, which is not empty" ;;
	sysctl)
		path=/proc/sys/$(printf '%s' "$key" | tr . /)
		shift 2
		[ "$*" != absent ] && [ -e "$path" ] || return 0
		[ "$(tr '\t' ' ' <"$path")" = "$*" ] || printf '%s\n' "$*" >"$path" || complain "cannot restore sysctl $key"
		;;
	module)
		[ "$was" = loaded ] || modprobe -r "$key" 2>/dev/null || say "keeping kernel module $key, which is in use"
		;;
	unit)
		case $was in
		not-found | masked*) return 0 ;;
		enabled*) systemctl unmask --quiet "$key" && systemctl enable --quiet "$key" ;;
		disabled) systemctl unmask --quiet "$key" && systemctl disable --quiet "$key" ;;
		*) systemctl unmask --quiet "$key" ;;
		esac 2>/dev/null
		case $detail in inactive | failed) systemctl stop "$key" 2>/dev/null ;; esac
		;;
	esac
}

restore() {
	say "restoring files and settings"
	# Enablement is links in systemd's folders, which go while the unit files are there.
	units=$(own_units)
	for unit in $units; do
		systemctl disable --quiet "$unit" 2>/dev/null
	done
	# Backwards, so that folders come after what is in them.
	if ! tac "$ledger" >"$state/undo"; then
		complain "cannot read the ledger backwards"
		return
	fi
	while read -r kind key was detail; do
		# shellcheck disable=SC2086 # a sysctl may have several numbers
		undo "$kind" "$key" "$was" $detail
	done <"$state/undo"
	systemctl daemon-reload
	for unit in $units; do
		systemctl reset-failed "$unit" 2>/dev/null
	done
	# What ran before runs again, and with the files that were put back.
	sed -n -e '/^unit [^ ]* masked/d' -e 's/^unit \([^ ]*\) [^ ]* active$/\1/p' "$state/undo" >"$state/again"
	while read -r unit; do
		verb=start
		[ "$unit" = "${unit%.service}" ] || verb=restart
		systemctl "$verb" "$unit" || complain "cannot $verb $unit again"
	done <"$state/again"
	if [ -s "$state/saved/swaps" ]; then
		while read -r device; do
			# Its unit may have turned it on already.
			sed 's/[[:space:]].*//' /proc/swaps | grep -qxF -- "$device" || swapon "$device" || complain "cannot turn swap on again: $device"
		done <"$state/saved/swaps"
	fi
}

if [ -f "$ledger" ]; then
	stop_programs
	unmount
	empty_namespaces
	remove_links
	remove_netfilter
	remove_packages
	restore
	# The ledger before what it refers to: without that, nothing could be undone by it any more.
	[ "$status" != 0 ] || { rm -f "$ledger" && rm -rf "$state" /run/fairlead; }
fi
exit "$status"
