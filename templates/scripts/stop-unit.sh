# Stops a systemd unit.
set -eu
systemctl stop "$1"
