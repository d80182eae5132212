# Who has a file open, for the scripts that wait for a lock or end whoever writes.

# Prints the ids of the processes that have the file open: that very file, as a container has one of the same name.
open_by() { # FILE
	opened=$(stat -L -c %d:%i "$1" 2>/dev/null) || return 0
	find /proc/[0-9]*/fd -lname "*/${1##*/}" 2>/dev/null | while read -r open; do
		[ "$(stat -L -c %d:%i "$open" 2>/dev/null)" != "$opened" ] || printf '%s\n' "$open"
	done | sed 's|/fd/[0-9]*$||; s|.*/||'
}
