package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"net/url"
	"slices"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"

	"golang.org/x/net/http/httpproxy"
)

// common is what is the same for all hosts, worked out once: some of it grows with the number of
// hosts, as the addresses that are reached without a proxy do.
type common struct {
	kubeadm     templates.Cluster
	images      map[string][]bundle.Image // that are imported, by host
	ownRegistry string
	registries  []templates.HostFile
	proxy       templates.Proxy
	environment templates.HostFile                   // with the proxy
	dropIns     map[string]templates.HostFile        // with the proxy, by unit
	sums        map[string]contentSum                // by path
	through     map[httpproxy.Config]hiddenAddresses // addresses that an environment's proxies hide
	serving     map[string][]string                  // requests for serving certificates, by node
	isAsked     bool                                 // the cluster's kubelets make such requests
	holders     map[netip.Addr][]string              // hosts by their addresses
	network     []string                             // IDs of the steps that may bring the pod network
}

type contentSum struct {
	content []byte
	sha256  string
}

func newCommon(wish desired.State, seen facts.Facts) common {
	c := common{
		kubeadm: wish.TemplateCluster(), images: wish.ImportedByHost(), ownRegistry: wish.OwnRegistry(), registries: wish.RegistryFiles(),
		dropIns: map[string]templates.HostFile{}, sums: map[string]contentSum{}, through: map[httpproxy.Config]hiddenAddresses{}, serving: map[string][]string{},
		holders: addressHolders(wish.Cluster, seen), network: networkSteps(wish.Cluster),
	}
	c.kubeadm.FormerEndpoints = formerEndpoints(wish.Cluster.ControlPlane.Endpoint, seen.API)
	if wish.Proxied() {
		c.proxy = wish.Proxy()
		for _, former := range c.kubeadm.FormerEndpoints {
			if !slices.Contains(c.proxy.No, former) {
				c.proxy.No = append(c.proxy.No, former)
			}
		}
		c.environment = templates.ProxyEnvironment(c.proxy)
	}
	for _, request := range seen.API.Serving {
		c.serving[request.Node] = append(c.serving[request.Node], request.Name)
	}
	fields, err := templates.ReadSettings(templates.KindKubelet, []byte(seen.API.Settings[templates.KindKubelet]))
	c.isAsked = err == nil && fields["serverTLSBootstrap"] == true
	return c
}

// networkSteps are those that may bring the pod network.
func networkSteps(cluster *inventory.Cluster) []string {
	if cluster.Addons.Network.Name != inventory.NetworkNone {
		return []string{clusterStep(desired.SetNetwork)}
	}
	var steps []string
	for _, manifest := range cluster.Addons.Manifests {
		steps = append(steps, clusterStep(manifest.Name))
	}
	return steps
}

// proxyDropIn gives a unit the inventory's proxies.
func (c *common) proxyDropIn(unit string) templates.HostFile {
	file, ok := c.dropIns[unit]
	if !ok {
		file = templates.ProxyDropIn(unit, c.proxy)
		c.dropIns[unit] = file
	}
	return file
}

// sum is the SHA-256 of a file's content, in hexadecimal. Most files are the same on all hosts.
func (c *common) sum(file templates.HostFile) string {
	if known, ok := c.sums[file.Path]; ok && bytes.Equal(known.content, file.Content) {
		return known.sha256
	}
	sum := sha256.Sum256(file.Content)
	c.sums[file.Path] = contentSum{content: file.Content, sha256: hex.EncodeToString(sum[:])}
	return c.sums[file.Path].sha256
}

// environment are the proxies that systemd gives the services of a host.
func environment(f facts.Host) httpproxy.Config {
	return httpproxy.Config{HTTPProxy: f.Environment["HTTP_PROXY"], HTTPSProxy: f.Environment["HTTPS_PROXY"], NoProxy: f.Environment["NO_PROXY"]}
}

// hidden are the addresses of the cluster that services with such an environment would ask a
// proxy for.
func (p *planner) hidden(config httpproxy.Config) (through []string, proxy string) {
	if known, ok := p.common.through[config]; ok {
		return known.addresses, known.proxy
	}
	function := config.ProxyFunc()
	var found hiddenAddresses
	seen := map[string]bool{}
	for _, address := range p.Unproxied() {
		server := &url.URL{Scheme: "https", Host: address}
		proxy, err := function(server)
		if name := server.Hostname(); err == nil && proxy != nil && !seen[name] {
			seen[name] = true
			shown := *proxy // as it is understood: the variable may lack the scheme
			shown.User = nil
			found.addresses, found.proxy = append(found.addresses, name), shown.String()
		}
	}
	p.common.through[config] = found
	return found.addresses, found.proxy
}

// hiddenAddresses are those that a proxy comes between, and that proxy without its password.
type hiddenAddresses struct {
	addresses []string
	proxy     string
}
