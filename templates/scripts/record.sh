# Writes into the host's ledger how things are before fairlead touches them. Arguments:
# KIND:KEY, as in provision/step.go. What the ledger holds already is not written again,
# so that it always tells of the time before fairlead. The ledger is replaced whole.
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

state=/var/lib/fairlead
ledger=$state/ledger
umask 077
mkdir -p "$state/saved"
# Steps of one host may run at the same time.
exec 9>"$state/lock"
flock 9
[ -e "$ledger" ] || : >"$ledger"
cp "$ledger" "$ledger.new"

known() { grep -qF -- "$1 $2 " "$ledger.new"; }
write() { printf '%s\n' "$*" >>"$ledger.new"; }

# The folders above a path that do not exist yet, the outermost first.
folders() {
	above=${1%/*}
	[ -n "$above" ] && [ ! -d "$above" ] || return 0
	folders "$above"
	above=${1%/*}
	known dir "$above" || write dir "$above" absent
}

saved_name() { printf '%s' "$1" | sha256sum | cut -c1-16; }

record_file() {
	if [ -e "$1" ] || [ -L "$1" ]; then
		cp -pP "$1" "$state/saved/$(saved_name "$1")"
		write file "$1" saved "$(saved_name "$1")"
	else
		folders "$1"
		write file "$1" absent
	fi
}

record_tree() {
	if [ -d "$1" ]; then
		find "$1" -mindepth 1 >"$state/saved/$(saved_name "$1")"
		write tree "$1" existed "$(saved_name "$1")" "$(stat -c '%a %u:%g' "$1")"
	else
		folders "$1"
		write tree "$1" absent
	fi
}

record_sysctl() {
	path=/proc/sys/$(printf '%s' "$1" | tr . /)
	if [ -r "$path" ]; then write sysctl "$1" "$(tr '\t' ' ' <"$path")"; else write sysctl "$1" absent; fi
}

record_module() {
	if [ -e "/sys/module/$1" ]; then write module "$1" loaded; else write module "$1" absent; fi
}

record_unit() {
	enabled=$(systemctl is-enabled "$1" 2>/dev/null) || :
	active=$(systemctl is-active "$1" 2>/dev/null) || :
	write unit "$1" "${enabled:-not-found}" "${active:-inactive}"
}

record_swap() {
	sed -n '2,$s/[[:space:]].*//p' /proc/swaps >"$state/saved/swaps"
	write swap active "$(tr '\n' , <"$state/saved/swaps" | sed 's/,$//')"
}

record_net() {
	ip -o link show | sed 's/^[0-9]*: \([^:@]*\).*/\1/' >"$state/saved/links"
	: >"$state/saved/chains"
	if command -v nft >/dev/null 2>&1; then
		# FAMILY TABLE for each table, FAMILY TABLE CHAIN for each chain.
		nft list chains 2>/dev/null | awk '$1 == "table" { table = $2 " " $3; print table } $1 == "chain" { print table, $2 }' >"$state/saved/chains"
	fi
	write net "$1" saved
}

for entry in "$@"; do
	kind=${entry%%:*}
	key=${entry#*:}
	known "$kind" "$key" && continue
	case $kind in
	file) record_file "$key" ;;
	tree) record_tree "$key" ;;
	dir) folders "$key/." ;;
	sysctl) record_sysctl "$key" ;;
	module) record_module "$key" ;;
	unit) record_unit "$key" ;;
	swap) record_swap ;;
	net) record_net "$key" ;;
	*)
		echo "unknown kind of ledger entry: $kind" >&2
		exit 64
		;;
	esac
done
mv -f "$ledger.new" "$ledger"
