# Reads all facts of a host in one go and changes nothing. Arguments: "remains" to look as
# well for what reset must leave none of, "packages" to ask as well what the package manager
# could install, or "-"; then the paths of the files to examine.
# Prints one fact a line: its name, then tab-separated fields. The last line is "end"; an
# answer without it is incomplete.
#
# It runs on every host at the start and at the end of every run, so it starts few
# processes: what one of them can read for all is not read by one each.
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

machine() {
	fact uid "$(id -u)"
	fact clock "$(date +%s%N)"
	(
		ID='' VERSION_ID='' ID_LIKE='' PRETTY_NAME='' VERSION_CODENAME='' UBUNTU_CODENAME='' DEBIAN_CODENAME=''
		[ -r /etc/os-release ] && . /etc/os-release
		fact os "$ID" "$VERSION_ID" "$ID_LIKE" "$PRETTY_NAME" "${UBUNTU_CODENAME:-${DEBIAN_CODENAME:-$VERSION_CODENAME}}"
	)
	# shellcheck disable=SC2046 # three words
	set -- $(uname -nrm)
	fact hostname "$1"
	fact arch "$3"
	fact cpus "$(nproc)"
	set -- /proc/meminfo /proc/self/status
	for path in /etc/machine-id /sys/class/dmi/id/product_uuid /proc/sys/kernel/random/boot_id; do
		[ ! -r "$path" ] || set -- "$@" "$path"
	done
	awk -v OFS="$tab" '
		$1 == "MemTotal:" { print "memory", $2 }
		$1 == "CapBnd:" { print "capabilities", $2 }
		FILENAME ~ /machine-id$/ { print "machine-id", $0 }
		FILENAME ~ /product_uuid$/ { print "product-uuid", $0 }
		FILENAME ~ /boot_id$/ { print "boot-id", $0 }' "$@"
	if [ -d /run/systemd/system ]; then
		version=$(systemctl show --property Version --value)
		fact systemd "${version%%[!0-9]*}"
	fi
	fact container "$(systemd-detect-virt --container 2>/dev/null || :)"
	case $(stat -fc %T /sys/fs/cgroup 2>/dev/null) in
	cgroup2fs) fact cgroup v2 ;;
	*) fact cgroup v1 ;;
	esac
	if [ -d /sys/kernel/security/apparmor ] && [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
		fact apparmor enabled
	fi
	[ -r /sys/fs/selinux/enforce ] && fact selinux "$(cat /sys/fs/selinux/enforce)"
	for tool in tar gzip sha256sum mount losetup iptables ip modprobe systemd-run flock awk find; do
		command -v "$tool" >/dev/null 2>&1 || fact missing-tool "$tool"
	done
}

network() {
	ip -o addr show 2>/dev/null | while read -r _ link _ address _; do
		fact address "$link" "$address"
	done
	while read -r key value _; do
		[ "$key" = nameserver ] && fact nameserver "$value"
	done </etc/resolv.conf
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
	[ -e /usr/lib/systemd/system-generators/zram-generator ] && [ ! -e /etc/systemd/zram-generator.conf ] && fact zram-generator
	if [ -e /sys/module/overlay ] || grep -qw overlay /proc/filesystems; then
		fact module overlay loaded
	else
		fact module overlay absent
	fi
	if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
		fact module br_netfilter loaded
	else
		fact module br_netfilter absent
	fi
	# Those that fairlead sets, and those that the kubelet and kube-proxy set.
	set --
	for key in net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables net/bridge/bridge-nf-call-ip6tables \
		net/ipv6/conf/all/forwarding net/ipv6/conf/default/forwarding net/ipv4/conf/all/route_localnet \
		vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
		[ ! -r "/proc/sys/$key" ] || set -- "$@" "/proc/sys/$key"
	done
	awk -v OFS="$tab" '{ name = substr(FILENAME, 11); gsub("/", ".", name); print "sysctl", name, $0 }' "$@"
	set --
	folders='/usr/local/bin /var/lib/containerd /var/lib/etcd /var/lib/kubelet'
	for folder in $folders; do
		while [ ! -d "$folder" ]; do
			folder=${folder%/*}
			folder=${folder:-/}
		done
		set -- "$@" "$folder"
	done
	df -Pk "$@" 2>/dev/null | awk -v OFS="$tab" -v folders="$folders" '
		BEGIN { split(folders, folder, " ") }
		NR > 1 && $2 ~ /^[0-9]+$/ { print "disk", folder[NR - 1], $1, $2, $4 }'
}

# A file that has the inode, size and times with which fairlead installed it has the hash
# of then, too: the kernel sets the change time, whoever writes. All others are hashed.
# There are some fifty files, so each program runs once for all.
files() {
	for path in "$@"; do
		shift
		if [ -d "$path" ]; then
			fact tree "$path"
		elif [ -S "$path" ]; then
			fact socket "$path"
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

# Small files whose text the plan shows or compares. Octal 37 stands for a new line, 36 for a tab.
contents() {
	set --
	for path in /etc/containerd/config.toml /etc/sysctl.d/99-fairlead.conf /etc/modules-load.d/fairlead.conf \
		/etc/systemd/system/containerd.service /etc/systemd/system/kubelet.service \
		/etc/systemd/system/kubelet.service.d/10-kubeadm.conf /etc/containerd/certs.d/*/hosts.toml \
		/etc/kubernetes/manifests/*.yaml /var/lib/kubelet/config.yaml \
		/etc/fairlead/registry/*.yaml /etc/systemd/system/fairlead-registry*.service \
		/etc/docker/daemon.json /etc/fairlead/proxy.env /etc/systemd/system/*.service.d/50-fairlead-proxy.conf \
		/etc/apt/sources.list.d/kubernetes.list /etc/apt/sources.list.d/docker.list \
		/etc/yum.repos.d/kubernetes.repo /etc/yum.repos.d/docker-ce.repo; do
		[ ! -f "$path" ] || set -- "$@" "$path"
	done
	[ $# = 0 ] || awk '
		FNR == 1 { if (NR > 1) printf "\n"; printf "content\t%s\t", FILENAME }
		{ gsub(/\t/, "\036"); printf "%s\037", $0 }
		END { if (NR > 0) printf "\n" }' "$@"
}

units() {
	systemctl show containerd.service kubelet.service docker.service fairlead-kubeadm.service \
		fairlead-registry.service fairlead-registry-writer.service systemd-resolved.service firewalld.service '*.swap' \
		-p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p FragmentPath -p MainPID -p Result -p NeedDaemonReload |
		awk -F= -v OFS="$tab" '
		function flush() {
			if (v["Id"] ~ /\.swap$/) {
				if (v["UnitFileState"] != "") print "swap-unit", v["Id"], v["UnitFileState"]
			} else if ("Id" in v)
				print "unit", v["Id"], v["LoadState"], v["ActiveState"], v["SubState"], v["UnitFileState"], v["FragmentPath"], v["MainPID"], v["Result"], v["NeedDaemonReload"]
			split("", v)
		}
		/^$/ { flush(); next }
		{ key = $1; sub(/^[^=]*=/, ""); v[key] = $0 }
		END { flush() }'
}

# Packages of Kubernetes and of container runtimes: NAME, VERSION, and whether it is held there.
packages() {
	set -- kubelet kubeadm kubectl cri-tools kubernetes-cni containerd containerd.io docker.io docker-ce moby-engine docker
	if [ -s /var/lib/dpkg/status ]; then
		there=$(dpkg-query --show --showformat '${db:Status-Abbrev}\t${Package}\t${Version}\n' "$@" 2>/dev/null |
			awk -F "$tab" -v OFS="$tab" '$1 ~ /^.i/ { print "package", $2, $3, ($1 ~ /^h/ ? "held" : "-") }')
		[ -z "$there" ] || printf '%s\n' "$there"
		# What could be installed matters only where there is none. Without the caches, which
		# apt would write, this takes seconds.
		case $look:$there in
		packages:*"package${tab}containerd"*) ;;
		packages:*) apt-cache --option Dir::Cache::pkgcache= --option Dir::Cache::srcpkgcache= policy containerd docker.io 2>/dev/null |
			awk -v OFS="$tab" '/^[^ ]/ { name = $1; sub(/:$/, "", name) } $1 == "Candidate:" && $2 != "(none)" { print "candidate", name, $2 }' ;;
		esac
	elif command -v rpm >/dev/null 2>&1; then
		# Lines of dnf 4 are NAME-EPOCH:VERSION-RELEASE.ARCH, those of dnf 5 name = "NAME".
		locked=$(sed -n 's/^\([^#!].*\)-[0-9]*:[^:]*$/\1/p' /etc/dnf/plugins/versionlock.list 2>/dev/null
			sed -n 's/^ *name *= *"\(.*\)"/\1/p' /etc/dnf/versionlock.toml 2>/dev/null)
		rpm --query --queryformat '%{NAME}\t%{VERSION}\n' "$@" 2>/dev/null | awk -F "$tab" -v OFS="$tab" -v locked="$locked" '
			BEGIN { n = split(locked, names, "\n"); for (i = 1; i <= n; i++) held[names[i]] }
			NF == 2 { print "package", $1, $2, ($1 in held ? "held" : "-") }'
	fi
}

# The proxies that services get of systemd.
environment() {
	systemctl show-environment 2>/dev/null | awk -F= -v OFS="$tab" '
		tolower($1) ~ /^(http|https|no)_proxy$/ { name = $1; sub(/^[^=]*=/, ""); print "environment", name, $0 }'
}

software() {
	for program in kubeadm kubelet containerd runc; do
		path=$(command -v "$program") || continue
		# What nobody has touched is of the version that was installed.
		case $unchanged in
		*"$tab$path$tab"*)
			fact version "$program" "$path" "" # which the bundle tells, if it is still that one
			continue
			;;
		esac
		case $program in
		kubeadm) version=$(kubeadm version -o short 2>/dev/null) ;;
		kubelet) version=$(kubelet --version 2>/dev/null) && version=${version##* } ;;
		containerd) version=$(containerd --version 2>/dev/null | cut -d' ' -f3) ;;
		runc) version=$(runc --version 2>/dev/null | sed -n '1s/^runc version //p') ;;
		esac
		fact version "$program" "$path" "${version#v}"
	done
	case $units in
	*"unit${tab}containerd.service${tab}loaded${tab}active"*) ;;
	*) return 0 ;;
	esac
	command -v ctr >/dev/null 2>&1 || return 0
	ctr -n k8s.io images check 2>/dev/null | while read -r name _ digest status rest; do
		case $name in
		REF | sha256:*) ;;
		*@sha256:*) ;;
		*) fact image "$name" "$digest" "$status" "${rest##* }" ;;
		esac
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
	for path in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist /etc/cni/net.d/*.json; do
		[ -f "$path" ] && fact network-configuration "${path##*/}"
	done
	set --
	for path in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /var/lib/kubelet/pki/kubelet-client-current.pem \
		/etc/fairlead/registry/*.crt; do
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
		set -- "$path"/* "$path"/.[!.]*
		for entry in "$@"; do
			[ -e "$entry" ] || continue
			fact not-empty "$path"
			break
		done
	done
	[ ! -f /var/lib/fairlead/packages.before ] || fact install-cut yes
	[ ! -f /var/lib/fairlead/ledger ] || sed "s/^/ledger$tab/" /var/lib/fairlead/ledger
	return 0
}

# The images in fairlead's own registry: the links from tags to digests in its storage
# (distribution, registry/storage/paths.go).
registry() {
	repositories=/var/lib/fairlead-registry/docker/registry/v2/repositories
	[ -d "$repositories" ] || return 0
	# shellcheck disable=SC2016 # the variables are awk's
	find "$repositories" -path '*/_manifests/tags/*/current/link' -print0 2>/dev/null |
		xargs -0r awk -v OFS="$tab" -v root="$repositories/" '
			{
				name = substr(FILENAME, length(root) + 1)
				sub(/\/current\/link$/, "", name)
				tag = name
				sub(/.*\/_manifests\/tags\//, "", tag)
				sub(/\/_manifests\/tags\/.*/, "", name)
				print "registry-image", name, tag, $0
			}'
}

# What reset must leave none of.
remains() {
	ip -o link show 2>/dev/null | while IFS=' :@' read -r _ link _; do
		fact link "$link"
	done
	find /proc -maxdepth 2 -name exe -printf '%h\t%l\n' 2>/dev/null | while IFS="$tab" read -r process program; do
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

look=$1
shift
machine
network
kernel
files "$@" /etc/containerd/certs.d/*/*
contents
units=$(units)
printf '%s\n' "$units"
packages
environment
software
cluster
registry
[ "$look" != remains ] || remains
fact end
