# Lets the etcd of this host begin anew, if its log proves that it never began. A host that loses its power after etcd has made its
# log and before it has written the first entry has an etcd that knows no member of its cluster, not even itself: it elects
# no leader ever after. Nothing was promised to anybody by then, and nothing is lost with that log.
# shellcheck disable=SC2154 # variables and functions of the texts that come before it
set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
[ -f "$etcd_log" ] || exit 0
gone=/var/lib/etcd/fairlead-unbegun

# They are held while the log is looked at once more: one that has just been started may be about to write.
pids=$(open_by "$etcd_log")
for pid in $pids; do kill -STOP "$pid"; done
if etcd_unbegun; then
	verdict=KILL
	rm -rf "$gone"
	mv "$etcd_member" "$gone"
	echo "the log of etcd held no entry, and etcd begins anew"
else
	verdict=CONT
fi
for pid in $pids; do kill "-$verdict" "$pid"; done
rm -rf "$gone"
