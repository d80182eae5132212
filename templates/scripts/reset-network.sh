# Interfaces and netfilter rules, for reset. What was there before is known from the ledger's entry for the network.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it

# Says whether what was there before is known: else nothing of it can be told from the cluster's.
network_known() {
	grep -q '^net ' "$state/entries" || return 1 # the cluster never had any
	# shellcheck disable=SC2046 # the sums of two files
	set -- $(sed -n 's/^net all saved //p' "$state/entries")
	intact "$state/saved/links" "${1:-}" "${2:-}" && intact "$state/saved/chains" "${3:-}" "${4:-}" && return 0
	complain "keeping interfaces and rules: the list of those that were there before is lost or damaged (ledger entry net all)"
	return 1
}

remove_links() {
	say "removing interfaces"
	grep -qxF cni0 "$state/saved/links" 2>/dev/null || ip -o link show master cni0 2>/dev/null | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | while read -r link; do
		ip link delete "$link" 2>/dev/null
	done
	for path in /sys/class/net/*; do
		link=${path##*/}
		case $link in
		cni0 | flannel.1 | flannel-v6.1 | kube-ipvs0) ;;
		docker0 | br-[0-9a-f]*) own_docker || continue ;;
		*) continue ;;
		esac
		grep -qxF -- "$link" "$state/saved/links" 2>/dev/null && continue
		ip link delete "$link" || complain "cannot delete interface $link"
	done
}

# Prints the commands for iptables-restore --noflush that delete the rules and chains of
# Kubernetes, the CNI plugins, flannel and kindnet, and of a Docker that fairlead brought, and nothing else.
deletions() {
	own='(KUBE-|CNI-|FLANNEL-|KIND-MASQ-AGENT)' named=flanneld
	own_docker && own='(KUBE-|CNI-|FLANNEL-|KIND-MASQ-AGENT|DOCKER)' named='(flanneld| -[io] (docker0|br-[0-9a-f]+) )'
	awk -v own="$own" -v named="$named" '
	/^\*/ { table = $0; rules = chains = "" }
	$0 ~ "^:" own { name = substr($1, 2); chains = chains "-F " name "\n"; gone = gone "-X " name "\n" }
	$0 ~ "^-A " own { next }
	/^-A / && ($0 ~ " -[jg] " own || $0 ~ named) { sub(/^-A/, "-D"); rules = rules $0 "\n" }
	/^COMMIT/ { if (rules chains != "") printf "%s\n%s%s%sCOMMIT\n", table, rules, chains, gone; gone = "" }
	'
}

remove_netfilter() {
	say "removing netfilter rules"
	for variant in iptables ip6tables iptables-legacy ip6tables-legacy; do
		command -v "$variant-save" >/dev/null 2>&1 || continue
		case $variant in
		iptables-legacy) [ -e /proc/net/ip_tables_names ] || continue ;;
		ip6tables-legacy) [ -e /proc/net/ip6_tables_names ] || continue ;;
		esac
		commands=$("$variant-save" 2>/dev/null | deletions)
		[ -z "$commands" ] || printf '%s\n' "$commands" | "$variant-restore" --noflush || complain "cannot delete the rules of $variant"
	done
	remove_tables
}

# nft tables and base chains that were not there before: those of kube-proxy, flannel and kindnet,
# and those that iptables made and that hold nothing any more.
remove_tables() {
	[ -f "$state/saved/chains" ] && command -v nft >/dev/null 2>&1 || return 0
	# Where nft could not say what was there before, only what bears a name of the cluster's goes.
	grep -qx unknown "$state/saved/chains" || nft list chains 2>/dev/null | awk '$1 == "table" { table = $2 " " $3 } $1 == "chain" { print table, $2 }' |
		while read -r family table chain; do
			case $table:$chain in
			filter:[A-Z]* | nat:[A-Z]* | mangle:[A-Z]* | raw:[A-Z]* | security:[A-Z]*) ;;
			*) continue ;;
			esac
			grep -qxF "$family $table $chain" "$state/saved/chains" && continue
			hollow chain "$family" "$table" "$chain" && nft delete chain "$family" "$table" "$chain"
		done
	nft list tables 2>/dev/null | while read -r _ family table; do
		grep -qxF "$family $table" "$state/saved/chains" && continue
		case $table in
		kube-proxy | flannel-ipv4 | flannel-ipv6 | kindnet-network-policies) nft delete table "$family" "$table" ;;
		filter | nat | mangle | raw | security) ! grep -qx unknown "$state/saved/chains" && hollow table "$family" "$table" && nft delete table "$family" "$table" ;;
		esac
	done
}

# Says whether a table or chain has no rules: each line of it then opens or closes it, or
# says that a base chain accepts.
hollow() {
	! nft list "$@" 2>/dev/null | grep -qvE '^[[:space:]]*(table .*|chain [A-Z]+ \{|type .* policy accept;|\}|)$'
}
