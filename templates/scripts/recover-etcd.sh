# Parts of the recovery of an etcd that has lost its quorum, on the host of the member that is left. Its first argument is the part.
#   begin NODE...  stops etcd: writes down that the nodes are given up, and takes its manifest away
#   copy           keeps a copy of etcd's data; etcd must not run
#   settled        waits until the etcd that runs is none that forgets the others when it starts
#   back           undoes begin
#   end            forgets that there was a recovery; the copy stays
# Each can be run again after it was cut off.
# shellcheck disable=SC2154 # functions of the text that comes before it
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 077
manifest=/etc/kubernetes/manifests/etcd.yaml
folder=/var/lib/fairlead/recovery
data=/var/lib/etcd/member
db=$data/snap/db

# put FILE TARGET: moves a file to its place, whole or not at all, also when the power fails.
put() {
	sync "$1"
	mv "$1" "$2"
	sync "${2%/*}"
}

# until_true SECONDS WHAT COMMAND...: waits for a command to succeed.
until_true() {
	left=$1
	what=$2
	shift 2
	until "$@"; do
		[ "$left" -gt 0 ] || {
			echo "waited in vain until $what" >&2
			exit 1
		}
		left=$((left - 1))
		sleep 1
	done
}

stopped() { [ -z "$(open_by "$db")" ]; }

# There is an etcd at work on the data, and none that was started with the flag.
settled() {
	pids=$(open_by "$db")
	[ -n "$pids" ] || return 1
	for pid in $pids; do
		! tr '\000' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -q '^--force-new-cluster' || return 1
	done
}

case $1 in
begin)
	shift
	[ -d "$data" ] || {
		echo "$data is not there" >&2
		exit 1
	}
	need=$(du -sk "$data" | cut -f 1)
	mkdir -p "$folder"
	free=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
	[ "$free" -gt $((need + need / 10 + 65536)) ] || {
		echo "a copy of $data takes $need KiB, and $folder has $free KiB free" >&2
		exit 1
	}
	{
		echo begun
		for node in "$@"; do printf 'lost %s\n' "$node"; done
	} >"$folder/mark.part"
	put "$folder/mark.part" "$folder/mark"
	if [ -f "$manifest" ]; then
		cp "$manifest" "$folder/etcd.yaml.part"
		put "$folder/etcd.yaml.part" "$folder/etcd.yaml"
		rm "$manifest"
	fi
	until_true 120 "etcd had ended" stopped
	;;
copy)
	stopped || {
		echo "etcd runs" >&2
		exit 1
	}
	rm -rf "$folder/member.part"
	cp -a "$data" "$folder/member.part"
	find "$folder/member.part" -type f -exec sync {} +
	rm -rf "$folder/member"
	put "$folder/member.part" "$folder/member"
	;;
settled)
	until_true 120 "etcd ran without --force-new-cluster" settled
	;;
back)
	if [ ! -f "$manifest" ] && [ -f "$folder/etcd.yaml" ]; then
		cp "$folder/etcd.yaml" "$folder/etcd.yaml.part"
		sync "$folder/etcd.yaml.part"
		# By way of the manifests' file system, under a name that the kubelet does not read.
		cp "$folder/etcd.yaml.part" "${manifest%/*}/.etcd.yaml.part"
		put "${manifest%/*}/.etcd.yaml.part" "$manifest"
		rm "$folder/etcd.yaml.part"
	fi
	rm -f "$folder/mark" "$folder/etcd.yaml"
	;;
end)
	rm -f "$folder/mark" "$folder/etcd.yaml"
	;;
esac
