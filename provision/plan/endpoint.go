package plan

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

const (
	endpointFinding = "Endpoint"
	stepEndpoint    = "endpoint"         // kubeconfigs of a host
	stepAnswers     = "endpoint-answers" // a look at the endpoint from a host
	stepKubeProxy   = "cluster/settings/kube-proxy"
	stepInfo        = "cluster/endpoint/cluster-info"
	pathEndpoint    = "controlPlaneEndpoint"
)

// adminKubeconfigs are those of administrators on control planes.
func adminKubeconfigs() []string { return []string{templates.AdminConf, templates.SuperAdminConf} }

func asksOfEndpoint(desired.State) facts.Query {
	return facts.Query{Kubeconfigs: []string{path.Base(templates.AdminConf), path.Base(templates.SuperAdminConf), path.Base(templates.KubeletConf)}}
}

// endpoint plans the change of the control plane endpoint in all places that hold it: it is settled once API servers have
// certificates for it and it answers from every host. Whatever a place says, old, new or another, it says the new one
// afterwards. Each place works before and after: the certificates are for both.
func (p *planner) endpoint(cluster settlement) {
	p.kubeconfigFindings()
	var wrong []inventory.Host
	for _, host := range p.Cluster.Hosts() {
		if len(p.wrongServers(host)) > 0 {
			wrong = append(wrong, host)
		}
	}
	moves := p.movesEndpoint(cluster)
	from := wrong
	if moves {
		from = p.Cluster.Hosts()
	}
	for _, host := range from {
		p.lookAtEndpoint(host)
	}
	if moves {
		p.infoEndpoint()
	}
	before := p.gates
	for _, host := range wrong {
		step := p.hostEndpoint(host)
		step.Needs = append(step.Needs, before...)
		if p.restartsKubelet(step) && len(before) == len(p.gates) {
			before = append(slices.Clone(before), step.ID) // the first of them shows the others that it is well
		}
		p.add(step)
	}
}

// movesEndpoint says that what the whole cluster goes by is not the endpoint yet, or that a run was cut off that changed it.
func (p *planner) movesEndpoint(cluster settlement) bool {
	of := func(change templates.SettingChange) bool { return change.Path == pathEndpoint }
	cut := func(change templates.SettingChange) bool { return of(change) && change.From != "" }
	if slices.ContainsFunc(cluster.changes, of) || slices.ContainsFunc(cluster.cutOff, cut) {
		return true
	}
	return slices.ContainsFunc(desired.KubeconfigMaps(), func(place desired.KubeconfigMap) bool {
		_, differs := p.pointed(place)
		return differs
	})
}

// server is the URL of the endpoint.
func (p *planner) server() string { return "https://" + p.Cluster.ControlPlane.Endpoint }

// sameServer says that two URLs lead to the same API server.
func sameServer(a, b string) bool {
	hostA, hostB := hostPort(a), hostPort(b)
	return hostA != "" && strings.EqualFold(hostA, hostB)
}

// hostPort is that of the URL of a server; empty where it is none over TLS.
func hostPort(server string) string {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return desired.At(u.Hostname(), port)
}

// wrongServer is a kubeconfig on a host, and the server that it is to name.
type wrongServer struct{ path, is, want string }

// wrongServers are the kubeconfigs of a host that name another server than they should. The kubelet of a control plane speaks to
// the API server beside it, or to the endpoint, as kubeadm has made it.
func (p *planner) wrongServers(host inventory.Host) []wrongServer {
	seen, ok := p.reached(host.Name)
	if !ok {
		return nil
	}
	var wrong []wrongServer
	look := func(file, want string, alright ...string) {
		is, readable := seen.Servers[path.Base(file)]
		right := func(server string) bool { return sameServer(is, server) }
		if readable && !right(want) && !slices.ContainsFunc(alright, right) {
			wrong = append(wrong, wrongServer{file, is, want})
		}
	}
	if host.Role != inventory.RoleControlPlane {
		look(templates.KubeletConf, p.server())
		return wrong
	}
	for _, file := range adminKubeconfigs() {
		look(file, p.server())
	}
	var local []string
	for _, address := range append(addressTexts(host), "127.0.0.1", "::1", "localhost") {
		local = append(local, "https://"+desired.OfHost(address))
	}
	look(templates.KubeletConf, local[0], append(local, p.server())...)
	return wrong
}

func addressTexts(host inventory.Host) []string {
	var texts []string
	for _, address := range host.Addresses() {
		texts = append(texts, address.String())
	}
	return texts
}

// hostEndpoint plans what a host's kubeconfigs name. Programs that read one when they start are stopped before.
func (p *planner) hostEndpoint(host inventory.Host) Step {
	step := hostStep(host, StageSettle, stepEndpoint, "use the endpoint "+p.Cluster.ControlPlane.Endpoint)
	for _, wrong := range p.wrongServers(host) {
		step.because("%s names %s, want %s", wrong.path, wrong.is, wrong.want)
		point := PointKubeconfig(wrong.path, wrong.want)
		if wrong.path != templates.KubeletConf {
			step.do(point)
			continue
		}
		step.do(StopUnit(templates.KubeletService), point, StartUnit(templates.KubeletService, true))
		if _, registered := p.registered(host); registered && !p.joining(host.Name) {
			step.do(AwaitKubelet{Node: host.NodeName()})
		}
	}
	step.Needs = p.preparation(host.Name)
	return step
}

// pointHalf has what an init that was cut off has left name the endpoint that is wished for by now: kubeadm goes on with kubeconfigs
// and certificates that it finds, and refuses those for another one (cmd/kubeadm/app/phases/kubeconfig, phases/certs).
func (p *planner) pointHalf(step *Step, host inventory.Host) {
	for _, wrong := range p.wrongServers(host) {
		step.because("%s names %s, want %s", wrong.path, wrong.is, wrong.want)
		step.do(PointKubeconfig(wrong.path, wrong.want))
	}
	seen, _ := p.reached(host.Name)
	name := desired.HostOf(p.Cluster.ControlPlane.Endpoint)
	for _, certificate := range seen.Certificates {
		if certificate.Path == templates.APIServerCertificate && !slices.Contains(certificate.Names, name) {
			step.because("the API server's certificate is not for %s", name)
			step.do(forgetServerCertificate())
		}
	}
}

// restartsKubelet says that a step waits for a kubelet that was started anew.
func (p *planner) restartsKubelet(step Step) bool {
	return slices.ContainsFunc(step.Actions, func(a Action) bool { _, ok := a.(AwaitKubelet); return ok })
}

// lookAtEndpoint plans to see from a host that the endpoint answers, before anything goes by it. On a control plane its own API
// server has to have the certificate for it, too.
func (p *planner) lookAtEndpoint(host inventory.Host) {
	if _, ok := p.reached(host.Name); !ok || p.joining(host.Name) && !p.startedKubelet(host) {
		return // that it cannot be reached was said; who comes later finds it as it is by then
	}
	step := hostStep(host, StageSettle, stepAnswers, "see that the endpoint "+p.Cluster.ControlPlane.Endpoint+" answers")
	step.because("kubeconfigs are to name it")
	action := AwaitEndpoint{Endpoint: p.Cluster.ControlPlane.Endpoint}
	if host.Role == inventory.RoleControlPlane && !p.joining(host.Name) {
		action.Own = desired.OfHost(host.Address.String())
	}
	step.do(action)
	step.Needs = p.preparation(host.Name)
	for _, other := range p.Cluster.ControlPlane.Hosts {
		step.Needs = append(step.Needs, StepID(other.Name, stepSettings))
		if !p.joining(other.Name) {
			step.Needs = append(step.Needs, StepID(other.Name, stepBalancer))
		}
	}
	p.gates = append(p.gates, step.ID)
	p.add(step)
}

func (p *planner) startedKubelet(host inventory.Host) bool {
	seen, _ := p.reached(host.Name)
	return seen.KubeletStarted()
}

// pointed is a kubeconfig that the cluster hands out as it is to be; differs says that it is not. One of which it is not clear
// which server it names stays.
func (p *planner) pointed(place desired.KubeconfigMap) (text string, differs bool) {
	is := p.facts.API.Kubeconfigs[place.String()]
	if sameServer(pki.ServerLine(is), p.server()) {
		return is, false
	}
	text, err := pki.WithServerLine(is, p.server())
	if err != nil {
		return is, false // there is a finding
	}
	return text, true
}

// infoEndpoint plans what hosts that join are told. The controller manager signs it anew, which who mints a token waits for.
func (p *planner) infoEndpoint() {
	text, differs := p.pointed(desired.InfoKubeconfig())
	if !differs {
		return
	}
	step := Step{ID: stepInfo, Stage: StageSettle, Title: "tell hosts that join of the endpoint", Needs: slices.Clone(p.gates)}
	step.because("%s names %s, want %s", desired.InfoKubeconfig(), pki.ServerLine(p.facts.API.Kubeconfigs[desired.InfoKubeconfig().String()]), p.server())
	step.do(ApplyObject{Object: desired.InfoKubeconfig().Object(map[string]any{desired.InfoKubeconfig().Key: text})})
	p.add(step)
}

// joinsAfter has hosts join once the cluster goes by the endpoint: kubeadm asks it, and keeps what the cluster says.
func (p *planner) joinsAfter() {
	if len(p.gates) == 0 {
		return
	}
	var needs []string
	for _, step := range p.plan.Steps {
		host, _ := p.Cluster.Host(step.Host)
		if step.ID == stepInfo || step.ID == StepID(p.found.Host, stepKept) || slices.Contains(p.gates, step.ID) ||
			step.ID == StepID(step.Host, stepEndpoint) && host.Role == inventory.RoleControlPlane {
			needs = append(needs, step.ID)
		}
	}
	for i := range p.plan.Steps {
		if p.plan.Steps[i].ID == clusterToken {
			p.plan.Steps[i].Needs = append(p.plan.Steps[i].Needs, needs...)
		}
	}
}

// kubeconfigFindings names kubeconfigs of which it is not clear which server they name. They are left alone.
func (p *planner) kubeconfigFindings() {
	unclear := func(host, what string) {
		p.plan.Findings = append(p.plan.Findings, Finding{
			Host: host, Name: endpointFinding, Warning: true, Message: what + " names no server, or several: it stays as it is",
			Fix: "have it name https://" + p.Cluster.ControlPlane.Endpoint,
		})
	}
	for _, host := range p.Cluster.Hosts() {
		seen, ok := p.reached(host.Name)
		files := []string{templates.KubeletConf}
		if host.Role == inventory.RoleControlPlane {
			files = append(files, adminKubeconfigs()...)
		}
		for _, file := range files {
			if _, readable := seen.Servers[path.Base(file)]; ok && seen.Kubeconfigs[path.Base(file)] && !readable {
				unclear(host.Name, file)
			}
		}
	}
	for _, place := range desired.KubeconfigMaps() {
		if is, exists := p.facts.API.Kubeconfigs[place.String()]; exists && is != "" && pki.ServerLine(is) == "" {
			unclear("", "ConfigMap "+place.String())
		}
	}
}
