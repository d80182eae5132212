package world

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net"
	"net/netip"
	"slices"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/bundle"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/object"
	"fairlead/templates"
)

// ChangeHost changes the facts of one host.
func ChangeHost(f facts.Facts, name string, change func(*facts.Host)) {
	host := f.Hosts[name]
	change(&host)
	f.Hosts[name] = host
}

// ChangeNode changes one node, whose maps may be those of others.
func ChangeNode(f facts.Facts, name string, change func(*object.Node)) {
	node := f.API.Nodes[name]
	node.Labels, node.Annotations = maps.Clone(node.Labels), maps.Clone(node.Annotations)
	change(&node)
	f.API.Nodes[name] = node
}

func sortImages(images []bundle.Image) {
	slices.SortFunc(images, func(a, b bundle.Image) int { return cmp.Compare(a.Name, b.Name) })
}

// DaemonJSON gives a host a configuration of Docker Engine.
func DaemonJSON(text string) func(*facts.Host) {
	return func(h *facts.Host) { Written(h, templates.DockerConfigPath, 0o600, []byte(text)) }
}

// Written puts a file on a host.
func Written(h *facts.Host, path string, mode uint32, content []byte) {
	sum := sha256.Sum256(content)
	h.Files[path] = facts.File{Mode: mode, SHA256: hex.EncodeToString(sum[:])}
	h.Contents[path] = content
}

// Claimed has a host say that fairlead has made it one of a cluster, with the CA that it has.
func Claimed(h *facts.Host, cluster string) {
	hash, _ := pki.CAHash(h.CA) // empty where there is none
	Written(h, templates.ClusterRecord, 0o644, ledger.Whose{Cluster: cluster, CA: hash}.Text())
}

// Kubeconfig is one that names a server, and has nothing else.
func Kubeconfig(server string) string { return "clusters:\n- cluster:\n    server: " + server + "\n" }

// Kubeconfigs are those that a cluster with an endpoint hands out.
func Kubeconfigs(endpoint string) map[string]string {
	all := map[string]string{}
	for _, place := range desired.KubeconfigMaps() {
		all[place.String()] = Kubeconfig("https://" + endpoint)
	}
	return all
}

// LocalServer is the API server of a control plane's host.
func LocalServer(host inventory.Host) string {
	return "https://" + netip.AddrPortFrom(host.Address, inventory.DefaultAPIPort).String()
}

// NoRoute is why a host cannot be reached.
func NoRoute() *facts.Problem {
	return &facts.Problem{Kind: facts.HostUnreachable, Text: "no route to host"}
}

// Forbidden is why an API server that answers says nothing.
func Forbidden() *facts.Problem {
	return &facts.Problem{Kind: facts.APIRefuses, Text: "the API server refuses this administrator"}
}

// Refused is why an API server does not answer.
func Refused() *facts.Problem {
	return &facts.Problem{Kind: facts.APINoAnswer, Text: "connection refused"}
}

// endpointHost is the host of a cluster's endpoint.
func endpointHost(wish desired.State) string {
	host, _, _ := net.SplitHostPort(wish.Cluster.ControlPlane.Endpoint)
	return host
}
