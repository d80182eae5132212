# Takes packages away, for reset and for the scripts that work with a package manager. These have functions say and complain,
# and locks.
# shellcheck disable=SC2154 # variables and functions of the texts around it

# Packages without which the host could not be started, reached or mended, whoever brought them: names, one a line.
needed_by_the_host() {
	printf '%s\n' apt bash dnf dnf5 dpkg glibc libc6 microdnf openssh-server rpm sudo systemd systemd-sysv yum
	read -r release </proc/sys/kernel/osrelease || return 1
	case $manager in
	dpkg)
		dpkg-query --show --showformat '${Package}\t${Essential}\t${Protected}\t${Priority}\n' >"$state/packages.all" || return 1
		awk -F '\t' '$2 == "yes" || $3 == "yes" || $4 == "required" { print $1 }' "$state/packages.all"
		# The kernel that runs: PACKAGE[:ARCHITECTURE], PACKAGE: PATH
		dpkg-query --search "/boot/vmlinuz-$release" "/lib/modules/$release" "/usr/lib/modules/$release" 2>/dev/null |
			sed 's/: .*//' | tr -s ', ' '\n' | sed 's/:.*//'
		;;
	rpm)
		rpm --query --file --queryformat '%{NAME}\n' "/boot/vmlinuz-$release" "/lib/modules/$release" 2>/dev/null | grep -v ' '
		cat /etc/dnf/protected.d/*.conf 2>/dev/null
		;;
	esac
	return 0
}

# Removes the packages in the file packages.ours, which are fairlead's, but for what the host or others need by now, and says
# which of those in another file stay. What was removed before fairlead installed it is known from the file entries.
uninstall() { # FILE
	told=$1
	[ -s "$state/packages.ours" ] || return 0
	if ! list_installed "$state/packages.now" || ! needed_by_the_host >"$state/packages.needed"; then
		complain "keeping all packages"
		return
	fi
	comm -12 "$state/packages.ours" "$state/packages.now" >"$state/packages.found" || return
	sort -u "$state/packages.needed" | comm -12 - "$state/packages.found" | while read -r name; do
		say "keeping package $name, which the host needs"
	done
	# shellcheck disable=SC2046 # names of packages have no spaces
	set -- $(sort -u "$state/packages.needed" | comm -13 - "$state/packages.found")
	[ $# -gt 0 ] || return 0
	say "removing packages: $*"
	: >"$state/purge.log"
	case $manager in
	dpkg) remove_by_dpkg "$@" ;;
	rpm) remove_by_rpm "$@" ;;
	esac
	list_installed "$state/packages.now" || complain "cannot tell which packages are gone"
	for name in "$@"; do
		! grep -qxF -e "$name" "$state/packages.now" || ! grep -qxF -e "$name" "$told" || say "keeping package $name: $(grep -F -e "$name" "$state/purge.log" | head -n 1)"
	done
	return 0
}

# Without apt, which would take along what depends on them. dpkg itself does not wait for others. Of packages that had been
# removed before fairlead installed them again, the configuration is their owner's.
remove_by_dpkg() {
	apt-mark unhold "$@" >/dev/null 2>&1 || : # what is not known to it is not held
	deadline=$(($(date +%s) + 600))
	while [ -n "$(holder)" ] && [ "$(date +%s)" -lt "$deadline" ]; do
		sleep 0.2
	done
	purge=
	for name in "$@"; do grep -qxF "package $name removed" "$state/entries" || purge="$purge $name"; done
	[ "$purge" = " $*" ] || DEBIAN_FRONTEND=noninteractive dpkg --remove "$@" >/dev/null 2>"$state/purge.log" || :
	# shellcheck disable=SC2086 # names
	[ -z "$purge" ] || DEBIAN_FRONTEND=noninteractive dpkg --purge $purge >/dev/null 2>>"$state/purge.log" || : # what stays is told
	! grep -q ' lock' "$state/purge.log" || complain "cannot remove packages: $(grep ' lock' "$state/purge.log" | head -n 1)"
}

remove_by_rpm() {
	dnf --assumeyes --quiet versionlock delete "$@" >/dev/null 2>&1 || : # they were not locked
	rpm --erase "$@" 2>"$state/purge.log" || while gone=; do
		# One by one, as long as one goes: what needed the others may have been it.
		for name in "$@"; do ! rpm --erase "$name" 2>/dev/null || gone=$name; done
		[ -n "$gone" ] || break
	done
}
