package desired

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"fairlead/templates"

	"golang.org/x/net/http/httpproxy"
)

// Proxied says that the inventory names a proxy.
func (w State) Proxied() bool { return w.Cluster.Proxy.HTTP != "" || w.Cluster.Proxy.HTTPS != "" }

// Proxy is the inventory's, with all that must be reached without it.
func (w State) Proxy() templates.Proxy {
	c := w.Cluster
	no := []string{"localhost", "127.0.0.1", "::1"}
	for _, host := range c.Hosts() {
		for _, address := range host.Addresses() {
			no = append(no, address.String())
		}
	}
	if endpoint, _, err := net.SplitHostPort(c.ControlPlane.Endpoint); err == nil {
		no = append(no, endpoint)
	}
	if balancer := c.ControlPlane.LoadBalancer; balancer != nil {
		no = append(no, balancer.VIP.String())
	}
	for _, subnet := range slices.Concat(c.Kubernetes.PodSubnet, c.Kubernetes.ServiceSubnet) {
		no = append(no, subnet.String())
	}
	no = append(no, ".svc", "."+w.dnsDomain())
	var all []string
	known := map[string]bool{}
	for _, entry := range append(no, c.Proxy.No...) {
		if !known[entry] {
			all, known[entry] = append(all, entry), true
		}
	}
	return templates.Proxy{HTTP: c.Proxy.HTTP, HTTPS: c.Proxy.HTTPS, No: all}
}

// ProxyFunc says which proxy services of the hosts use for a URL; nil without a proxy.
func (w State) ProxyFunc() func(*url.URL) (*url.URL, error) {
	if !w.Proxied() {
		return nil
	}
	proxy := w.Proxy()
	config := httpproxy.Config{HTTPProxy: proxy.HTTP, HTTPSProxy: proxy.HTTPS, NoProxy: strings.Join(proxy.No, ",")}
	return config.ProxyFunc()
}

// dnsDomain is that of the cluster's Services.
func (w State) dnsDomain() string {
	networking, _ := w.Cluster.Kubernetes.Config[templates.KindCluster]["networking"].(map[string]any)
	if domain, ok := networking["dnsDomain"].(string); ok && domain != "" {
		return domain
	}
	return "cluster.local"
}

// Unproxied are the addresses that must be reached directly: the endpoint, the control planes,
// and the first address of a Service, which the Service of the API server has.
func (w State) Unproxied() []string {
	c := w.Cluster
	addresses := []string{c.ControlPlane.Endpoint}
	for _, host := range c.Hosts() {
		addresses = append(addresses, net.JoinHostPort(host.Address.String(), fmt.Sprint(templates.APIServerPort)))
	}
	return append(addresses, net.JoinHostPort(c.Kubernetes.ServiceSubnet[0].Addr().Next().String(), "443"))
}
