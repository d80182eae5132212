# Gets packages by dnf, of version 4 or 5: what packages.sh, which follows this text, does with
# them. dnf itself waits for another dnf, too.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
# shellcheck disable=SC2034 # for installed.sh
manager=rpm

locks() { echo /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock; }

refresh() {
	for id in "$@"; do
		dnf --assumeyes --quiet --disablerepo='*' --enablerepo="$id" --refresh makecache
	done
}

# The lock is a plugin of version 4 and a part of version 5.
lockable() { dnf --quiet versionlock list >/dev/null 2>&1; }

# Frees what is going to be installed of its locks. Those of packages beside what fairlead itself needs are not its own.
prepare() {
	[ -z "$beside" ] && lockable || return 0
	for spec in "$@"; do
		dnf --assumeyes --quiet versionlock delete "${spec%-[0-9]*}" >/dev/null 2>&1 || : # it was not locked
	done
}

# Prints the names of the packages that an install would bring: those in the table which dnf shows before it asks, and which
# says no, in the parts that begin with "Installing". Only names begin in the second column, also where a line is broken.
transaction() {
	failed=
	dnf --assumeno --setopt=install_weak_deps=False install "$@" >"$state/packages.answer" 2>"$state/packages.errors" || failed=$?
	if ! grep -q '^Transaction Summary' "$state/packages.answer"; then
		[ -n "$failed" ] || return 0 # there is nothing to do
		cat "$state/packages.answer" "$state/packages.errors" >&2
		return 1
	fi
	awk '
	/^Transaction Summary/ { summary = 1 }
	/^[^ ]/ { installing = /^Installing/ }
	installing && !summary && /^ [^ ]/ { print $1; names++ }
	summary && /^ ?Install(ing:)? +[1-9]/ { some = 1 }
	END { exit some && !names }' "$state/packages.answer" && return 0
	echo "cannot tell what dnf would install:" >&2
	cat "$state/packages.answer" >&2
	return 1
}

install() { dnf --assumeyes --quiet --setopt=install_weak_deps=False install "$@"; }

# Brings nothing that was not there.
reinstall() {
	settle
	prepare "$@"
	dnf --assumeyes --quiet reinstall "$@"
}

hold() {
	lockable || get 'dnf-command(versionlock)'
	dnf --assumeyes --quiet versionlock add "$@"
}
