# Runs kubeadm in a transient systemd unit, so that it outlives the connection, and
# follows what it prints. Arguments: the unit, the log file, the configuration, and the
# verb (init or join) with its flags. Without a verb it follows the unit that runs already.
# The exit code is kubeadm's.
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
unit=$1
log=$2
config=$3
shift 3

property() { systemctl show "$unit" --property "$1" --value; }

if [ $# -gt 0 ]; then
	case $(property ActiveState) in
	active | activating)
		echo "$unit runs already" >&2
		exit 75
		;;
	failed) systemctl reset-failed "$unit" ;;
	esac
	umask 077
	mkdir -p "${log%/*}"
	: >"$log"
	# The unit itself removes the configuration, which may hold a token, however it ends.
	systemd-run --quiet --unit "$unit" \
		--property Type=exec \
		--property "StandardOutput=append:$log" --property "StandardError=append:$log" \
		--property "ExecStopPost=/bin/rm -f $config" \
		--property EnvironmentFile=-/etc/fairlead/proxy.env \
		--setenv "PATH=$PATH" --setenv HOME=/root \
		"$(command -v kubeadm)" "$@" --config "$config"
fi

pid=$(property MainPID)
if [ "$pid" != 0 ] && [ -d "/proc/$pid" ]; then
	tail --lines=+1 --sleep-interval=0.1 --pid="$pid" --follow=name "$log" 2>/dev/null
else
	cat "$log"
fi
# A unit that ended well is unloaded, and shows nothing; a failed one is kept.
if [ "$(property ActiveState)" = deactivating ]; then
	systemctl stop "$unit" 2>/dev/null || :
fi
[ "$(property ActiveState)" = failed ] || exit 0
status=$(property ExecMainStatus)
[ "$status" != 0 ] || status=1
exit "$status"
