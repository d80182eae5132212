# Ends, with an error, once the kubelet has failed three times since the start, or systemd has given it up, and prints what it
# said last. As long as all is well it goes on.
set -eu
restarts() { systemctl show kubelet.service --property NRestarts --value; }
before=$(restarts)
fails=0
while [ "$fails" -lt 3 ] && [ "$(systemctl show kubelet.service --property ActiveState --value)" != failed ]; do
	sleep 1
	now=$(restarts)
	# Where somebody restarts the unit, systemd counts anew.
	[ "${now:-0}" -le "${before:-0}" ] || fails=$((fails + now - before))
	before=$now
done
kubelet_said >&2
exit 1
