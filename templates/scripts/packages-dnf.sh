# Gets packages by dnf, of version 4 or 5: what packages.sh, which follows this text, does with
# them. dnf itself waits for another dnf, too.
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

locks() { echo /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock; }

refresh() {
	for id in "$@"; do
		dnf --assumeyes --quiet --disablerepo='*' --enablerepo="$id" --refresh makecache
	done
}

installed() { rpm --query --all --queryformat '%{NAME}\n' | sort -u; }

# The lock is a plugin of version 4 and a part of version 5.
lockable() { dnf --quiet versionlock list >/dev/null 2>&1; }

unlock() {
	lockable || return 0
	for spec in "$@"; do
		dnf --assumeyes --quiet versionlock delete "${spec%-[0-9]*}" >/dev/null 2>&1 || : # it was not locked
	done
}

install() {
	unlock "$@"
	dnf --assumeyes --quiet --setopt=install_weak_deps=False install "$@"
}

reinstall() {
	unlock "$@"
	dnf --assumeyes --quiet reinstall "$@"
}

hold() {
	lockable || accounted install 'dnf-command(versionlock)'
	dnf --assumeyes --quiet versionlock add "$@"
}
