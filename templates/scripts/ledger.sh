# The ledger of a host, for all scripts that read or write it: what fairlead touched, and how that was before. Each has its
# own text after this one. The file is
#
#   fairlead-ledger 2
#   KIND KEY WAS...    an entry: the words of its kind, and of each copy or list that was saved the size and the SHA-256
#   end COUNT          of the entries: without it, the file was cut
#
# Blanks, control characters and backslashes in a word are octal, as in /proc/self/mountinfo, and so is what a shell takes for
# a pattern. The former form has entries alone, with nothing escaped and no sums; it is read, and becomes this one as soon as
# it is written.
state=/var/lib/fairlead
ledger=$state/ledger
form="fairlead-ledger 2"

# The function of awk that makes a word of a text.
encoder='
	function encoded(s,   i, c, out) {
		for (i = 1; i <= length(s); i++) {
			c = substr(s, i, 1)
			out = out (c <= " " || c == "\177" || index("\\*?[", c) ? sprintf("\\%03o", ord[c]) : c)
		}
		return out
	}
	BEGIN { for (n = 1; n < 128; n++) ord[sprintf("%c", n)] = n }'

# A text as a word of a line.
encode() {
	case $1 in
	*[!!-~]* | *[\\*?[]*) awk "$encoder"' BEGIN { printf "%s", encoded(ARGV[1]) }' "$1" ;;
	*) printf '%s' "$1" ;;
	esac
}

# The opposite, in $decoded: what a shell prints loses its last new lines.
decode() {
	case $1 in
	*\\*)
		decoded=$(printf '%bx' "$(printf '%s' "$1" | sed 's/\\/\\0/g')")
		decoded=${decoded%x}
		;;
	*) decoded=$1 ;;
	esac
}

# Size and SHA-256 of a file, or of where a link leads to.
fingerprint() {
	if [ -L "$1" ]; then
		set -- "$(stat -c %s -- "$1")" "$(readlink -n -- "$1" | sha256sum)"
	elif [ -f "$1" ]; then
		set -- "$(stat -c %s -- "$1")" "$(sha256sum <"$1")"
	else
		return 1
	fi
	set -- "$1" "${2%% *}"
	[ -n "$1" ] && [ ${#2} = 64 ] && printf '%s %s' "$1" "$2"
}

# Says whether a file is still what its size and SHA-256 in the ledger say.
intact() { [ -n "${3:-}" ] && [ "$(fingerprint "$1")" = "$2 $3" ]; }

# What is wrong with the ledger as a whole; nothing, if all of it is there. What its entries say is another matter.
damage() {
	if [ ! -s "$ledger" ]; then
		echo "it is empty"
	elif [ "$(tr -dc '\000' <"$ledger" | wc -c)" != 0 ]; then
		echo "it has zero bytes"
	elif [ -n "$(tail -c 1 "$ledger")" ]; then
		echo "its last line is cut"
	else
		awk -v form="$form" '
		NR == 1 && /^fairlead-ledger/ {
			if ($0 == form) { framed = 1; next }
			wrong = "it is of the form \"" $0 "\", which this fairlead does not know"
			exit
		}
		ended { wrong = "line " NR " comes after its end"; exit }
		framed && $1 == "end" { ended = 1; said = $2; next }
		{ words = $0; gsub(/\\[0-3][0-7][0-7]/, "", words) }
		!/^[a-z]+ [^ ]+( |$)/ || /\t/ || framed && (words ~ /\\/ || /\\000/) { wrong = "line " NR " is no entry"; exit }
		{ count++ }
		END {
			if (wrong == "" && framed && !ended) wrong = "its last line, which counts the entries, is missing"
			if (wrong == "" && framed && said "" != count + 0 "") wrong = "it has " (count + 0) " entries and says that it has " said
			if (wrong != "") print wrong
		}' "$ledger"
	fi
}

# Ends the script if the ledger cannot be trusted, before anything is done by it.
trust_ledger() {
	wrong=$(damage) || wrong="it cannot be read"
	[ -n "$wrong" ] || return 0
	echo "the ledger $ledger is damaged: $wrong. Nothing was changed. Put a whole copy of it in its place; if there is none," \
		"undo by hand what it still names, with the former files in $state/saved, and move $state away" >&2
	exit 1
}

# The entries, in the present form.
entries() {
	if [ "$(head -n 1 "$ledger")" = "$form" ]; then
		sed '1d; $d' "$ledger"
	else
		former_entries
	fi
}

# The entries of the former form. What the kernel says of swap is escaped already.
former_entries() {
	awk '
	function escaped(s,   i, out) {
		for (i = 1; i <= length(s); i++) out = out (substr(s, i, 1) == "\\" ? "\\134" : substr(s, i, 1))
		return out
	}
	$1 == "sysctl" { value = $3; for (i = 4; i <= NF; i++) value = value "\\040" $i; print $1, $2, value; next }
	$1 == "swap" { print $1, $2, ($3 == "" ? "none" : $3); next }
	{ print escaped($0) }' "$ledger" >"$ledger.former" || return 1
	while read -r kind key was name rest; do
		sums=
		case $kind:$was in
		file:saved | tree:existed) sums=$(fingerprint "$state/saved/$name") || sums= ;; # what is lost has none, and is found then
		net:saved) sums="$(fingerprint "$state/saved/links") $(fingerprint "$state/saved/chains")" || sums= ;;
		esac
		printf '%s' "$kind $key $was"
		for word in $name $rest $sums; do printf ' %s' "$word"; done
		printf '\n'
	done <"$ledger.former"
}

# Begins a new ledger with the entries that there are. The lock is kept until the script ends: steps of one host may run at
# the same time.
open_ledger() {
	umask 077
	mkdir -p "$state/saved"
	exec 9>"$state/lock"
	flock 9
	if [ -e "$state/undone" ]; then # a reset has undone all, and was cut off while it forgot
		[ -e "$ledger" ] || { rm -rf "$state/saved" && mkdir "$state/saved"; }
		rm -f "$state/undone"
	fi
	if [ -e "$ledger" ]; then
		trust_ledger
	elif [ -n "$(ls -A "$state/saved")" ]; then
		echo "the ledger $ledger is gone, and $state/saved holds what it referred to. Nothing was changed. Put the ledger back; if" \
			"there is none, compare what is in that folder with the host, and move it away" >&2
		exit 1
	else # before the first copy, so that copies without a ledger always are a loss
		printf '%s\n' "$form" "end 0" >"$ledger.new"
		replace_ledger
	fi
	printf '%s\n' "$form" >"$ledger.new"
	entries >>"$ledger.new" || exit 1
}

known() {
	awk 'BEGIN { kind = ARGV[1]; key = ARGV[2]; ARGV[1] = ARGV[2] = "" }
	NR > 1 && $1 == kind && $2 == key { found = 1; exit }
	END { exit !found }' "$1" "$(encode "$2")" "$ledger.new"
}

# Adds an entry: KIND KEY WORD...
write() {
	kind=$1 key=$(encode "$2")
	shift 2
	printf '%s\n' "$kind $key $*" >>"$ledger.new" || exit 1
}

# Takes an entry out: KIND KEY.
strike() {
	awk 'BEGIN { kind = ARGV[1]; key = ARGV[2]; ARGV[1] = ARGV[2] = "" }
	NR == 1 || $1 != kind || $2 != key' "$1" "$(encode "$2")" "$ledger.new" >"$ledger.less" && mv "$ledger.less" "$ledger.new" || exit 1
}

# Replaces the ledger by the new one, which is on the disk then, as all that it refers to.
close_ledger() {
	echo "end $(($(wc -l <"$ledger.new") - 1))" >>"$ledger.new" && sync "$state/saved" || exit 1
	replace_ledger
	rm -f "$ledger.former"
}

replace_ledger() {
	sync "$ledger.new" && mv -f "$ledger.new" "$ledger" && sync "$state" "${state%/*}" || exit 1
}

# Puts a file back as it was, from its saved copy, if that is whole: PATH NAME SIZE SHA256.
put_back() {
	intact "$state/saved/$2" "$3" "${4:-}" || return 1
	cp -pPT --remove-destination "$state/saved/$2" "$1.fairlead-old" && intact "$1.fairlead-old" "$3" "$4" || return 1
	[ -L "$1.fairlead-old" ] || sync "$1.fairlead-old" || return 1
	mv -fT "$1.fairlead-old" "$1" && sync "${1%/*}/"
}
