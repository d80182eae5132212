# Enables a systemd unit whose files may be new. With "start" as second argument it also
# has to run in the end; a unit that starts itself again after a failure gets no second
# chance here: the reason is printed.
set -eu
systemctl daemon-reload
systemctl enable --quiet "$1"
[ "${2:-}" = start ] || exit 0
if ! systemctl start "$1"; then
	journalctl --no-pager --quiet -n 20 -o cat -u "$1" >&2
	exit 1
fi
