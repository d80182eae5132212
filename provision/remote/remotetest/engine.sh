#!/bin/sh
# Stands in for the client of a container engine: its containers are folders of this one, and what runs in them runs on this machine, in
# sessions of its own that outlive the client, as they do with a real one. What it is not asked for, or asked in another way, it refuses.
dir=@DIR@ path=@PATH@ context=@CONTEXT@
printf '%s\n' "$1 $2 $3 $4 $5 $6 $7 $8 $9" >>"$dir/calls" # what comes after that may have lines
refuse() {
	echo "$1" >&2
	exit "${2:-1}"
}
if [ -f "$dir/broken" ]; then
	refuse "$(cat "$dir/broken")"
fi
if [ -f "$dir/hangs" ]; then
	exec sleep 1000
fi
case $1 in
"$context")
	[ "$2" = lab ] || refuse "context \"$2\": context not found"
	shift 2
	;;
esac

# container is the folder of a container that is named by its name or ID.
container() {
	for folder in "$dir"/containers/*; do
		case $1 in "$(cat "$folder/id")" | "${folder##*/}") return 0 ;; esac
	done
	refuse "Error response from daemon: No such container: $1"
}

case $1 in
exec)
	[ "$2 $3 $4" = "-i --user 0" ] || refuse "unexpected: exec $2 $3 $4" 125
	container "$5"
	[ "$(cat "$folder/status")" = running ] || refuse "Error response from daemon: container $5 is not running"
	shift 5
	[ -z "$path" ] || set -- /usr/bin/env PATH="$path" "$@"
	exec 3<&0
	/usr/bin/setsid "$@" <&3 3<&- &
	read -r stat <"/proc/$!/stat" && echo "$! $(echo "$stat" | cut -d' ' -f22)" >>"$folder/processes"
	exec <&- 3<&- >&- 2>&-
	wait "$!"
	exit "$?"
	;;
container)
	[ "$2" = inspect ] || refuse "unexpected: $*" 125
	shift 2
	for name; do
		container "$name"
		text=$text${text:+,}$(sed "s/@STATUS@/$(cat "$folder/status")/" "$folder/inspect")
	done
	echo "[$text]"
	;;
ps)
	[ "$2 $3 $4 $5" = "--all --quiet --no-trunc --filter" ] || refuse "unexpected: $*" 125
	for folder in "$dir"/containers/*; do
		while read -r label; do
			case label=$label in "$6" | "$6="*) cat "$folder/id" ;; esac
		done <"$folder/labels"
	done
	;;
*) refuse "unexpected: $*" 125 ;;
esac
