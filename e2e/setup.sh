#!/usr/bin/env bash
# Installs what building and testing need on Debian and Ubuntu: as root or through sudo,
# and only what is missing.
set -euo pipefail

declare -A package_of=(
  [dockerd]=docker.io [mmdebstrap]=mmdebstrap [sshd]=openssh-server [ssh]=openssh-client
  [shellcheck]=shellcheck [gcc]=gcc [openssl]=openssl [jq]=jq [iptables]=iptables [ip]=iproute2 [pkg-config]=pkg-config
  # What users of hosts become root by.
  [sudo]=sudo [doas]=opendoas
  # Login shells that users of hosts may have.
  [zsh]=zsh [fish]=fish [tcsh]=tcsh [ksh]=ksh [mksh]=mksh [busybox]=busybox
)
missing=()
for program in "${!package_of[@]}"; do
  PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || missing+=("${package_of[$program]}")
done
[ -e /usr/include/seccomp.h ] || missing+=(libseccomp-dev)
[ ${#missing[@]} -gt 0 ] || exit 0

sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "setup: be root or install sudo, to install: ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
command -v apt-get >/dev/null || { echo "setup: install these yourself: ${missing[*]}" >&2; exit 1; }
echo "installing ${missing[*]}" >&2
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
