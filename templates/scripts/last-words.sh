# Prints how the kubelet is and what it said last, and the last words of the containers of the static pods in the arguments.
set -eu
kubelet_said
for pod in "$@"; do
	# kubelet's --pod-log-dir: NAMESPACE_POD-NODE_UID/CONTAINER/RESTART.log, in the format of the CRI: time, stream, F or P, text.
	# shellcheck disable=SC2012 # names that the kubelet makes
	log=$(ls -t /var/log/pods/kube-system_"$pod"-*/"$pod"/*.log 2>/dev/null | sed q)
	if [ -n "$log" ]; then
		cut -d ' ' -f 4- <"$log" | short "$pod"
	else
		printf '%s: it has never run\n' "$pod"
	fi
done
