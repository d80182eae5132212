# Connects to the port $2 of $1 with the first of the programs from $3 on that can, and copies: standard input there, and what comes
# from there to standard output, of which the first line is "connected". When either side has ended, all that was started ends.
# Exits 90 when no program can, else 1 when there was no connection, and says why.
host=$1 port=$2
shift 2

# What is copied by two processes ends by the end of their process group, which has to be ours alone.
read -r _ _ _ _ group _ <"/proc/$$/stat"
own() { [ "$group" = "$$" ]; }

# Each of these copies to the end, or returns 1 when there is no connection and 90 when it cannot do it at all.
by_bash() {
	own || return 90
	# Nobody listens on port 0; a bash that was built without such files looks for one of that name.
	case $(bash -c ': <"/dev/tcp/$1/0"' bash "$host" 2>&1) in *"No such file"*) return 90 ;; esac
	exec bash -c '
		exec 4<&0
		exec 3<>"/dev/tcp/$1/$2" || exit 1
		echo connected
		{ cat <&4; kill -s TERM 0; } >&3 &
		cat <&3
		kill -s TERM 0' bash "$host" "$port"
}

by_perl() {
	own && perl -MIO::Socket::IP -e 1 2>/dev/null || return 90
	perl -MIO::Socket::IP -e '
		my $far = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1]) or do { print STDERR "connect: $!\n"; exit 1 };
		$SIG{PIPE} = "IGNORE";
		syswrite STDOUT, "connected\n";
		sub copy {
			my ($from, $to) = @_;
			while (my $n = sysread $from, my $piece, 65536) {
				for (my $done = 0; $done < $n;) { $done += syswrite($to, $piece, $n - $done, $done) || return }
			}
		}
		fork ? copy($far, \*STDOUT) : copy(\*STDIN, $far);
		kill "TERM", 0;' "$host" "$port"
}

by_python3() {
	python3 -c 1 2>/dev/null || return 90
	python3 -c '
import os, socket, sys, threading
try:
    far = socket.create_connection((sys.argv[1], int(sys.argv[2])))
except OSError as e:
    sys.exit("connect: %s" % e.strerror)
os.write(1, b"connected\n")
def copy(read, write):
    try:
        while piece := read(65536):
            write(piece)
    finally:
        os._exit(0)
def say(piece):
    while piece:
        piece = piece[os.write(1, piece):]
threading.Thread(target=copy, args=(lambda n: os.read(0, n), far.sendall)).start()
copy(far.recv, say)' "$host" "$port"
}

by_socat() {
	case $host in *:*) address=[$host] ;; *) address=$host ;; esac
	socat -u /dev/null "TCP:$address:$port" || return 1
	echo connected
	exec socat STDIO "TCP:$address:$port"
}

by_nc() {
	own || return 90
	nc -z "$host" "$port" || return 1
	echo connected
	exec 4<&0
	{ cat <&4; kill -s TERM 0; } | { nc "$host" "$port"; kill -s TERM 0; }
}

for program; do
	command -v "$program" >/dev/null || continue
	"by_$program"
	code=$?
	[ "$code" = 90 ] || exit "$code"
done
exit 90
