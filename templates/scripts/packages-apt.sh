# Gets packages by apt: what packages.sh, which follows this text, does with them.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
DEBIAN_FRONTEND=noninteractive
NEEDRESTART_SUSPEND=1
export LC_ALL PATH DEBIAN_FRONTEND NEEDRESTART_SUSPEND
# shellcheck disable=SC2034 # for installed.sh
manager=dpkg

locks() { echo /var/lib/dpkg/lock /var/lib/dpkg/lock-frontend /var/lib/apt/lists/lock /var/cache/apt/archives/lock; }

# Runs apt-get. Another process may take a lock at the last moment, which ends it at once.
apt() {
	while :; do
		unlocked
		apt-get --quiet --option DPkg::Lock::Timeout=600 --option Dpkg::Use-Pty=0 "$@" && return 0
		failure=$?
		[ -n "$(holder)" ] && in_time || return "$failure"
	done
}

# Of these indexes alone: that another repository of the host cannot be reached is no obstacle,
# and an old index that is still there is no substitute for a new one.
refresh() {
	for list in "$@"; do
		apt update --option "Dir::Etc::SourceList=$list" --option Dir::Etc::SourceParts=/dev/null \
			--option APT::Get::List-Cleanup=0 --option APT::Update::Error-Mode=any
	done
}

fetch_key() {
	mkdir -p "${2%/*}"
	rm -f "$2.fairlead-new"
	/usr/lib/apt/apt-helper download-file "$1" "$2.fairlead-new"
	if ! grep -q 'BEGIN PGP PUBLIC KEY BLOCK' "$2.fairlead-new"; then
		echo "$1 is not an armored OpenPGP key" >&2
		exit 1
	fi
	chmod 0644 "$2.fairlead-new"
	mv -f "$2.fairlead-new" "$2"
}

# The exact version of what fairlead itself needs may be an older one, or that of a package which is held; for packages beside
# that, nothing of the host's is held or turned back for.
freely() { [ -n "$beside" ] || echo --allow-downgrades --allow-change-held-packages; }

# Says whether the indexes have packages of exactly these names; $lacking are those that they have not. apt-get takes a name
# that it does not know for a pattern, and NAME+ for NAME.
named() {
	apt-cache pkgnames >"$state/packages.known" || exit 1
	lacking=
	for name in "$@"; do grep -qxF -e "$name" "$state/packages.known" || lacking="$lacking $name"; done
	[ -z "$lacking" ]
}

# Makes ready what an install starts from: nothing is half done, and the indexes know what is asked for.
prepare() {
	unlocked
	# What an install that was cut off has left half done.
	[ -z "$(dpkg --audit)" ] || dpkg --force-confold --configure -a
	# The other indexes are read anew only if those that are there do not suffice: they are missing,
	# or so old that what they name is gone.
	if [ -n "$beside" ] && ! named "$@"; then
		refresh_all
		# shellcheck disable=SC2086 # names of packages have no spaces
		named "$@" || unknown $lacking
	fi
	# shellcheck disable=SC2046 # options
	apt-get --quiet=2 --yes --download-only --no-install-recommends $(freely) install "$@" >/dev/null 2>&1 || refresh_all
}

refresh_all() { apt update || echo "some indexes cannot be read" >&2; } # the install tells whether they are needed

# Prints the names of the packages that an install would bring or change. Those of another architecture have it in their
# name, and are never taken for ours.
transaction() {
	# shellcheck disable=SC2046 # options
	apt-get --quiet --simulate --no-remove --no-install-recommends $(freely) install "$@" >"$state/packages.answer" || return 1
	awk '
	$1 == "Inst" { names++; if ($2 !~ /:/) print $2 }
	/^[0-9]+ upgraded, [1-9][0-9]* newly installed/ { some = 1 }
	END { exit some && !names }' "$state/packages.answer" && return 0
	echo "cannot tell what apt-get would install:" >&2
	cat "$state/packages.answer" >&2
	return 1
}

# Nothing is removed for it: a package that others of the host exclude is an error.
install() {
	# shellcheck disable=SC2046 # options
	apt install --yes --no-remove --no-install-recommends $(freely) \
		--option Dpkg::Options::=--force-confold --option APT::Keep-Downloaded-Packages=false "$@"
}

reinstall() { get --reinstall "$@"; }

hold() {
	unlocked
	apt-mark hold "$@"
}
