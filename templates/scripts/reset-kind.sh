# Takes a cluster off a node of kind that kind has made: what kubeadm reset would take, and what the kubelet, its pods and kindnet leave. What the
# node's image holds stays: /kind, containerd, images, units, the resolver's file, control groups. There is no ledger to lead it, so it goes by
# names, and only where a container of kind is the host. The CA goes last: as long as it is there, the host counts as one of a cluster, and a reset
# that was cut off is made again. One script with ledger.sh, mounts.sh, reset-programs.sh and reset-network.sh, which come before it.
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

if [ ! -s /kind/kubeadm.conf ]; then
	echo "/kind/kubeadm.conf is not there: this is no node of kind. Nothing was changed" >&2
	exit 1
fi
if [ -e "$ledger" ] || [ -n "$(ls -A "$state/saved" 2>/dev/null)" ]; then
	echo "fairlead has made something here by now, says $ledger. Nothing was changed" >&2
	exit 1
fi

# What a ledger would say: nothing of fairlead's, no link of before that a cluster could have made, and of tables nothing is known.
state=/run/fairlead-reset
rm -rf "$state"
mkdir -p "$state/saved" || exit 1
: >"$state/entries"
echo unknown >"$state/saved/chains"

# Empties a folder, but for what somebody has mounted in it, as kind does with extraMounts.
empty() { # FOLDER
	[ -d "$1" ] || return 0
	if ! mounted=$(mounts_at "$1"); then
		complain "keeping what is in $1: cannot tell what is mounted there"
		return
	fi
	mounted=$(printf '%s\n' "$mounted" | grep -vxF -e "$(readlink -f -- "$1")")
	find_within "$1" "$mounted" | sort -zr >"$state/gone"
	xargs -0r rm -fd -- <"$state/gone" 2>/dev/null
	find_within "$1" "$mounted" >"$state/found"
	if [ -n "$mounted" ]; then
		say "keeping in $1 what is mounted there"
	elif [ -s "$state/found" ]; then
		complain "cannot empty $1"
	fi
}

# Routes to the pods of other nodes. One that the node has for its own network leads through no gateway.
remove_routes() {
	sed -n 's/.*podSubnet: *//p' /kind/kubeadm.conf | tr -d "\"'{} " | sed 's/,[a-z]*[A-Z].*//' | tr ',' '\n' | while read -r pods; do
		case $pods in
		*:*/*) family=-6 ;;
		*/*) family=-4 ;;
		*) continue ;;
		esac
		ip "$family" route show root "$pods" 2>/dev/null | while read -r subnet via gateway _; do
			[ "$via" != via ] || ip "$family" route delete "$subnet" via "$gateway"
		done
	done
}

remove_files() {
	say "removing files"
	for folder in /var/lib/kubelet /var/lib/etcd /var/lib/cni /run/cni-ipam-state /run/kubernetes /var/log/pods /var/log/containers /etc/kubernetes/manifests; do
		empty "$folder"
	done
	# Those that no image of kind's holds; one that is a mount stays.
	rmdir /var/lib/kubelet /var/lib/etcd /var/lib/cni /run/cni-ipam-state /run/kubernetes /var/log/pods /var/log/containers /run/netns 2>/dev/null
	rm -f /etc/cni/net.d/10-kindnet*
	for file in /etc/cni/net.d/*; do
		[ ! -e "$file" ] || say "keeping $file, which is not of kind's network"
	done
	for name in admin super-admin kubelet bootstrap-kubelet controller-manager scheduler; do rm -f "/etc/kubernetes/$name.conf"; done
	rm -rf --one-file-system /etc/kubernetes/tmp
	[ ! -d /etc/kubernetes/pki ] || find /etc/kubernetes/pki -mindepth 1 -maxdepth 1 ! -name ca.crt -exec rm -rf --one-file-system -- {} +
	[ "$status" != 0 ] || rm -rf --one-file-system /etc/kubernetes/pki || complain "cannot remove /etc/kubernetes/pki"
}

stop_programs
systemctl stop kubelet-kubepods.slice 2>/dev/null # kubelets of kind have their pods below their own slice, which stays
! systemctl --quiet is-active containerd.service || {
	say "ending containers"
	end_containers k8s.io
	end_leases k8s.io
}
unmount
remove_links
remove_routes
remove_netfilter
# It knows pods that are gone until it starts anew.
! systemctl --quiet is-active containerd.service || systemctl restart containerd.service || complain "cannot restart containerd.service"
remove_files
rm -rf "$state"
exit "$status"
