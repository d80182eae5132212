# Whether the log of this host's etcd was ever written to, for the probe and for the script that lets etcd begin anew.
etcd_member=/var/lib/etcd/member
etcd_log=$etcd_member/wal/0000000000000000-0000000000000000.wal

# Says whether the log is there as etcd makes it, and holds nothing more: there is no later one and no snapshot, and of its
# records there is none but the sum (type 4), the metadata (1) and the empty snapshot (5) that it is made with. An entry has the
# type 2, and what a member has voted 3. A record is 8 bytes that tell its length and padding, little end first, and begins
# with the field of its type; where the length is 0, etcd reads no further (server/storage/wal/decoder.go, walpb/record.proto).
etcd_unbegun() {
	for file in "$etcd_member"/wal/*.wal "$etcd_member"/snap/*.snap "$etcd_member"/snap/*.snap.db; do
		[ "$file" = "$etcd_log" ] || [ ! -e "$file" ] || return 1
	done
	[ -f "$etcd_log" ] && od -A n -v -t u1 -N 4096 "$etcd_log" | awk '
	{ for (i = 1; i <= NF; i++) byte[n++] = $i + 0 }
	END {
		for (at = 0; at + 10 <= n; at += 8 + size + padding) {
			size = byte[at] + 256 * byte[at + 1]
			padding = byte[at + 7] >= 128 ? byte[at + 7] % 8 : 0
			if (byte[at + 2] + byte[at + 3] + byte[at + 4] + byte[at + 5] + byte[at + 6] > 0) exit 1
			if (size + byte[at + 7] == 0) exit !made
			type = byte[at + 9]
			if (byte[at + 8] != 8 || type != 1 && type != 4 && type != 5) exit 1
			if (type == 1) made = 1
		}
		exit 1
	}'
}
