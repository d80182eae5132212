# What the probe says of the machine, its network, its kernel and its disks.
# shellcheck disable=SC2154 # variables and functions of the texts around it

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

# The function of awk that prints which names of a line of /etc/hosts lead back into the machine: localhost, and its own. There may be
# thousands of others, of advertisers that somebody keeps off. At the end it is told that localhost is not there.
# shellcheck disable=SC2016 # they are fields of awk
own_name='
	function loopback_names(own,   i, name) {
		sub(/#.*/, "")
		if ($1 !~ /^127\./ && $1 != "::1") return
		for (i = 2; i <= NF; i++) {
			name = tolower($i)
			if (name == "localhost" && $1 != "::1") localhost = 1
			if (name == "localhost" || name == tolower(own) || index(name, tolower(own) ".") == 1 || index(tolower(own), name ".") == 1)
				print "loopback-name", clean(name), clean($1)
		}
	}
	END { if (ARGV[ARGC - 1] ~ /hosts$/ && !localhost) print "no-localhost" }'

machine() {
	fact uid "$(id -u)"
	fact clock "$(date +%s%N)"
	os
	names=$(uname -nm) # of which only the first may be any text
	fact hostname "${names% *}"
	fact arch "${names##* }"
	fact cpus "$(nproc)"
	set -- /proc/meminfo /proc/self/status
	for path in /etc/machine-id /sys/class/dmi/id/product_uuid /proc/sys/kernel/random/boot_id /etc/hosts; do
		[ ! -r "$path" ] || set -- "$@" "$path"
	done
	awk -v OFS="$tab" -v own="${names% *}" "$cleaner$own_name"'
		{ sub(/\r$/, "") }
		FILENAME ~ /meminfo$/ && $1 == "MemTotal:" { print "memory", clean($2) }
		FILENAME ~ /status$/ && $1 == "CapBnd:" { print "capabilities", clean($2) }
		FILENAME ~ /hosts$/ { loopback_names(own); next }
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

# Which of the asked public keys let somebody log in as root, or as the user who has.
login_keys() {
	for asked in "$@"; do
		shift
		case $asked in login-key:*) set -- "$@" "${asked#login-key:}" ;; esac
	done
	if [ $# -eq 0 ] || [ ! -r /etc/passwd ]; then return 0; fi
	keys=$*
	set --
	while IFS=: read -r name _ _ _ _ home _; do
		case $name in root | "${SUDO_USER:-${DOAS_USER:-root}}") ;; *) continue ;; esac
		for path in "$home/.ssh/authorized_keys" "$home/.ssh/authorized_keys2"; do
			if [ -f "$path" ] && [ -r "$path" ] && ! is_odd "$path"; then set -- "$@" "$path"; fi
		done
	done </etc/passwd
	[ $# = 0 ] || awk -v OFS="$tab" -v keys="$keys" "$cleaner"'
		BEGIN { n = split(keys, key, " ") }
		!/^[ \t]*#/ { for (i = 1; i <= n; i++) if (index($0, key[i])) print "login-key", clean(FILENAME), key[i] }' "$@"
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
