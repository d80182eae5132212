# Reads all facts of a host in one go and changes nothing. Arguments: the paths of the
# files to examine. Prints one fact a line: its name, then tab-separated fields.
# The last line is "end"; an answer without it is incomplete.
set -u
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

tab=$(printf '\t')
unchanged=

fact() {
	printf '%s' "$1"
	shift
	for field in "$@"; do printf '\t%s' "$field"; done
	printf '\n'
}

encoded() { base64 -w0 <"$1" 2>/dev/null; }

machine() {
	fact uid "$(id -u)"
	fact clock "$(date +%s%N)"
	(
		ID='' VERSION_ID='' ID_LIKE='' PRETTY_NAME=''
		[ -r /etc/os-release ] && . /etc/os-release
		fact os "$ID" "$VERSION_ID" "$ID_LIKE" "$PRETTY_NAME"
	)
	fact kernel "$(uname -r)"
	fact arch "$(uname -m)"
	fact cpus "$(nproc)"
	while read -r key value _; do
		case $key in
		MemTotal:) fact memory "$value" ;;
		esac
	done </proc/meminfo
	fact hostname "$(uname -n)"
	[ -r /etc/machine-id ] && fact machine-id "$(cat /etc/machine-id)"
	[ -r /sys/class/dmi/id/product_uuid ] && fact product-uuid "$(cat /sys/class/dmi/id/product_uuid)"
	fact boot-id "$(cat /proc/sys/kernel/random/boot_id)"
	[ -d /run/systemd/system ] && fact systemd "$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')"
	fact container "$(systemd-detect-virt --container 2>/dev/null || :)"
	case $(stat -fc %T /sys/fs/cgroup 2>/dev/null) in
	cgroup2fs) fact cgroup v2 ;;
	*) fact cgroup v1 ;;
	esac
	while read -r key value; do
		case $key in
		CapBnd:) fact capabilities "$value" ;;
		esac
	done </proc/self/status
	if [ -d /sys/kernel/security/apparmor ] && [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
		fact apparmor enabled
	fi
	[ -r /sys/fs/selinux/enforce ] && fact selinux "$(cat /sys/fs/selinux/enforce)"
	for tool in tar gzip sha256sum mount losetup iptables ip modprobe systemd-run base64 flock awk find; do
		command -v "$tool" >/dev/null 2>&1 || fact missing-tool "$tool"
	done
}

network() {
	ip -o addr show 2>/dev/null | while read -r _ link _ address _; do
		fact address "$link" "$address"
	done
	ip -o link show 2>/dev/null | while IFS=' :@' read -r _ link _; do
		fact link "$link"
	done
	while read -r key value _; do
		[ "$key" = nameserver ] && fact nameserver "$value"
	done </etc/resolv.conf
	systemctl is-active --quiet systemd-resolved 2>/dev/null && fact resolved active
	systemctl is-active --quiet firewalld 2>/dev/null && fact firewalld active
	ss -Hltnp 2>/dev/null | while read -r _ _ _ local _ users; do
		process=${users#*\(\(\"}
		fact port "${local##*:}" "${process%%\"*}"
	done
}

kernel() {
	while read -r device type size _; do
		[ "$device" = Filename ] || fact swap "$device" "$type" "$size"
	done </proc/swaps
	if [ -r /etc/fstab ]; then
		while read -r device _ type _; do
			case $device in
			'#'*) ;;
			*) [ "${type:-}" = swap ] && fact fstab-swap "$device" ;;
			esac
		done </etc/fstab
	fi
	systemctl list-unit-files --no-legend --type=swap 2>/dev/null | while read -r unit state _; do
		fact swap-unit "$unit" "$state"
	done
	[ -e /usr/lib/systemd/system-generators/zram-generator ] && [ ! -e /etc/systemd/zram-generator.conf ] && fact zram-generator
	for module in overlay br_netfilter; do
		name=$module
		probe=/sys/module/$module
		case $module in
		overlay) grep -qw overlay /proc/filesystems && probe=/ ;;
		br_netfilter) [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] && probe=/ ;;
		esac
		if [ -e "$probe" ]; then fact module "$name" loaded; else fact module "$name" absent; fi
	done
	# Those that fairlead sets, and those that the kubelet and kube-proxy set.
	set --
	for key in net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables net/bridge/bridge-nf-call-ip6tables \
		net/ipv6/conf/all/forwarding net/ipv6/conf/default/forwarding net/ipv4/conf/all/route_localnet \
		vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
		[ ! -r "/proc/sys/$key" ] || set -- "$@" "/proc/sys/$key"
	done
	awk -v OFS="$tab" '{ name = substr(FILENAME, 11); gsub("/", ".", name); print "sysctl", name, $0 }' "$@"
	for folder in /usr/local/bin /var/lib/containerd /var/lib/etcd /var/lib/kubelet; do
		existing=$folder
		while [ ! -d "$existing" ]; do existing=${existing%/*}; existing=${existing:-/}; done
		df -Pk "$existing" 2>/dev/null | while read -r device blocks _ free _; do
			case $blocks in
			*[!0-9]*) ;;
			*) fact disk "$folder" "$device" "$blocks" "$free" ;;
			esac
		done
	done
}

# A file that has the inode, size and times with which fairlead installed it has the hash
# of then, too: the kernel sets the change time, whoever writes. All others are hashed.
# There are some fifty files, so each program runs once for all.
files() {
	for path in "$@"; do
		shift
		if [ -d "$path" ]; then
			fact tree "$path"
		elif [ -f "$path" ] && [ ! -L "$path" ]; then
			set -- "$@" "$path"
		fi
	done
	[ $# -gt 0 ] || return 0
	stat --printf 'file\t%n\t%a\t%u\t%g\t%s\n' -- "$@"
	sums=$(stat --printf '%i:%s:%.9Y:%.9Z\t%n\n' -- "$@" | awk -F "$tab" -v OFS="$tab" -v cache=/var/lib/fairlead/hashes '
		BEGIN { while ((getline line <cache) > 0) { split(line, f, FS); known[f[2] FS f[3]] = f[1] } }
		$0 in known { print "sha256", $2, known[$0]; next }
		{ print "unknown", $2 }')
	unchanged=$(printf '%s\n' "$sums" | grep '^sha256') && printf '%s\n' "$unchanged"
	printf '%s\n' "$sums" | sed -n "s/^unknown$tab//p" | tr '\n' '\0' | xargs -0r sha256sum -- |
		sed "s/^\([0-9a-f]*\)  \(.*\)/sha256$tab\2$tab\1/"
}

# Small files of ours whose text the plan shows.
contents() {
	for path in /etc/containerd/config.toml /etc/sysctl.d/99-fairlead.conf /etc/modules-load.d/fairlead.conf \
		/etc/systemd/system/containerd.service /etc/systemd/system/kubelet.service \
		/etc/systemd/system/kubelet.service.d/10-kubeadm.conf; do
		[ -f "$path" ] && fact content "$path" "$(encoded "$path")"
	done
}

units() {
	systemctl show containerd.service kubelet.service docker.service fairlead-kubeadm.service \
		-p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p FragmentPath -p MainPID -p Result -p NeedDaemonReload |
		awk -F= -v OFS="$tab" '
		function flush() {
			if ("Id" in v) print "unit", v["Id"], v["LoadState"], v["ActiveState"], v["SubState"], v["UnitFileState"], v["FragmentPath"], v["MainPID"], v["Result"], v["NeedDaemonReload"]
			split("", v)
		}
		/^$/ { flush(); next }
		{ key = $1; sub(/^[^=]*=/, ""); v[key] = $0 }
		END { flush() }'
}

software() {
	for program in kubeadm kubelet containerd runc; do
		path=$(command -v "$program") || continue
		# What nobody has touched is of the version that was installed.
		case $unchanged in
		*"$tab$path$tab"*) continue ;;
		esac
		case $program in
		kubeadm) version=$(kubeadm version -o short 2>/dev/null) ;;
		kubelet) version=$(kubelet --version 2>/dev/null) && version=${version##* } ;;
		containerd) version=$(containerd --version 2>/dev/null | cut -d' ' -f3) ;;
		runc) version=$(runc --version 2>/dev/null | sed -n '1s/^runc version //p') ;;
		esac
		fact version "$program" "$path" "${version#v}"
	done
	systemctl is-active --quiet containerd || return 0
	command -v ctr >/dev/null 2>&1 || return 0
	containerd config dump 2>/dev/null | awk -F= -v OFS="$tab" '
		/^ *(sandbox|SystemdCgroup|config_path|restrict_oom_score_adj|disable_apparmor) *=/ {
			gsub(/[ \047"]/, "")
			print "containerd-setting", $1, $2
		}'
	ctr -n k8s.io images check 2>/dev/null | while read -r name _ digest status rest; do
		case $name in
		REF | sha256:*) ;;
		*@sha256:*) ;;
		*) fact image "$name" "$digest" "$status" "${rest##* }" ;;
		esac
	done
	ctr -n k8s.io content ls -q 2>/dev/null | while read -r blob; do
		fact blob "$blob"
	done
}

cluster() {
	for path in /etc/kubernetes/manifests/*.yaml; do
		[ -f "$path" ] && fact manifest "${path##*/}"
	done
	for path in admin.conf kubelet.conf bootstrap-kubelet.conf; do
		[ -f "/etc/kubernetes/$path" ] && fact kubeconfig "$path"
	done
	[ -f /var/lib/kubelet/config.yaml ] && fact kubelet-config present
	set --
	for path in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /var/lib/kubelet/pki/kubelet-client-current.pem; do
		[ ! -f "$path" ] || set -- "$@" "$path"
	done
	# Certificates only: the file of the kubelet holds its key as well. "|" stands for a new line.
	[ $# = 0 ] || awk '
		FNR == 1 { if (NR > 1) printf "\n"; printf "certificate\t%s\t", FILENAME }
		/BEGIN CERTIFICATE/ { inside = 1 }
		inside { printf "%s|", $0 }
		/END CERTIFICATE/ { inside = 0 }
		END { printf "\n" }' "$@"
	for path in /var/lib/etcd /var/lib/kubelet /etc/kubernetes; do
		[ -d "$path" ] && [ -n "$(ls -A "$path" 2>/dev/null)" ] && fact not-empty "$path"
	done
	[ -f /var/lib/fairlead/ledger ] && while IFS= read -r line; do
		fact ledger "$line"
	done </var/lib/fairlead/ledger
	return 0
}

# What reset must leave none of.
remains() {
	find /proc -maxdepth 2 -name exe -printf '%h\t%l\n' 2>/dev/null | while IFS="$tab" read -r process program; do
		program=${program% (deleted)}
		case ${program##*/} in
		kubelet | containerd | containerd-shim-runc-v2 | kube-apiserver | kube-controller-manager | kube-scheduler | kube-proxy | etcd | coredns | flanneld | pause | kubeadm)
			fact process "${program##*/}" "${process#/proc/}"
			;;
		esac
	done
	while read -r _ _ _ _ mountpoint _; do
		case $mountpoint in
		/var/lib/kubelet/* | /run/containerd/* | /var/lib/containerd/* | /run/netns | /run/netns/* | /run/k8s.io/*) fact mount "$mountpoint" ;;
		esac
	done </proc/self/mountinfo
	for save in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save; do
		command -v "$save" >/dev/null 2>&1 || continue
		case $save in
		iptables-legacy-save) [ -e /proc/net/ip_tables_names ] || continue ;;
		ip6tables-legacy-save) [ -e /proc/net/ip6_tables_names ] || continue ;;
		esac
		count=$("$save" 2>/dev/null | grep -cE '(KUBE|CNI|FLANNEL)-|flanneld')
		[ "${count:-0}" -gt 0 ] && fact netfilter "$save" "$count"
	done
	if command -v nft >/dev/null 2>&1; then
		nft list tables 2>/dev/null | while read -r _ family table; do
			case $table in
			kube-proxy | flannel-ipv4 | flannel-ipv6) fact netfilter "nft table $family $table" 1 ;;
			esac
		done
	fi
	return 0
}

machine
network
kernel
files "$@"
contents
units
software
cluster
remains
fact end
