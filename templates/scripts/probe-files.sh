# What the probe says of files and their texts.
# shellcheck disable=SC2154 # variables and functions of the texts around it

# A file that has the inode, size and times with which fairlead installed it has the hash
# of then, too: the kernel sets the change time, whoever writes. All others are hashed.
# There are some fifty files, so each program runs once for all.
files() {
	for asked in "$@"; do
		shift
		case $asked in
		path:*)
			path=${asked#path:}
			if [ -d "$path" ]; then
				fact tree "$path"
			elif [ -S "$path" ]; then
				fact socket "$path"
			elif [ -L "$path" ]; then
				fact symlink "$path"
			elif [ -f "$path" ] && is_odd "$path"; then
				fact file "$path" # which is all that can be said of it
			elif [ -f "$path" ]; then
				set -- "$@" "$path"
			fi
			;;
		path-like:*)
			for path in ${asked#path-like:}; do
				[ ! -f "$path" ] || [ -L "$path" ] || is_odd "$path" || set -- "$@" "$path"
			done
			;;
		esac
	done
	[ $# -gt 0 ] || return 0
	stat --printf 'file\t%n\t%a\t%u\t%g\t%s\n' -- "$@"
	sums=$(stat --printf '%i:%s:%.9Y:%.9Z\t%n\n' -- "$@" | awk -F "$tab" -v OFS="$tab" -v cache=/var/lib/fairlead/hashes '
		BEGIN { while ((getline line <cache) > 0) { split(line, f, FS); known[f[2] FS f[3]] = f[1] } }
		$0 in known { print "sha256", $2, known[$0]; next }
		{ split($1, f, ":"); print (f[2] > 16777216 ? "large" : "unknown"), $2 }')
	unchanged=$(printf '%s\n' "$sums" | grep '^sha256') && printf '%s\n' "$unchanged"
	printf '%s\n' "$sums" | sed -n "s/^unknown$tab//p" | hashes
	printf '%s\n' "$sums" | sed -n "s/^large$tab//p" | while IFS= read -r path; do
		printf '%s\n' "$path" | hashes
	done
}

# The hashes of the files that are named on standard input. What prints when all are read keeps the host silent until then, so
# large ones come one by one: who waits gives up a host that is silent for long.
hashes() {
	tr '\n' '\0' | xargs -0r sha256sum -- | sed "s/^\([0-9a-f]*\)  \(.*\)/sha256$tab\2$tab\1/"
}

# Small files whose text the plan shows or compares. Octal 37 stands for a new line, 36 for a tab.
contents() {
	for asked in "$@"; do
		shift
		case $asked in text:*) ;; *) continue ;; esac
		for path in ${asked#text:}; do
			[ ! -f "$path" ] || is_odd "$path" || set -- "$@" "$path"
		done
	done
	[ $# = 0 ] || awk '
		FNR == 1 { if (NR > 1) printf "\n"; printf "content\t%s\t", FILENAME }
		{ gsub(/\t/, "\036"); printf "%s\037", $0 }
		END { if (NR > 0) printf "\n" }' "$@"
}
