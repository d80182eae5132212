# Reads an OCI image layout as a tar on standard input and imports its images for the
# kubelet: into containerd's namespace k8s.io, unpacked.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# ctr reads the stream itself, as it always did before containerd 2.0.
local=
case $(ctr images import --help) in
*--local*) local=--local ;;
esac
# shellcheck disable=SC2086 # nothing or one word
exec ctr --namespace k8s.io images import $local -
