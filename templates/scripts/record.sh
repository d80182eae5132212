# Writes into the host's ledger how things are before fairlead touches them. Arguments:
# KIND:KEY, as in provision/step.go. What the ledger holds already is not written again,
# so that it always tells of the time before fairlead. The ledger is replaced whole, after all
# that it refers to is on the disk.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# The folders above a path that do not exist yet, the outermost first.
folders() {
	above=${1%/*}
	[ -n "$above" ] && [ ! -d "$above" ] || return 0
	folders "$above"
	above=${1%/*}
	known dir "$above" || write dir "$above" absent
}

saved_name() { printf '%s' "$1" | sha256sum | cut -c1-16; }

# The sums of a file that was saved, when it is on the disk.
saved_sums() {
	[ -L "$state/saved/$1" ] || sync "$state/saved/$1" && fingerprint "$state/saved/$1"
}

record_file() {
	if [ -L "$1" ] || [ -f "$1" ]; then
		name=$(saved_name "$1")
		cp -pPT "$1" "$state/saved/$name"
		sums=$(saved_sums "$name")
		write file "$1" "saved $name $sums"
	elif [ -e "$1" ]; then
		echo "cannot save $1, which is neither a file nor a link" >&2
		exit 1
	else
		folders "$1"
		write file "$1" absent
	fi
}

record_tree() {
	if [ -d "$1" ]; then
		name=$(saved_name "$1").names
		mounted=$(mounts_at "$1")
		find_within "$1" "$mounted" >"$state/found"
		sort -z "$state/found" >"$state/saved/$name"
		rm "$state/found" "$state/mounts"
		sums=$(saved_sums "$name")
		# shellcheck disable=SC2086 # words
		write tree "$1" "existed $name $(stat -L -c '%a %u:%g' "$1") $sums" $mounted
	else
		folders "$1"
		write tree "$1" absent
	fi
}

record_sysctl() {
	path=/proc/sys/$(printf '%s' "$1" | tr . /)
	if [ -r "$path" ]; then write sysctl "$1" "$(encode "$(tr '\t' ' ' <"$path")")"; else write sysctl "$1" absent; fi
}

record_module() {
	if [ -e "/sys/module/$1" ]; then write module "$1" loaded; else write module "$1" absent; fi
}

record_unit() {
	enabled=$(systemctl is-enabled "$1" 2>/dev/null) || :
	active=$(systemctl is-active "$1" 2>/dev/null) || :
	[ "$1" != containerd.service ] || [ "$active" != active ] || record_images
	write unit "$1" "${enabled:-not-found}" "${active:-inactive}"
}

# The images that Kubernetes would use of a containerd that was there before, which are not the cluster's to remove.
record_images() {
	ctr --namespace k8s.io images list --quiet >"$state/saved/images.new" 2>/dev/null && sync "$state/saved/images.new" &&
		mv -f "$state/saved/images.new" "$state/saved/images" || rm -f "$state/saved/images.new"
}

# The kernel escapes names as the ledger does, but for the comma that stands between them here.
record_swap() {
	devices=$(sed -n '2,$s/[[:space:]].*//p' /proc/swaps)
	devices=$(printf '%s' "$devices" | sed 's/,/\\054/g' | tr '\n' ,)
	write swap active "${devices:-none}"
}

record_net() {
	links=$(ip -o link show)
	printf '%s\n' "$links" | sed 's/^[0-9]*: \([^:@]*\).*/\1/' >"$state/saved/links"
	: >"$state/saved/chains"
	if command -v nft >/dev/null 2>&1; then
		# FAMILY TABLE for each table, FAMILY TABLE CHAIN for each chain.
		chains=$(nft list chains 2>/dev/null) || chains=unknown
		printf '%s\n' "$chains" | awk '$1 == "table" { table = $2 " " $3; print table } $1 == "chain" { print table, $2 } $1 == "unknown"' >"$state/saved/chains"
	fi
	links=$(saved_sums links)
	chains=$(saved_sums chains)
	write net "$1" "saved $links $chains"
}

open_ledger
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
close_ledger
