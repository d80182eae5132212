package desired

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/object"
	"fairlead/templates"
)

// KubeconfigMap is a ConfigMap with a kubeconfig that the cluster hands out.
type KubeconfigMap struct{ Namespace, Name, Key string }

// KubeconfigMaps are those of kubeadm (cmd/kubeadm/app/phases/addons/proxy, phases/bootstraptoken/clusterinfo).
func KubeconfigMaps() []KubeconfigMap { return []KubeconfigMap{ProxyKubeconfig(), InfoKubeconfig()} }

// ProxyKubeconfig is that with which kube-proxy finds the API server.
func ProxyKubeconfig() KubeconfigMap {
	return KubeconfigMap{"kube-system", "kube-proxy", "kubeconfig.conf"}
}

// InfoKubeconfig is that with which hosts that join find it.
func InfoKubeconfig() KubeconfigMap {
	return KubeconfigMap{"kube-public", "cluster-info", "kubeconfig"}
}

// String is NAMESPACE/NAME.
func (m KubeconfigMap) String() string { return m.Namespace + "/" + m.Name }

// Object is the ConfigMap with some data.
func (m KubeconfigMap) Object(data map[string]any) map[string]any {
	item := object.ConfigMap(m.Name, data)
	item["metadata"] = map[string]any{"namespace": m.Namespace, "name": m.Name}
	return item
}

// FormerEndpoints is the key of the record of settings for hosts of endpoints that the cluster had: API servers go on to have
// certificates for them. ProxyToCome is there while kube-proxy's pods may run with another configuration than the cluster keeps.
const (
	FormerEndpoints = "formerEndpoints"
	ProxyToCome     = "kube-proxy" + SettingsToCome + "pods"
)

// WithEndpoint is the wish with another control plane endpoint, host:port, in all that holds it.
func (w State) WithEndpoint(endpoint string) (State, error) {
	if w.Cluster.ControlPlane.Endpoint == endpoint {
		return w, nil
	}
	cluster := *w.Cluster
	cluster.ControlPlane.Endpoint = endpoint
	w.Cluster = &cluster
	set, err := networkSet(w)
	i := slices.IndexFunc(w.Addons, func(s AddonSet) bool { return s.Name == SetNetwork })
	if err != nil || set == nil || i < 0 {
		return w, err
	}
	for _, item := range set.Objects {
		label(item, object.LabelAddon, SetNetwork)
	}
	w.Addons = slices.Clone(w.Addons)
	w.Addons[i].Objects = set.Objects
	return w, nil
}

// HostOf is the host of host:port; empty where a text is none.
func HostOf(endpoint string) string {
	host, _, err := net.SplitHostPort(endpoint)
	if err != nil {
		return ""
	}
	return host
}

// WithPort is host:port of a host, which may be an address of IPv6, or of one with its port already: an API server's port else.
func WithPort(endpoint string) string {
	if HostOf(endpoint) != "" {
		return endpoint
	}
	return net.JoinHostPort(strings.Trim(endpoint, "[]"), strconv.Itoa(templates.APIServerPort))
}

// OfHost is where the API server of a host is that has an address, a name or one of IPv6 among them.
func OfHost(address string) string {
	return net.JoinHostPort(address, strconv.Itoa(templates.APIServerPort))
}

// At is host:port.
func At(host, port string) string { return net.JoinHostPort(host, port) }

// ExternalEndpoint says that the endpoint is a load balancer of somebody else's: control planes do not share it, and none of the hosts has
// its address.
func (w State) ExternalEndpoint() bool {
	host, _, err := net.SplitHostPort(w.Cluster.ControlPlane.Endpoint)
	if err != nil || w.Cluster.ControlPlane.LoadBalancer != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	return err != nil || !slices.ContainsFunc(w.Cluster.Hosts(), func(h inventory.Host) bool { return slices.Contains(h.Addresses(), address) })
}
