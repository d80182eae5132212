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
# How kubeadm has ended. Only systemd writes it, when that is so, and to a tmpfs: it says nothing of a kubeadm before a
# restart of the host. A unit that is gone says nothing either, and one that a shutdown ended counts as well done.
ended=${config%/*}/kubeadm.ended

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
	rm -f "$ended"
	# The unit itself removes the configuration, which may hold a token, however it ends.
	systemd-run --quiet --unit "$unit" \
		--property Type=exec \
		--property "StandardOutput=append:$log" --property "StandardError=append:$log" \
		--property "ExecStopPost=/bin/rm -f $config" \
		--property "ExecStopPost=/bin/sh -c 'env | grep ^EXIT_ >$ended'" \
		--property EnvironmentFile=-/etc/fairlead/proxy.env \
		--setenv "PATH=$PATH" --setenv HOME=/root \
		"$(command -v kubeadm)" "$@" --config "$config"
fi

pid=$(property MainPID)
over=no # whether its process is
if [ "$pid" != 0 ] && [ -d "/proc/$pid" ]; then
	tail --lines=+1 --sleep-interval=0.1 --pid="$pid" --follow=name "$log" 2>/dev/null
	over=yes
else
	cat "$log"
fi
# What the unit does after that is waited for. systemd may not have seen yet that it is.
case $over:$(property ActiveState) in
*:deactivating | yes:active | yes:activating) systemctl stop "$unit" 2>/dev/null || : ;;
esac
if [ ! -s "$ended" ]; then
	echo "kubeadm was cut off: how it ended is not known" >&2
	exit 1
fi
status=$(sed -n 's/^EXIT_STATUS=//p' "$ended")
case $(sed -n 's/^EXIT_CODE=//p' "$ended"):$status in
exited:[0-9]*) exit "$status" ;;
*)
	echo "kubeadm was killed by SIG$status" >&2
	exit 1
	;;
esac
