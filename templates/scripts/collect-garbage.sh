# Deletes the blobs that no manifest in fairlead's own registry refers to. The registry is
# stopped meanwhile: one that runs remembers blobs that are gone.
set -eu
PATH=/usr/local/bin:$PATH
systemctl stop fairlead-registry.service
trap 'systemctl start fairlead-registry.service' EXIT
trap 'trap "" HUP INT TERM; exit 1' HUP INT TERM # signals come again, and leave what EXIT does alone
OTEL_TRACES_EXPORTER=none registry garbage-collect --delete-untagged --quiet /etc/fairlead/registry/writer.yaml
