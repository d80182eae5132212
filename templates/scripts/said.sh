# What a host says when its node does not come up: at most a few short lines a program, without terminal escapes, which a
# log may hold.
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# short PREFIX: the last three lines of standard input.
short() {
	tail -n 3 | tr -d '\000-\010\013-\037\177' | cut -c 1-300 | while IFS= read -r said_line; do printf '%s: %s\n' "$1" "$said_line"; done
}

kubelet_said() {
	printf 'kubelet.service is %s\n' "$(systemctl show kubelet.service --property ActiveState --value)"
	journalctl --unit kubelet.service --no-pager --output cat --lines 3 2>/dev/null | short kubelet
}
