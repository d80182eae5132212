package templates

import (
	"strings"
)

// Names of packages.
const (
	PackageKubelet      = "kubelet"
	PackageKubeadm      = "kubeadm"
	PackageKubectl      = "kubectl"
	PackageCRITools     = "cri-tools"
	PackageContainerd   = "containerd"
	PackageContainerdIO = "containerd.io"
)

// UpstreamVersion is what a package's version says of its content: without the epoch and what
// the packager has added.
func UpstreamVersion(s string) string {
	if _, rest, found := strings.Cut(s, ":"); found {
		s = rest
	}
	end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end >= 0 {
		s = s[:end]
	}
	return strings.TrimSuffix(s, ".")
}
