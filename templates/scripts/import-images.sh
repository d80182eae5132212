# Reads an OCI image layout as a tar on standard input and imports its images for the
# kubelet: into containerd's namespace k8s.io, unpacked.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec ctr --namespace k8s.io images import --local -
