# Turns swap off, now and at the next boot. Arguments: swap units to mask, services to disable. What has its file in the
# folder of the administrator's units cannot be masked there.
set -eu
LC_ALL=C
export LC_ALL

for unit in "$@"; do
	verb=mask
	case $unit in *.service) verb=disable ;; esac
	[ ! -f "/etc/systemd/system/$unit" ] || [ -L "/etc/systemd/system/$unit" ] || verb=disable
	systemctl "$verb" --now "$unit"
done
# Comments out the active swap lines and keeps everything else, to the byte.
without_swap() {
	sed -E 's/^[[:blank:]]*[^#[:blank:]][^[:blank:]]*[[:blank:]]+[^[:blank:]]+[[:blank:]]+swap([[:blank:]]|$)/#&/' /etc/fstab
}

if [ -f /etc/fstab ] && ! without_swap | cmp -s - /etc/fstab; then
	without_swap >/etc/fstab.fairlead
	chmod --reference=/etc/fstab /etc/fstab.fairlead
	chown --reference=/etc/fstab /etc/fstab.fairlead
	mv -f /etc/fstab.fairlead /etc/fstab
	systemctl daemon-reload
fi
# A device that somebody else turns off at the same moment is an error to swapoff and
# none to us: what counts is read back.
swapoff -a || :
left=$(sed -n '2,$s/[[:space:]].*//p' /proc/swaps)
if [ -n "$left" ]; then
	echo "swap is still on: $left" >&2
	exit 1
fi
