# Sets kernel parameters, given as KEY=VALUE, and reads them back.
set -eu
for assignment in "$@"; do
	key=${assignment%%=*}
	value=${assignment#*=}
	path=/proc/sys/$(printf '%s' "$key" | tr . /)
	if [ ! -w "$path" ]; then
		echo "the kernel has no parameter $key" >&2
		exit 1
	fi
	printf '%s\n' "$value" >"$path"
	now=$(cat "$path") # not read: the kernel answers only the first byte of a byte-wise reader
	if [ "$now" != "$value" ]; then
		echo "$key is $now after it was set to $value" >&2
		exit 1
	fi
done
