package provision

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/templates"

	"golang.org/x/net/http/httpproxy"
)

// proxied says that the inventory names a proxy.
func (w Wish) proxied() bool { return w.Cluster.Proxy.HTTP != "" || w.Cluster.Proxy.HTTPS != "" }

// proxy is the inventory's, with all that must be reached without it.
func (w Wish) proxy() templates.Proxy {
	c := w.Cluster
	no := []string{"localhost", "127.0.0.1", "::1"}
	for _, host := range c.Hosts() {
		no = append(no, host.Address.String())
	}
	if endpoint, _, err := net.SplitHostPort(c.ControlPlane.Endpoint); err == nil {
		no = append(no, endpoint)
	}
	no = append(no, c.Kubernetes.PodSubnet.String(), c.Kubernetes.ServiceSubnet.String(), ".svc", "."+w.dnsDomain())
	var all []string
	for _, entry := range append(no, c.Proxy.No...) {
		if !slices.Contains(all, entry) {
			all = append(all, entry)
		}
	}
	return templates.Proxy{HTTP: c.Proxy.HTTP, HTTPS: c.Proxy.HTTPS, No: all}
}

// proxyFunc says which proxy services of the hosts use for a URL; nil without a proxy.
func (w Wish) proxyFunc() func(*url.URL) (*url.URL, error) {
	if !w.proxied() {
		return nil
	}
	proxy := w.proxy()
	config := httpproxy.Config{HTTPProxy: proxy.HTTP, HTTPSProxy: proxy.HTTPS, NoProxy: strings.Join(proxy.No, ",")}
	return config.ProxyFunc()
}

// dnsDomain is that of the cluster's Services.
func (w Wish) dnsDomain() string {
	networking, _ := w.Cluster.Kubernetes.Config[templates.KindCluster]["networking"].(map[string]any)
	if domain, ok := networking["dnsDomain"].(string); ok && domain != "" {
		return domain
	}
	return "cluster.local"
}

// proxyFile plans the file that gives kubeadm and the package manager the proxies.
func (p *planner) proxyFile(host inventory.Host, facts HostFacts) {
	step := hostStep(host, stepProxy, "say which proxy is used")
	if p.proxied() {
		p.hostFile(&step, facts, templates.ProxyEnvironment(p.proxy()))
	} else if _, exists := facts.Files[templates.ProxyFile]; exists {
		step.because("%s is no longer wanted", templates.ProxyFile)
		step.do(RemoveFiles([]string{templates.ProxyFile}))
	}
	p.add(step)
}

// checkProxy finds the cause of a kubeadm that waits for four minutes: services that reach the
// API server through a proxy of the host's environment. With a proxy in the inventory, fairlead
// gives them the right environment.
func checkProxy(p *planner, _ inventory.Host, f HostFacts) (string, string) {
	if p.proxied() || len(f.Environment) == 0 {
		return "", ""
	}
	config := httpproxy.Config{HTTPProxy: f.Environment["HTTP_PROXY"], HTTPSProxy: f.Environment["HTTPS_PROXY"], NoProxy: f.Environment["NO_PROXY"]}
	function := config.ProxyFunc()
	var through []string
	for _, address := range p.unproxied() {
		proxy, err := function(&url.URL{Scheme: "https", Host: address})
		if name, _, errSplit := net.SplitHostPort(address); err == nil && proxy != nil && errSplit == nil && !slices.Contains(through, name) {
			through = append(through, name)
		}
	}
	if len(through) == 0 {
		return "", ""
	}
	return fmt.Sprintf("services of the host get HTTPS_PROXY=%s from systemd, and NO_PROXY lacks %s: kubeadm and the kubelet would ask the API server through the proxy, and wait for minutes",
			withoutUser(f.Environment["HTTPS_PROXY"]), strings.Join(through, ", ")),
		"name the proxy in the inventory (proxy: {https: …}), which completes NO_PROXY on every host; or add them to NO_PROXY of systemd (DefaultEnvironment in system.conf)"
}

// unproxied are the addresses that must be reached directly: the endpoint, the control planes,
// and the first address of a Service.
func (w Wish) unproxied() []string {
	c := w.Cluster
	addresses := []string{c.ControlPlane.Endpoint}
	for _, host := range c.Hosts() {
		addresses = append(addresses, net.JoinHostPort(host.Address.String(), fmt.Sprint(templates.APIServerPort)))
	}
	return append(addresses, net.JoinHostPort(c.Kubernetes.ServiceSubnet.Addr().Next().String(), "443"))
}

// withoutUser leaves the password out of a proxy's URL.
func withoutUser(proxy string) string {
	parsed, err := url.Parse(proxy)
	if err != nil {
		return "(not a URL)"
	}
	parsed.User = nil
	return parsed.String()
}
