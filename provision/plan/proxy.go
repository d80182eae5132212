package plan

import (
	"fmt"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
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
	step := hostStep(host, StagePrepare, stepProxy, "say which proxy is used")
	if p.Proxied() {
		p.hostFile(&step, facts, p.common.environment)
	} else if facts.Ours(templates.ProxyFile) {
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
	for _, name := range []string{"NO_PROXY", "HTTPS_PROXY", "HTTP_PROXY"} {
		if strings.ContainsAny(f.Environment[name], `"'`) && f.Environment["HTTPS_PROXY"]+f.Environment["HTTP_PROXY"] != "" {
			return name + " of the environment that systemd gives services has quotation marks in its value: programs take them for a part of it, and do not know what it names",
				"write it without quotation marks within the value (DefaultEnvironment in system.conf, systemctl set-environment), and systemctl daemon-reexec; or name the proxy in the inventory (proxy: {https: …})"
		}
	}
	through, used := p.hidden(environment(f))
	if len(through) == 0 {
		return "", ""
	}
	return fmt.Sprintf("services of the host get HTTPS_PROXY=%s from systemd, and NO_PROXY lacks %s: kubeadm and the kubelet would ask the API server through the proxy, and wait for minutes",
			used, strings.Join(through, ", ")),
		"name the proxy in the inventory (proxy: {https: …}), which completes NO_PROXY on every host; or add them to NO_PROXY of systemd (DefaultEnvironment in system.conf)"
}
