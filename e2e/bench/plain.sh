#!/usr/bin/env bash
# Makes a cluster the plain way: by ssh and scp, one host after another, from the bundle.
#
#   plain.sh CONTROL-PLANE WORKER...     addresses of the hosts
#
# Environment: BUNDLE (the bundle's tar file), KUBEADM (configuration for kubeadm init),
# FLANNEL (manifest of the pod network), KEY and KNOWN_HOSTS (for ssh), LOGIN (may use sudo
# without a password).
set -euo pipefail

control_plane=$1
shift
options=(-i "$KEY" -o IdentitiesOnly=yes -o BatchMode=yes -o "UserKnownHostsFile=$KNOWN_HOSTS" -o LogLevel=ERROR)

on() { # ADDRESS COMMAND...
  local address=$1
  shift
  # shellcheck disable=SC2029 # the words are meant for this side
  ssh "${options[@]}" "$LOGIN@$address" "$@"
}

prepare() { # ADDRESS ROLE
  echo "=== $1: prepare a $2"
  scp -q "${options[@]}" "$BUNDLE" "$LOGIN@$1:/var/tmp/bundle.tar"
  on "$1" sudo bash -s -- "$2" <<'HOST'
set -euo pipefail
role=$1
mkdir /var/tmp/bundle
tar -xf /var/tmp/bundle.tar -C /var/tmp/bundle
cd /var/tmp/bundle
blob() { echo "blobs/${1/:/\/}"; }

# What the bundle holds.
tagged=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "fairlead.bundle").digest' index.json)
manifest=$(blob "$(jq -r '.layers[0].digest' "$(blob "$tagged")")")

# Kernel.
swapoff -a
sed -i '/^[^#].*\sswap\s/s/^/#/' /etc/fstab
printf 'overlay\nbr_netfilter\n' >/etc/modules-load.d/kubernetes.conf
for module in overlay br_netfilter; do modprobe "$module" || echo "$module may be built in"; done
cat >/etc/sysctl.d/90-kubernetes.conf <<'CONF'
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1
CONF
sysctl -q -p /etc/sysctl.d/90-kubernetes.conf

# Binaries.
for layer in $(jq -r '.components[].layers[].digest' "$manifest"); do
  tar -xzf "$(blob "$layer")" -C / --no-same-owner
done

# containerd.
mkdir -p /etc/containerd /etc/systemd/system/kubelet.service.d
cat >/etc/containerd/config.toml <<'CONF'
version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = 'registry.k8s.io/pause:3.10.2'
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  SystemdCgroup = true
CONF
cat >/etc/systemd/system/containerd.service <<'CONF'
[Unit]
Description=containerd
After=network.target
[Service]
Type=notify
ExecStart=/usr/local/bin/containerd
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
LimitNOFILE=infinity
TasksMax=infinity
[Install]
WantedBy=multi-user.target
CONF

# kubelet, as the Kubernetes packages have it.
cat >/etc/systemd/system/kubelet.service <<'CONF'
[Unit]
Description=kubelet
After=containerd.service
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/local/bin/kubelet
Restart=always
RestartSec=10
[Install]
WantedBy=multi-user.target
CONF
cat >/etc/systemd/system/kubelet.service.d/10-kubeadm.conf <<'CONF'
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
CONF
systemctl daemon-reload
systemctl enable -q --now containerd
systemctl enable -q kubelet

# Images of the role: an index of just these, and their blobs.
mv index.json all.json
jq --arg role "$role" --slurpfile bundle "$manifest" \
  '[$bundle[0].images[] | select(.roles | index($role)).name] as $names
   | .manifests |= map(select(.annotations["org.opencontainers.image.ref.name"] as $name | $names | index($name)))' \
  all.json >index.json
{
  printf '%s\n' oci-layout index.json
  for image in $(jq -r '.manifests[].digest' index.json); do
    blob "$image"
    for part in $(jq -r '.config.digest, .layers[].digest' "$(blob "$image")"); do blob "$part"; done
  done
} | sort -u >files
tar -cf - -T files | ctr -n k8s.io images import -

cd /
rm -r /var/tmp/bundle /var/tmp/bundle.tar
HOST
}

kubectl() { on "$control_plane" sudo kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }

prepare "$control_plane" control-plane
for worker in "$@"; do prepare "$worker" worker; done

echo "=== $control_plane: kubeadm init"
on "$control_plane" sudo tee /root/kubeadm.yaml <"$KUBEADM" >/dev/null
on "$control_plane" sudo kubeadm init --config /root/kubeadm.yaml
kubectl apply -f - <"$FLANNEL"

join=$(on "$control_plane" sudo kubeadm token create --print-join-command)
for worker in "$@"; do
  echo "=== $worker: kubeadm join"
  # shellcheck disable=SC2086 # the join command is words
  on "$worker" sudo $join --ignore-preflight-errors=SystemVerification
done
until [ "$(kubectl get nodes --no-headers | wc -l)" = $(($# + 1)) ]; do sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=5m
