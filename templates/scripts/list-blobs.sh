# Prints the digests in containerd's content store that images of the kubelet consist of, one a line. What only an import
# left that was cut off is not among them, as containerd's garbage collector takes it at any time: an import that relied on
# it would fail.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
images=$(ctr --namespace k8s.io images ls)
content=$(ctr --namespace k8s.io content ls)
# Images have their digest in the third column, blobs in the first; a blob's labels name those that it refers to, see
# containerd's docs/garbage-collection.md.
printf '%s\n\n%s\n' "$images" "$content" | awk '
function reach(digest) { if (digest ~ /:/ && !(digest in reached)) { reached[digest] = 1; queue[++last] = digest } }
$0 == "" { blobs = 1; next }
!blobs { reach($3); next }
{
	there[$1] = 1
	rest = $0
	while (match(rest, /containerd\.io\/gc\.ref\.content[^=]*=[a-z0-9]+:[0-9a-f]+/)) {
		label = substr(rest, RSTART, RLENGTH)
		refers[$1] = refers[$1] " " substr(label, index(label, "=") + 1)
		rest = substr(rest, RSTART + RLENGTH)
	}
}
END {
	for (at = 1; at <= last; at++) {
		count = split(refers[queue[at]], children, " ")
		for (i = 1; i <= count; i++) reach(children[i])
		if (queue[at] in there) print queue[at]
	}
}'
