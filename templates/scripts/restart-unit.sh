# Restarts a systemd unit.
set -eu
systemctl restart "$1"
