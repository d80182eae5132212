package desired

import (
	"fmt"

	"fairlead/inventory"
	"fairlead/provision/bundle"
)

// upstreamAddonImages are what the add-ons use when no bundle says otherwise: the releases that
// fairlead is tested with.
func upstreamAddonImages() []string {
	return []string{
		"ghcr.io/flannel-io/flannel:v0.28.7",
		"ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel1",
		"registry.k8s.io/metrics-server/metrics-server:v0.9.0",
		"docker.io/library/traefik:v3.7.6",
	}
}

// pauseVersions are those that the kubeadm of a minor asks for (cmd/kubeadm/app/constants:
// PauseVersion). Any of them would do for any minor.
func pauseVersions() map[int]string {
	return map[int]string{34: "3.10.1", 35: "3.10.1", 36: "3.10.2", 37: "3.10.2"}
}

// upstreamImages are the images of Kubernetes that are known without a bundle, with the roles
// that need them. Those of etcd and CoreDNS are not among them: kubeadm chooses their versions,
// also anew in patch releases.
func upstreamImages(cluster *inventory.Cluster) []bundle.Image {
	version := cluster.Kubernetes.Version
	controlPlane := []string{bundle.RoleControlPlane}
	both := []string{bundle.RoleControlPlane, bundle.RoleWorker}
	var all []bundle.Image
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		all = append(all, bundle.Image{Name: fmt.Sprintf("%s/%s:v%s", upstreamRepository, name, version), Roles: controlPlane})
	}
	return append(all,
		bundle.Image{Name: fmt.Sprintf("%s/kube-proxy:v%s", upstreamRepository, version), Roles: both},
		bundle.Image{Name: upstreamRepository + "/pause:" + pauseVersions()[MinorOf(version)], Roles: both},
	)
}
