# Has the host's balancer take up its configurations: arguments are host:port behind which an API server has to answer in the
# end, and the services concerned, haproxy or keepalived. What is beside a configuration under a name that ends in .fairlead-next
# is tested first, and then takes its place. A service that runs reads its configuration anew, and cuts no connection.
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

refuse() {
	printf '%s\n' "$*" >&2
	exit 1
}

# Puts the next configuration in its place. What is refused stays beside it.
take_up() { # CONFIGURATION
	[ -e "$1.fairlead-next" ] || return 0
	case $1 in
	*/haproxy.cfg) haproxy -c -q -f "$1.fairlead-next" >&2 || refuse "HAProxy refuses the configuration $1.fairlead-next, and goes on with the former one" ;;
	esac
	mv -f "$1.fairlead-next" "$1"
}

run() { # UNIT
	systemctl enable --quiet "$1"
	if systemctl --quiet is-active "$1"; then
		systemctl reload "$1"
	elif ! systemctl start "$1"; then
		systemctl reset-failed "$1" 2>/dev/null || :
		systemctl start "$1" || {
			journalctl --no-pager --quiet -n 20 -o cat -u "$1" >&2
			exit 1
		}
	fi
}

last_words() { journalctl --no-pager --quiet -n 20 -o cat -u haproxy.service -u keepalived.service >&2; }

# Waits until the HAProxy that runs is one that has read the configuration that is there. A reload says nothing of that.
has_read() {
	version=$(sed -n 's/.* string "\([0-9a-f]*\)" if { path \/configuration }$/\1/p' /etc/haproxy/haproxy.cfg)
	port=$(sed -n 's/^.*bind 127\.0\.0\.1:\([0-9]*\)$/\1/p' /etc/haproxy/haproxy.cfg)
	[ -n "$version" ] || return 0
	read_by=$(($(date +%s) + 20))
	# shellcheck disable=SC2016 # bash expands it
	until timeout 3 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0"; printf "GET /configuration HTTP/1.0\r\n\r\n" >&3; cat <&3' "$port" 2>/dev/null | grep -qF -e "$version"; do
		[ "$(date +%s)" -lt "$read_by" ] && sleep 0.2 && continue
		last_words
		refuse "HAProxy does not take up /etc/haproxy/haproxy.cfg, and goes on with the former configuration"
	done
}

endpoint=$1
shift
systemctl daemon-reload
for service in "$@"; do
	case $service in
	haproxy) take_up /etc/haproxy/haproxy.cfg ;;
	keepalived) take_up /etc/keepalived/keepalived.conf ;;
	esac
	run "$service.service"
	[ "$service" != haproxy ] || has_read
done

# The answer is verified by the cluster's CA. The certificate's name is the one that all of kubeadm's have: that of the endpoint may
# be yet to come.
deadline=$(($(date +%s) + 60))
until answer=$(kubectl --kubeconfig /etc/kubernetes/admin.conf --server "https://$endpoint" --tls-server-name kubernetes --request-timeout 3s get --raw /readyz 2>&1); do
	if [ "$(date +%s)" -ge "$deadline" ]; then
		last_words
		refuse "no API server answers behind $endpoint: $answer"
	fi
	sleep 0.5
done
