package plan

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"

	"golang.org/x/net/http/httpproxy"
)

// asksOfProxy asks for the parts of units as well, which the concerns of these units plan.
func asksOfProxy(desired.State) facts.Query {
	query := facts.Query{Paths: []string{templates.ProxyFile}, Texts: []string{templates.ProxyFile}}
	for _, unit := range []string{templates.ContainerdService, templates.DockerService, templates.KubeletService} {
		path := templates.ProxyDropInPath(unit)
		query.Paths, query.Texts = append(query.Paths, path), append(query.Texts, path)
	}
	return query
}

// proxyFile plans the file that gives kubeadm and the package manager the proxies.
func (p *planner) proxyFile(host inventory.Host, facts facts.Host) {
	step := hostStep(host, stepProxy, "say which proxy is used")
	if p.Proxied() {
		p.hostFile(&step, facts, templates.ProxyEnvironment(p.Proxy()))
	} else if _, exists := facts.Files[templates.ProxyFile]; exists {
		step.because("%s is no longer wanted", templates.ProxyFile)
		step.do(RemoveFiles([]string{templates.ProxyFile}))
	}
	p.add(step)
}

// checkProxy finds the cause of a kubeadm that waits for four minutes: services that reach the
// API server through a proxy of the host's environment. With a proxy in the inventory, fairlead
// gives them the right environment.
func checkProxy(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	if p.Proxied() || len(f.Environment) == 0 {
		return "", ""
	}
	config := httpproxy.Config{HTTPProxy: f.Environment["HTTP_PROXY"], HTTPSProxy: f.Environment["HTTPS_PROXY"], NoProxy: f.Environment["NO_PROXY"]}
	function := config.ProxyFunc()
	var through []string
	var used url.URL // as it is understood: the variable may lack the scheme
	for _, address := range p.Unproxied() {
		server := &url.URL{Scheme: "https", Host: address}
		proxy, err := function(server)
		if name := server.Hostname(); err == nil && proxy != nil && !slices.Contains(through, name) {
			through, used = append(through, name), *proxy
		}
	}
	if len(through) == 0 {
		return "", ""
	}
	used.User = nil // with the password
	return fmt.Sprintf("services of the host get HTTPS_PROXY=%s from systemd, and NO_PROXY lacks %s: kubeadm and the kubelet would ask the API server through the proxy, and wait for minutes",
			used.String(), strings.Join(through, ", ")),
		"name the proxy in the inventory (proxy: {https: …}), which completes NO_PROXY on every host; or add them to NO_PROXY of systemd (DefaultEnvironment in system.conf)"
}
