# What the probe says of how endpoints are reached from the host.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it

# connected, refused, unreachable (nobody has the address), unknown (no address of that name), silent. Whoever refuses is there.
reached() { # HOST PORT
	# shellcheck disable=SC2016 # bash expands it
	failure=$(timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1) && echo connected && return
	case $failure in
	*'refused'*) echo refused ;;
	*'No route to host'* | *'unreachable'*) echo unreachable ;;
	*'not known'* | *'name resolution'* | *'nvalid host'*) echo unknown ;;
	*) echo silent ;;
	esac
}

# Of what can be connected to, a control plane also asks whether an API server of its cluster is ready behind it.
endpoints() {
	command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1 || return 0
	for asked in "$@"; do
		case $asked in
		reach:*) endpoint=${asked#reach:} ;;
		readyz:*) endpoint=${asked#readyz:} ;;
		*) continue ;;
		esac
		name=${endpoint%:*}
		name=${name#\[}
		answer=$(reached "${name%\]}" "${endpoint##*:}")
		fact reach "$endpoint" "$answer"
		[ "$answer" = connected ] && [ "$asked" != "${asked#readyz:}" ] && [ -r /etc/kubernetes/admin.conf ] && command -v kubectl >/dev/null 2>&1 || continue
		if answer=$(kubectl --kubeconfig /etc/kubernetes/admin.conf --server "https://$endpoint" --request-timeout 3s get --raw /readyz 2>&1); then
			fact readyz "$endpoint" ready
		else
			fact readyz "$endpoint" "$(printf %s "$answer" | tail -n 1)"
		fi
	done
}
