# Programs of the cluster and the mounts that they left, for reset.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it

# The units that fairlead brought, escaped as in the ledger.
own_units() { sed -n 's/^unit \([^ ]*\) not-found .*/\1/p' "$state/entries"; }

stop_programs() {
	# The endpoint's address goes to another host while this one still answers.
	! grep -q '^file /etc/keepalived/keepalived.conf ' "$state/entries" || systemctl stop keepalived.service 2>/dev/null
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
		decode "$unit"
		systemctl stop "$decoded" 2>/dev/null
	done
	systemctl stop kubepods.slice 2>/dev/null
	return 0
}

# containerd is not fairlead's: the host had it before, or the user has brought it, and others may
# work with it.
foreign_containerd() { ! grep -q '^unit containerd.service not-found' "$state/entries"; }

# fairlead brought Docker Engine.
own_docker() { grep -q '^unit docker.service not-found' "$state/entries"; }

# What Kubernetes, and a Docker that goes, have in such a containerd: all in their namespaces, but for the images that were there before.
empty_namespaces() {
	foreign_containerd && systemctl --quiet is-active containerd.service || return 0
	say "emptying containerd's namespaces"
	for namespace in k8s.io moby; do
		[ "$namespace" = k8s.io ] || own_docker || continue
		ctr namespaces list --quiet 2>/dev/null | grep -qxF "$namespace" || continue
		end_containers "$namespace"
		set -- cat
		[ "$namespace" != k8s.io ] || [ ! -s "$state/saved/images" ] || set -- grep -vxF -f "$state/saved/images"
		ctr --namespace "$namespace" images list --quiet 2>/dev/null | "$@" | tr '\n' '\0' |
			xargs -0r ctr --namespace "$namespace" images remove >/dev/null 2>&1
		end_leases "$namespace"
		[ "$1" != cat ] || ctr namespaces remove "$namespace" >/dev/null 2>&1 || say "keeping containerd's namespace $namespace, which is not empty"
	done
}

end_containers() { # NAMESPACE
	for kind in tasks containers; do
		ctr --namespace "$1" "$kind" list --quiet 2>/dev/null | while read -r id; do
			ctr --namespace "$1" "$kind" delete "$id" >/dev/null 2>&1
		done
	done
}

# What nothing refers to any more goes when a lease is deleted with this flag.
end_leases() { # NAMESPACE
	ctr --namespace "$1" leases list --quiet 2>/dev/null | tr '\n' '\0' |
		xargs -0r ctr --namespace "$1" leases delete >/dev/null 2>&1
	ctr --namespace "$1" leases create --id fairlead >/dev/null 2>&1 &&
		ctr --namespace "$1" leases delete --sync fairlead >/dev/null 2>&1
}

# Mounts of pods, of their volumes and of containers, the deepest first. The folders above these may be mounts of the host
# and stay, as does all else that is mounted below them.
unmount() {
	say "unmounting volumes"
	while read -r _ _ _ _ mountpoint _; do
		case $mountpoint in
		/var/lib/kubelet/pods/* | /var/lib/kubelet/plugins/* | /run/containerd/*/k8s.io/* | /run/containerd/io.containerd.grpc.v1.cri/* | /run/netns/cni-*) printf '%s\n' "$mountpoint" ;;
		/var/lib/containerd/io.containerd.*/* | /var/lib/containerd/tmpmounts/* | /run/containerd/io.containerd.*/*) foreign_containerd || printf '%s\n' "$mountpoint" ;;
		/var/lib/docker/*/* | /run/docker/*/*) ! own_docker || printf '%s\n' "$mountpoint" ;;
		/run/netns) ! grep -qx 'tree /run/netns absent' "$state/entries" || printf '%s\n' "$mountpoint" ;; # "ip netns" mounts it on itself
		esac
	done </proc/self/mountinfo | sort -r | while read -r mountpoint; do
		decode "$mountpoint"
		mountpoint -q "$decoded" || continue # it went with another one
		umount "$decoded" 2>/dev/null && continue
		# Not /run/netns: that would take along the namespaces of others.
		[ "$decoded" != /run/netns ] && umount -l "$decoded" || say "cannot unmount $mountpoint"
	done
	rm -f /run/netns/cni-* 2>/dev/null
	return 0
}
