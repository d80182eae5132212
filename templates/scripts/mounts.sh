# What is mounted in a folder and what else is in it, for what is written down of folders before, and for reset.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it

# The mount points at a folder and below it, the deepest first, as words of the ledger, one a line.
mounts_at() {
	real=$(readlink -f -- "$1") && awk "$encoder"'
	function decoded(s,   out) {
		while (match(s, /\\[0-3][0-7][0-7]/)) {
			out = out substr(s, 1, RSTART - 1) sprintf("%c", 64 * substr(s, RSTART + 1, 1) + 8 * substr(s, RSTART + 2, 1) + substr(s, RSTART + 3, 1))
			s = substr(s, RSTART + 4)
		}
		return out s
	}
	BEGIN { folder = ARGV[1]; ARGV[1] = "" }
	{ at = decoded($5) }
	at == folder || index(at, folder "/") == 1 { print encoded(at) }' "$real" /proc/self/mountinfo >"$state/mounts" &&
		sort -ru "$state/mounts"
}

# Prints all names in a folder, each with NUL at its end, but for those at and below its mount points, which are words as
# mounts_at has them: -xdev alone would go into other parts of the same file system. Files may come and go meanwhile.
find_within() { # FOLDER MOUNTPOINTS
	folder=$1 mounted=$2 real=$(readlink -f -- "$1")
	set -- -ignore_readdir_race -mindepth 1 -xdev
	for mountpoint in $mounted; do
		decode "$mountpoint"
		# A pattern that fits just this name; the x keeps new lines at its end.
		pattern=$(printf '%sx' "$folder${decoded#"$real"}" | sed 's/[][*?\\]/\\&/g')
		set -- "$@" -path "${pattern%x}" -prune -o
	done
	find "$folder" "$@" -print0
}
