# What the probe says of units, packages and programs, and of the cluster that the host is in.
# shellcheck disable=SC2154 # variables and functions of the texts around it

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

# What apt could install: NAME, VERSION, which is empty for what the repositories do not have. That is known where their indexes
# have dpkg itself: before apt has read any, it knows nothing of anything. Names that it does not know are patterns to it.
offered() { # LINES-OF-WHAT-IS-INSTALLED NAME...
	lines=$1 wanted=
	shift
	# It matters only where there is none. Without the caches, which apt would write, this takes seconds.
	for name in "$@"; do
		case $name in
		containerd | docker.io) case $lines in *"package${tab}containerd"*) continue ;; esac ;;
		esac
		case $lines in
		*"package$tab$name$tab"*) ;;
		*) wanted="$wanted $name" ;;
		esac
	done
	[ -n "$wanted" ] || return 0
	# shellcheck disable=SC2086 # words
	offers=$(apt-cache --option Dir::Cache::pkgcache= --option Dir::Cache::srcpkgcache= policy dpkg $wanted 2>/dev/null) || return 0
	printf '%s\n' "$offers" | awk -v OFS="$tab" -v wanted="$wanted" '
		/^[^ ]/ { name = $1; sub(/:$/, "", name) }
		$1 == "Candidate:" && $2 != "(none)" { version[name] = $2 }
		name == "dpkg" && /^ +-?[0-9]+ [a-z+-]+:/ { indexed = 1 }
		END {
			n = split(wanted, names, " ")
			for (i = 1; i <= n; i++) if (indexed || names[i] in version) print "candidate", names[i], version[names[i]]
		}'
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
		# shellcheck disable=SC2086 # words
		offered "$there" $candidates
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

# The servers that kubeconfigs name, and nothing else of them: they hold keys. One that names several, or one with a password
# in it, has no line.
servers() {
	for asked in "$@"; do
		shift
		case $asked in kubeconfig:*) [ ! -s "/etc/kubernetes/${asked#kubeconfig:}" ] || set -- "$@" "/etc/kubernetes/${asked#kubeconfig:}" ;; esac
	done
	[ $# = 0 ] || awk -v OFS="$tab" "$cleaner"'
		/^[ -]*server: *[^ ]/ {
			line = $0
			sub(/^[ -]*server: */, "", line)
			sub(/[ \r]*$/, "", line)
			gsub(/["\047]/, "", line)
			many[FILENAME]++
			server[FILENAME] = line
		}
		END {
			for (file in many) if (many[file] == 1 && server[file] !~ /@/) {
				name = file
				sub(/.*\//, "", name)
				print "server", clean(name), clean(server[file])
			}
		}' "$@"
}

cluster() {
	for path in /etc/kubernetes/manifests/*.yaml; do
		[ -f "$path" ] && fact manifest "${path##*/}"
	done
	for asked in "$@"; do
		case $asked in kubeconfig:*) [ -f "/etc/kubernetes/${asked#kubeconfig:}" ] && fact kubeconfig "${asked#kubeconfig:}" ;; esac
	done
	servers "$@"
	[ -f /var/lib/kubelet/config.yaml ] && fact kubelet-config present
	kubelet_credentials && fact kubelet-credentials present
	etcd_unbegun && fact etcd-unbegun yes
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
