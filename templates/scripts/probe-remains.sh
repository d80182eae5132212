# shellcheck disable=SC2154 # variables and functions of the texts around it

# What reset must leave none of.
remains() {
	ip -o link show 2>/dev/null | while IFS=' :@' read -r _ link _; do
		fact link "$link"
	done
	find /proc -maxdepth 2 -name exe ! -lname "*$newline*" -printf '%h\t%l\n' 2>/dev/null | while IFS="$tab" read -r process program; do
		program=${program% (deleted)}
		case ${program##*/} in
		kubelet | containerd | containerd-shim-runc-v2 | kube-apiserver | kube-controller-manager | kube-scheduler | kube-proxy | etcd | coredns | flanneld | pause | kubeadm)
			fact process "${program##*/}" "${process#/proc/}"
			;;
		esac
		[ "$program" != /usr/local/bin/registry ] || fact process registry "${process#/proc/}"
	done
	while read -r _ _ _ _ mountpoint _; do
		case $mountpoint in
		/var/lib/kubelet/* | /run/containerd/* | /var/lib/containerd/* | /run/netns/cni-* | /run/k8s.io/*) fact mount "$mountpoint" ;;
		esac
	done </proc/self/mountinfo
	for save in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save; do
		command -v "$save" >/dev/null 2>&1 || continue
		case $save in
		iptables-legacy-save) [ -e /proc/net/ip_tables_names ] || continue ;;
		ip6tables-legacy-save) [ -e /proc/net/ip6_tables_names ] || continue ;;
		esac
		count=$("$save" 2>/dev/null | grep -cE '(KUBE|CNI|FLANNEL)-|KIND-MASQ-AGENT|flanneld')
		[ "${count:-0}" -gt 0 ] && fact netfilter "$save" "$count"
	done
	if command -v nft >/dev/null 2>&1; then
		nft list tables 2>/dev/null | while read -r _ family table; do
			case $table in
			kube-proxy | flannel-ipv4 | flannel-ipv6 | kindnet-network-policies) fact netfilter "nft table $family $table" 1 ;;
			esac
		done
	fi
	return 0
}
