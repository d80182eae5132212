# How the probe prints a fact. Users of the host choose much of what is read of it: the names of their processes, programs,
# files and mounts. Whatever is printed, nothing of it may end a line or a field, as what follows would be another fact:
# control characters become octal, as in the ledger. fact does so for all that the shell prints, clean for all that awk
# prints. The last line is "end", which no other can be.

# The function of awk that makes a field of a text.
cleaner='
	function clean(s,   i, c, out) {
		if (s !~ /[\001-\037\177]/) return s
		for (i = 1; i <= length(s); i++) {
			c = substr(s, i, 1)
			out = out (c in octal ? octal[c] : c)
		}
		return out
	}
	BEGIN {
		octal["\177"] = "\\177"
		for (n = 1; n < 32; n++) octal[sprintf("%c", n)] = sprintf("\\%03o", n)
	}'

fact() {
	case "$*" in
	*[[:cntrl:]]*)
		awk "$cleaner"' BEGIN { for (n = 1; n < ARGC; n++) printf "%s%s", (n > 1 ? "\t" : ""), clean(ARGV[n]); printf "\n" }' "$@"
		return
		;;
	esac
	printf '%s' "$1"
	shift
	for field in "$@"; do printf '\t%s' "$field"; done
	printf '\n'
}

# A name that no file of fairlead's has. Such a name is not to be found again in a line that stat or sha256sum prints.
is_odd() {
	case $1 in *[[:cntrl:]]* | *\\*) ;; *) return 1 ;; esac
}

