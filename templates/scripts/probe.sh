# Reads all facts of a host in one go and changes nothing. What varies is asked for by its
# arguments, KIND:NAME each; it has no lists of its own:
#   path         a file, a folder or a socket       path-like    the files that a pattern fits
#   text         small files whose text is wanted (a pattern)
#   certificate  files with certificates (a pattern)
#   unit         a systemd unit (or a pattern)      sysctl       a kernel parameter, with slashes
#   module       a kernel module                    package      a package that may be installed
#   candidate    a package that could be            program      one that is asked for its version
#   tool         a program that has to be there     disk         a folder whose file system is measured
#   folder       one that should be empty           kubeconfig   a file in /etc/kubernetes
#   remains      (no name) what reset must leave none of
# Prints one fact a line: its name, then tab-separated fields. The last line is "end"; an
# answer without it is incomplete.
#
# It runs on every host at the start and at the end of every run, so it starts few
# processes: what one of them can read for all is not read by one each.
# shellcheck disable=SC2154 # variables and functions of the text that comes before it
set -u
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

tab=$(printf '\t')
cr=$(printf '\r')
newline='
'
unchanged=

# os-release is read and not run: it is a list of assignments, with or without quotes.
os() {
	[ -r /etc/os-release ] && set -- /etc/os-release || set -- /dev/null
	awk -v OFS="$tab" "$cleaner"'
		/^[A-Z_]+=/ {
			name = value = $0
			sub(/=.*/, "", name)
			sub(/^[^=]*=/, "", value)
			if (match(value, /^"([^"\\]|\\.)*"/) || match(value, /^\047[^\047]*\047/)) value = substr(value, 2, RLENGTH - 2)
			else sub(/[ \t\r;#].*/, "", value)
			gsub(/\\/, "", value)
			v[name] = value
		}
		END {
			codename = v["UBUNTU_CODENAME"]
			if (codename == "") codename = v["DEBIAN_CODENAME"]
			if (codename == "") codename = v["VERSION_CODENAME"]
			print "os", clean(v["ID"]), clean(v["VERSION_ID"]), clean(v["ID_LIKE"]), clean(v["PRETTY_NAME"]), clean(codename)
		}' "$1"
}

machine() {
	fact uid "$(id -u)"
	fact clock "$(date +%s%N)"
	os
	names=$(uname -nm) # of which only the first may be any text
	fact hostname "${names% *}"
	fact arch "${names##* }"
	fact cpus "$(nproc)"
	set -- /proc/meminfo /proc/self/status
	for path in /etc/machine-id /sys/class/dmi/id/product_uuid /proc/sys/kernel/random/boot_id; do
		[ ! -r "$path" ] || set -- "$@" "$path"
	done
	awk -v OFS="$tab" "$cleaner"'
		{ sub(/\r$/, "") }
		FILENAME ~ /meminfo$/ && $1 == "MemTotal:" { print "memory", clean($2) }
		FILENAME ~ /status$/ && $1 == "CapBnd:" { print "capabilities", clean($2) }
		FNR > 1 { next }
		FILENAME ~ /machine-id$/ { print "machine-id", clean($0) }
		FILENAME ~ /product_uuid$/ { print "product-uuid", clean($0) }
		FILENAME ~ /boot_id$/ { print "boot-id", clean($0) }' "$@"
	[ ! -d /run/systemd/system ] || fact systemd "$(systemctl show --property Version --value)"
	fact container "$(systemd-detect-virt --container 2>/dev/null || :)"
	case $(stat -fc %T /sys/fs/cgroup 2>/dev/null) in
	cgroup2fs) fact cgroup v2 ;;
	*) fact cgroup v1 ;;
	esac
	if [ -d /sys/kernel/security/apparmor ] && [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
		fact apparmor enabled
	fi
	[ -r /sys/fs/selinux/enforce ] && fact selinux "$(cat /sys/fs/selinux/enforce)"
	return 0
}

# Each of the following looks at its own kinds of the arguments.

tools() {
	for asked in "$@"; do
		case $asked in tool:*) command -v "${asked#tool:}" >/dev/null 2>&1 || fact missing-tool "${asked#tool:}" ;; esac
	done
}

network() {
	ip -o addr show 2>/dev/null | while read -r _ link family address _; do
		case $family in inet | inet6) fact address "$link" "$address" ;; esac
	done
	if [ -r /etc/resolv.conf ]; then
		# As the resolver reads it: what stands behind a # or ; is a comment, and the last line may have no end.
		while read -r key value _ || [ -n "$key" ]; do
			value=${value%%[#\;]*}
			[ "$key" = nameserver ] && fact nameserver "${value%"$cr"}"
		done </etc/resolv.conf
	fi
	ss -Hltnp 2>/dev/null | while read -r state _ _ local _ users; do
		[ "$state" = LISTEN ] || continue # the rest of a process's name
		process=${users#*\(\(\"}
		fact port "${local##*:}" "${process%%\"*}"
	done
}

# How many sessions sshd allows on one connection, for the user who has logged in. Other servers do not say.
sshd_limits() {
	command -v sshd >/dev/null 2>&1 || return 0
	sshd -T -C "user=${SUDO_USER:-root},host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22" 2>/dev/null | while read -r key value; do
		[ "$key" != maxsessions ] || fact ssh-sessions "$value"
	done
}

kernel() {
	while read -r device type size _; do
		[ "$device" = Filename ] || fact swap "$device" "$type" "$size"
	done </proc/swaps
	if [ -r /etc/fstab ]; then
		while read -r device _ type _ || [ -n "$device" ]; do # the last line may have no end
			case $device in
			'#'*) ;;
			*) [ "${type:-}" = swap ] && fact fstab-swap "$device" ;;
			esac
		done </etc/fstab
	fi
	if [ -e /usr/lib/systemd/system-generators/zram-generator ]; then
		[ -e /etc/systemd/zram-generator.conf ] || fact zram-generator
		zram_swap
	fi
}

# The swap units that zram-generator is configured to make and that are not masked: systemd knows only those that it made at
# the last boot. Devices with a file system are no swap.
zram_swap() {
	set --
	for path in /etc/systemd/zram-generator.conf /run/systemd/zram-generator.conf /usr/local/lib/systemd/zram-generator.conf /usr/lib/systemd/zram-generator.conf; do
		[ -e "$path" ] && set -- "$path" && break
	done
	for path in /etc/systemd/zram-generator.conf.d/*.conf /run/systemd/zram-generator.conf.d/*.conf /usr/local/lib/systemd/zram-generator.conf.d/*.conf \
		/usr/lib/systemd/zram-generator.conf.d/*.conf; do
		[ ! -f "$path" ] || set -- "$@" "$path"
	done
	[ $# = 0 ] || awk '
		/^[ \t]*\[zram[0-9]+\]/ { device = $1; gsub(/[^zram0-9]/, "", device); if (!(device in swap)) { swap[device] = 1; order[++n] = device } }
		/^[ \t]*(mount-point|fs-type)[ \t]*=/ { swap[device] = 0 }
		END { for (i = 1; i <= n; i++) if (swap[order[i]]) print order[i] }' "$@" | while read -r device; do
		[ "$(readlink "/etc/systemd/system/dev-$device.swap")" = /dev/null ] || fact swap-unit "dev-$device.swap" generated
	done
}

# A module that is part of the kernel itself has no folder, but what it brings.
is_loaded() {
	case $1 in
	br_netfilter) [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] ;;
	*) [ -e "/sys/module/$1" ] || grep -qw "$1" /proc/filesystems ;;
	esac
}

modules() {
	for asked in "$@"; do
		case $asked in module:*) ;; *) continue ;; esac
		if is_loaded "${asked#module:}"; then fact module "${asked#module:}" loaded; else fact module "${asked#module:}" absent; fi
	done
}

sysctls() {
	for asked in "$@"; do
		shift
		case $asked in sysctl:*) ;; *) continue ;; esac
		if [ -r "/proc/sys/${asked#sysctl:}" ]; then
			set -- "$@" "/proc/sys/${asked#sysctl:}"
		elif [ ! -e "/proc/sys/${asked#sysctl:}" ]; then
			fact absent sysctl "${asked#sysctl:}"
		fi
	done
	[ $# = 0 ] || awk -v OFS="$tab" "$cleaner"'{ name = substr(FILENAME, 11); gsub("/", ".", name); gsub(/\t/, " "); print "sysctl", name, clean($0) }' "$@"
}

# The lines that set kernel parameters at boot, in the order in which systemd-sysctl goes through them: by the names of the
# files, of which one hides those of its name in later folders; then ufw's, where that is switched on.
boot_sysctls() {
	keys='' names=/
	for asked in "$@"; do
		shift
		case $asked in sysctl:*) keys="$keys ${asked#sysctl:}" ;; esac
	done
	[ -n "$keys" ] || return 0
	for path in /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf /lib/sysctl.d/*.conf; do
		name=${path##*/}
		case $names in */"$name"/*) continue ;; esac
		[ ! -e "$path" ] || names=$names$name/
		[ ! -f "$path" ] || set -- "$@" "$path"
	done
	[ -f /etc/ufw/sysctl.conf ] && grep -qi '^ENABLED=.*yes' /etc/ufw/ufw.conf 2>/dev/null && set -- "$@" /etc/ufw/sysctl.conf
	[ $# = 0 ] || awk -v OFS="$tab" -v keys="$keys" -v last=/etc/ufw/sysctl.conf '
		BEGIN { n = split(keys, asked, " ") }
		FNR == 1 { base[++files] = FILENAME; if (FILENAME == last) base[files] = "\377"; else sub(/.*\//, "", base[files]) }
		/^[ \t]*[#;]/ || !/=/ { next }
		{
			key = value = $0
			sub(/=.*/, "", key)
			sub(/[^=]*=/, "", value)
			gsub(/^[ \t]*-?[ \t]*|[ \t]+$/, "", key)
			gsub(/^[ \t]+|[ \t\r]+$/, "", value)
			gsub(/[[:cntrl:]]/, " ", value)
			if (key ~ /^[^\/]*\./) gsub(/\./, "/", key)
			if (key == "net/ipv4/conf/all/forwarding") key = "net/ipv4/ip_forward" # the kernel has it twice
			gsub(/\*/, "[^/]*", key)
			for (i = 1; i <= n; i++) {
				if (asked[i] !~ ("^" key "$")) continue
				name = asked[i]
				gsub("/", ".", name)
				lines[files, ++count[files]] = FILENAME OFS FNR OFS name OFS value
			}
		}
		END {
			for (i = 1; i <= files; i++) {
				for (j = i; j > 1 && base[order[j - 1]] > base[i]; j--) order[j] = order[j - 1]
				order[j] = i
			}
			for (i = 1; i <= files; i++) for (j = 1; j <= count[order[i]]; j++) print "sysctl-line", lines[order[i], j]
		}' "$@"
}

# Of a folder that is not there yet, the one above it is measured.
disks() {
	folders=
	for asked in "$@"; do
		shift
		case $asked in disk:*) ;; *) continue ;; esac
		folder=${asked#disk:}
		folders="$folders $folder"
		while [ ! -d "$folder" ]; do
			folder=${folder%/*}
			folder=${folder:-/}
		done
		set -- "$@" "$folder"
	done
	# A line each, in their order. Names of devices may have blanks in them; some file systems have no size.
	[ $# = 0 ] || df -Pk "$@" 2>/dev/null | awk -v OFS="$tab" -v folders="$folders" "$cleaner"'
		BEGIN { asked = split(folders, folder, " ") }
		NR > 1 && match($0, / +[0-9]+ +[0-9]+ +-?[0-9]+ +[0-9-]+%? +\//) {
			split(substr($0, RSTART), size, " ")
			found[NR - 1] = folder[NR - 1] OFS clean(substr($0, 1, RSTART - 1)) OFS size[1] OFS size[3]
		}
		END {
			if (NR - 1 != asked) print "disk", folders, "", "", ""
			else for (n = 1; n <= asked; n++) if (n in found) print "disk", found[n]
		}'
}

# A file that has the inode, size and times with which fairlead installed it has the hash
# of then, too: the kernel sets the change time, whoever writes. All others are hashed.
# There are some fifty files, so each program runs once for all.
files() {
	for asked in "$@"; do
		shift
		case $asked in
		path:*)
			path=${asked#path:}
			if [ -d "$path" ]; then
				fact tree "$path"
			elif [ -S "$path" ]; then
				fact socket "$path"
			elif [ -L "$path" ]; then
				fact symlink "$path"
			elif [ -f "$path" ] && is_odd "$path"; then
				fact file "$path" # which is all that can be said of it
			elif [ -f "$path" ]; then
				set -- "$@" "$path"
			fi
			;;
		path-like:*)
			for path in ${asked#path-like:}; do
				[ ! -f "$path" ] || [ -L "$path" ] || is_odd "$path" || set -- "$@" "$path"
			done
			;;
		esac
	done
	[ $# -gt 0 ] || return 0
	stat --printf 'file\t%n\t%a\t%u\t%g\t%s\n' -- "$@"
	sums=$(stat --printf '%i:%s:%.9Y:%.9Z\t%n\n' -- "$@" | awk -F "$tab" -v OFS="$tab" -v cache=/var/lib/fairlead/hashes '
		BEGIN { while ((getline line <cache) > 0) { split(line, f, FS); known[f[2] FS f[3]] = f[1] } }
		$0 in known { print "sha256", $2, known[$0]; next }
		{ split($1, f, ":"); print (f[2] > 16777216 ? "large" : "unknown"), $2 }')
	unchanged=$(printf '%s\n' "$sums" | grep '^sha256') && printf '%s\n' "$unchanged"
	printf '%s\n' "$sums" | sed -n "s/^unknown$tab//p" | hashes
	printf '%s\n' "$sums" | sed -n "s/^large$tab//p" | while IFS= read -r path; do
		printf '%s\n' "$path" | hashes
	done
}

# The hashes of the files that are named on standard input. What prints when all are read keeps the host silent until then, so
# large ones come one by one: who waits gives up a host that is silent for long.
hashes() {
	tr '\n' '\0' | xargs -0r sha256sum -- | sed "s/^\([0-9a-f]*\)  \(.*\)/sha256$tab\2$tab\1/"
}

# Small files whose text the plan shows or compares. Octal 37 stands for a new line, 36 for a tab.
contents() {
	for asked in "$@"; do
		shift
		case $asked in text:*) ;; *) continue ;; esac
		for path in ${asked#text:}; do
			[ ! -f "$path" ] || is_odd "$path" || set -- "$@" "$path"
		done
	done
	[ $# = 0 ] || awk '
		FNR == 1 { if (NR > 1) printf "\n"; printf "content\t%s\t", FILENAME }
		{ gsub(/\t/, "\036"); printf "%s\037", $0 }
		END { if (NR > 0) printf "\n" }' "$@"
}

# Of swap units, those that are made from lines of fstab are not among those that turn swap on by themselves.
units() {
	for asked in "$@"; do
		shift
		case $asked in unit:*) set -- "$@" "${asked#unit:}" ;; esac
	done
	[ $# = 0 ] || systemctl show "$@" \
		-p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p FragmentPath -p SourcePath -p MainPID -p Result -p NeedDaemonReload |
		awk -F= -v OFS="$tab" "$cleaner"'
		function flush() {
			if (v["Id"] == "") return # between two blank lines
			if (v["Id"] ~ /\.swap$/ && v["UnitFileState"] != "" && v["SourcePath"] != "/etc/fstab")
				print "swap-unit", v["Id"], v["UnitFileState"]
			print "unit", v["Id"], v["LoadState"], v["ActiveState"], v["SubState"], v["UnitFileState"], v["FragmentPath"], v["MainPID"], v["Result"], v["NeedDaemonReload"]
			split("", v)
		}
		/^$/ { flush(); next }
		{ key = $1; sub(/^[^=]*=/, ""); v[key] = clean($0) }
		END { flush() }'
}

# Packages that are installed: NAME, VERSION, and whether it is held there.
packages() {
	candidates=
	for asked in "$@"; do
		shift
		case $asked in
		package:*) set -- "$@" "${asked#package:}" ;;
		candidate:*) candidates="$candidates ${asked#candidate:}" ;;
		esac
	done
	[ $# -gt 0 ] || return 0
	if [ -s /var/lib/dpkg/status ]; then
		there=$(dpkg-query --show --showformat '${db:Status-Abbrev}\t${Package}\t${Version}\n' "$@" 2>/dev/null |
			awk -F "$tab" -v OFS="$tab" '$1 ~ /^.i/ { print "package", $2, $3, ($1 ~ /^h/ ? "held" : "-") }')
		[ -z "$there" ] || printf '%s\n' "$there"
		# What could be installed matters only where there is none. Without the caches, which
		# apt would write, this takes seconds.
		case $there in *"package${tab}containerd"*) candidates= ;; esac
		# shellcheck disable=SC2086 # words
		[ -z "$candidates" ] || apt-cache --option Dir::Cache::pkgcache= --option Dir::Cache::srcpkgcache= policy $candidates 2>/dev/null |
			awk -v OFS="$tab" '/^[^ ]/ { name = $1; sub(/:$/, "", name) } $1 == "Candidate:" && $2 != "(none)" { print "candidate", name, $2 }'
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
	systemctl show-environment 2>/dev/null | awk -F= -v OFS="$tab" "$cleaner"'
		tolower($1) ~ /^(http|https|no)_proxy$/ { name = $1; sub(/^[^=]*=/, ""); print "environment", name, clean($0) }'
}

software() {
	for asked in "$@"; do
		case $asked in program:*) program=${asked#program:} ;; *) continue ;; esac
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

# The kubelet has credentials of its own. It writes its kubeconfig before it asks for its certificate, and names the file where
# that will be: only where that file is missing, or nothing stands in the file's place, is it known to wait. Kubeconfigs of other
# forms (kubeadm's with the certificate in it, those of others with a token or a program) say nothing of that.
kubelet_credentials() {
	[ -f /etc/kubernetes/kubelet.conf ] || return 1
	! grep -q '^ *client-certificate-data: *$' /etc/kubernetes/kubelet.conf || return 1
	certificate=$(sed -n "s/^ *client-certificate: *[\"']*\([^\"']*\).*/\1/p" /etc/kubernetes/kubelet.conf)
	case $certificate in
	"") return 0 ;;
	/*) ;;
	*) certificate=/etc/kubernetes/$certificate ;; # as client-go takes it
	esac
	[ -s "$certificate" ]
}

cluster() {
	for path in /etc/kubernetes/manifests/*.yaml; do
		[ -f "$path" ] && fact manifest "${path##*/}"
	done
	for asked in "$@"; do
		case $asked in kubeconfig:*) [ -f "/etc/kubernetes/${asked#kubeconfig:}" ] && fact kubeconfig "${asked#kubeconfig:}" ;; esac
	done
	[ -f /var/lib/kubelet/config.yaml ] && fact kubelet-config present
	kubelet_credentials && fact kubelet-credentials present
	for path in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist /etc/cni/net.d/*.json; do
		[ -f "$path" ] && fact network-configuration "${path##*/}"
	done
	[ ! -f /var/lib/fairlead/packages.pending ] || fact install-cut yes
	ledger
	return 0
}

# The host's ledger as it is, whole or not, a line each: who reads the facts finds out. What would not be a line, and is in no
# whole ledger, is shown as a question mark; an empty ledger as an empty line.
ledger() {
	if [ -f /var/lib/fairlead/ledger ]; then
		tr '\000\t\r' '???' </var/lib/fairlead/ledger | awk -v OFS="$tab" '{ print "ledger", $0 } END { if (NR == 0) print "ledger", "" }'
	elif [ ! -e /var/lib/fairlead/undone ] && [ -n "$(ls -A /var/lib/fairlead/saved 2>/dev/null)" ]; then
		fact ledger-gone yes
	fi
}

# Certificates only: a file may hold its key as well, and may have been cut before that. "|" stands for a new line. Of a file
# that is empty, as a cut of power leaves some, there is a line as of any other.
certificates() {
	for asked in "$@"; do
		shift
		case $asked in certificate:*) ;; *) continue ;; esac
		for path in ${asked#certificate:}; do
			if [ ! -f "$path" ] || is_odd "$path"; then
				continue
			elif [ -s "$path" ]; then
				set -- "$@" "$path"
			else
				fact certificate "$path" ""
			fi
		done
	done
	[ $# = 0 ] || awk "$cleaner"'
		FNR == 1 { if (NR > 1) printf "\n"; printf "certificate\t%s\t", FILENAME; inside = 0 }
		/-----BEGIN / { inside = $0 ~ /-----BEGIN CERTIFICATE-----/ }
		inside { sub(/\r$/, ""); printf "%s|", clean($0) }
		/-----END / { inside = 0 }
		END { printf "\n" }' "$@"
}

folders() {
	for asked in "$@"; do
		case $asked in folder:*) ;; *) continue ;; esac
		folder=${asked#folder:}
		for entry in "$folder"/* "$folder"/.[!.]*; do
			[ -e "$entry" ] || continue
			fact not-empty "$folder"
			break
		done
	done
}

# The images in fairlead's own registry: the links from tags to digests in its storage
# (distribution, registry/storage/paths.go).
registry() {
	repositories=/var/lib/fairlead-registry/docker/registry/v2/repositories
	[ -d "$repositories" ] || return 0
	# shellcheck disable=SC2016 # the variables are awk's
	find "$repositories" -path '*/_manifests/tags/*/current/link' -print0 2>/dev/null |
		xargs -0r awk -v OFS="$tab" -v root="$repositories/" "$cleaner"'
			{
				name = substr(FILENAME, length(root) + 1)
				sub(/\/current\/link$/, "", name)
				tag = name
				sub(/.*\/_manifests\/tags\//, "", tag)
				sub(/\/_manifests\/tags\/.*/, "", name)
				print "registry-image", clean(name), clean(tag), clean($0)
			}'
}

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
tools "$@"
network
sshd_limits
kernel
modules "$@"
sysctls "$@"
boot_sysctls "$@"
disks "$@"
files "$@"
contents "$@"
units=$(units "$@")
[ -z "$units" ] || printf '%s\n' "$units"
packages "$@"
environment
software "$@"
cluster "$@"
certificates "$@"
folders "$@"
registry
for asked in "$@"; do
	case $asked in remains:) remains ;; esac
done
fact end
