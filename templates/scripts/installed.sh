# Packages that are installed, for the scripts that work with a package manager and for reset. $manager is dpkg or rpm.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it
if [ -s /var/lib/dpkg/status ]; then manager=dpkg; else manager=rpm; fi

# Writes the names of the installed packages into a file, sorted, and of those that were removed and have left their
# configuration into FILE.removed. A list without the package manager itself is none: what could not be read would be taken
# for not installed, and later for fairlead's.
list_installed() { # FILE
	: >"$1.removed"
	case $manager in
	dpkg)
		dpkg-query --show --showformat '${db:Status-Abbrev} ${Package}\n' >"$1.all" &&
			sed -n 's/^.c.  *//p' "$1.all" | sort -u >"$1.removed" && sed -n 's/^.[^nc].  *//p' "$1.all" >"$1.names"
		;;
	rpm) rpm --query --all --queryformat '%{NAME}\n' >"$1.names" ;;
	esac && sort -u "$1.names" >"$1" && grep -qxF "$manager" "$1" || {
		echo "cannot list the packages: $manager does not answer, or does not name itself" >&2
		return 1
	}
	rm -f "$1.all" "$1.names"
}

# Writes into the ledger which of the packages that the last install was going to bring are there now. It may have been cut
# off at any place. What others have brought meanwhile is none of them.
settle() {
	[ -e "$state/packages.pending" ] || return 0
	list_installed "$state/packages.now" || return 1
	open_ledger
	while read -r package was; do
		! grep -qxF -e "$package" "$state/packages.now" || known package "$package" || write package "$package" "$was"
	done <"$state/packages.pending"
	close_ledger
	rm -f "$state"/packages.*
}

# Who has a lock file of the package manager open: they lock by fcntl, so that closing is giving back.
holder() {
	for lock in $(locks); do open_by "$lock"; done | head -n 1
}
