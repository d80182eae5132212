# Packages, for reset.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it

locks() {
	case $manager in
	dpkg) echo /var/lib/dpkg/lock /var/lib/dpkg/lock-frontend ;;
	rpm) echo /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock ;;
	esac
}

# Removes what fairlead installed and nobody else needs by now.
remove_packages() {
	sed -n 's/^package \([^ ]*\) .*/\1/p' "$state/entries" | sort -u >"$state/packages.ours"
	uninstall "$state/packages.ours"
}
