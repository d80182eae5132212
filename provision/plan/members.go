package plan

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/object"
	"fairlead/templates"
)

// etcdMembership is the lock of steps that change etcd's members: that is done one by one.
const etcdMembership = "etcd membership"

// rerunInit and rerunJoin are the checks of kubeadm that a repeated run must not fail on:
// they complain about what the first, half-finished run left (kubeadm's preflight/checks.go).
func rerunChecks() []string {
	return []string{
		"FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml",
		"FileAvailable--etc-kubernetes-manifests-kube-controller-manager.yaml",
		"FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml",
		"FileAvailable--etc-kubernetes-manifests-etcd.yaml",
		"FileAvailable--etc-kubernetes-kubelet.conf",
		"FileAvailable--etc-kubernetes-bootstrap-kubelet.conf",
		"FileAvailable--etc-kubernetes-pki-ca.crt",
		"DirAvailable--var-lib-etcd",
		"Port-6443", "Port-10250", "Port-10257", "Port-10259", "Port-2379", "Port-2380",
	}
}

func asksOfMembers(desired.State) facts.Query {
	return facts.Query{
		Units:        []string{templates.KubeadmService},
		Kubeconfigs:  []string{"admin.conf", "kubelet.conf", "bootstrap-kubelet.conf"},
		Texts:        []string{templates.ClusterRecord},
		Certificates: []string{"/etc/kubernetes/pki/*.crt", "/etc/kubernetes/pki/etcd/*.crt", templates.KubeletClientCertificate},
	}
}

// members plans the control plane and the workers.
func (p *planner) members() {
	if p.plan.More != "" {
		return
	}
	if !p.controlPlane() {
		return
	}
	for _, host := range p.Cluster.Hosts() {
		if facts, ok := p.reached(host.Name); ok {
			if host.Name != p.first && !p.woken(host, facts) && !p.lostData(host, facts) {
				p.member(host, facts)
			}
			p.balancer(host, facts)
			p.node(host)
		}
	}
	p.tokens()
}

// controlPlane plans the first control plane, and says whether the plan can go on to
// further members.
func (p *planner) controlPlane() bool {
	first := p.Cluster.ControlPlane.Hosts[0].Name
	if lost := p.lostMembers(); len(lost) > 0 {
		p.block("", "reach the API server", "etcd has lost its quorum")
		return false
	}
	switch found := p.found; {
	case found.Situation == facts.None:
		p.initialise(first, "initialise the first control plane", "no control plane exists", nil)
	case found.Situation == facts.Half && p.facts.Away(found.Host) != "":
		p.block(found.Host, "go on with the half-finished control plane", "the host "+p.facts.Away(found.Host))
		return false
	case found.Situation == facts.Half:
		// It uses the certificates, kubeconfigs and the etcd data that are there and goes on;
		// nothing is wiped.
		p.initialise(found.Host, "go on with the half-finished control plane", found.Reason, rerunChecks())
	case found.Situation == facts.Unknown:
		p.block(first, "initialise the first control plane", found.Reason)
		return false
	case found.Situation == facts.Silent && found.Host == "":
		p.block("", "reach the API server", found.Reason)
		return false
	case found.Situation == facts.Silent:
		p.awaitAPI(found)
		return false
	}
	return true
}

// initialise plans kubeadm init.
func (p *planner) initialise(name, title, reason string, ignore []string) {
	host, _ := p.Cluster.Host(name)
	step := hostStep(host, StageJoin, stepInit, title)
	step.because("%s", reason)
	step.Needs = p.preparation(host.Name)
	p.beginEtcd(&step)
	p.pointHalf(&step, host)
	step.do(
		p.claim(), KubeadmInit{Cluster: p.common.kubeadm, Node: p.templateNode(host, append(ignore, p.Cluster.IgnorePreflight...))}, p.claim(),
	)
	p.add(step)
	p.first = name
}

// beginEtcd has a step that needs an API server let the etcd below it begin anew, where it was cut off before it wrote anything.
func (p *planner) beginEtcd(step *Step) {
	if seen, ok := p.reached(step.Host); ok && seen.EtcdUnbegun {
		step.because("etcd was cut off before the first entry of its log, and would elect no leader")
		step.do(Script{Title: "let etcd begin anew, whose log holds no entry", Name: templates.ScriptBeginEtcd})
	}
}

// awaitAPI plans to wait for an API server that should answer and does not.
func (p *planner) awaitAPI(found facts.Cluster) {
	host, _ := p.Cluster.Host(found.Host)
	step := hostStep(host, StageAwait, "await-api", "wait for the API server")
	step.because("%s", found.Reason)
	step.Needs = p.preparation(host.Name)
	facts, _ := p.reached(host.Name)
	if kept := unsettled(facts); len(kept) > 0 {
		step.because("a change of %s was cut off", strings.Join(kept, ", "))
		step.do(RestoreManifests{Components: kept})
	}
	p.beginEtcd(&step)
	step.do(AwaitAPI{})
	p.add(step)
	p.plan.More = "the API server on " + host.Name + " does not answer yet"
}

// member plans the join of a host that is not in the cluster, or the repair of one that
// is there in part.
func (p *planner) member(host inventory.Host, facts facts.Host) {
	node, registered := p.registered(host)
	switch {
	case p.foreign(facts):
		p.plan.Findings = append(p.plan.Findings, Finding{
			Host: host.Name, Name: "ForeignCluster",
			Message: "the host belongs to another cluster: its " + templates.CACertificate + " is not this cluster's",
			Fix:     "correct the host's address; or, if that cluster is no longer wanted on it: " + p.undoing(host),
		})
	case facts.Joined() && !slices.Contains([]string{"", host.NodeName()}, facts.NodeName()):
		p.plan.Findings = append(p.plan.Findings, Finding{
			Host: host.Name, Name: "NodeName",
			Message: fmt.Sprintf("the host is in the cluster as node %s, and the inventory calls its node %s", facts.NodeName(), host.NodeName()),
			Fix:     "write nodeName: " + facts.NodeName() + " beside the host's name in the inventory",
		})
	case !facts.Joined():
		p.join(host, facts)
	case host.Role == inventory.RoleControlPlane && p.halfControlPlane(host, facts):
		p.join(host, facts)
	case !registered && p.found.Answers:
		step := hostStep(host, StageJoin, stepJoin, "register the node again")
		step.because("the host has joined but there is no Node %s", host.NodeName())
		step.Needs = append(p.preparation(host.Name), StepID(host.Name, stepEndpoint))
		step.do(RestartUnit(templates.KubeletService), AwaitNode{Name: host.NodeName()})
		p.add(step)
	case registered && node.Unschedulable:
		p.plan.Findings = append(p.plan.Findings, Finding{
			Host: host.Name, Name: "Cordoned", Warning: true, Message: "the node is cordoned",
			Fix: "kubectl uncordon " + host.NodeName() + " when it may take pods again",
		})
	}
}

// foreign says that the host's CA is another one than the cluster's.
func (p *planner) foreign(seen facts.Host) bool {
	if seen.CA == nil || !seen.KubeletStarted() {
		return false
	}
	via, ok := p.reached(p.found.Host)
	if !p.found.Answers || !ok || via.CA == nil {
		return p.found.Situation == facts.None
	}
	same, err := pki.SameCA(seen.CA, via.CA)
	return err == nil && !same
}

// halfControlPlane says that a further control plane has not finished its join: kubeadm
// marks the node last (join phase control-plane-join/mark-control-plane).
func (p *planner) halfControlPlane(host inventory.Host, facts facts.Host) bool {
	if !p.found.Answers || host.Name == p.found.Host {
		return false
	}
	node, _ := p.registered(host)
	_, marked := node.Labels[object.LabelControlPlane]
	return !facts.WholeControlPlane() || !marked
}

func (p *planner) join(host inventory.Host, facts facts.Host) {
	step := hostStep(host, StageJoin, stepJoin, "join as "+string(host.Role))
	ignore := p.Cluster.IgnorePreflight
	if node, ok := p.registered(host); ok && node.Ready && !facts.KubeletCredentials {
		p.plan.Findings = append(p.plan.Findings, Finding{
			Host: host.Name, Name: "DuplicateNode",
			Message: "the cluster has a Ready node of this name that is another machine",
			Fix:     "give the host another name, or remove that node first; if it is this host, emptied or replaced a moment ago, run the same command again in a minute",
		})
		return
	}
	if facts.Kubeconfigs["kubelet.conf"] || facts.Kubeconfigs["bootstrap-kubelet.conf"] || facts.CA != nil || len(facts.Manifests) > 0 {
		step.because("an earlier join has not finished")
		ignore = append(rerunChecks(), ignore...)
	} else {
		step.because("the host is not in the cluster")
	}
	step.Needs = slices.Concat(p.preparation(host.Name), []string{clusterToken, StepID(host.Name, stepEndpoint)}, p.afterInit(), p.behindEndpoint(host))
	action := KubeadmJoin{
		Cluster: p.common.kubeadm, Node: p.templateNode(host, ignore),
		ControlPlane: host.Role == inventory.RoleControlPlane, KubeletStarted: facts.Joined(),
	}
	if mark, removed := p.markOf(host, facts); removed { // it has nothing of what it had: see woken
		step.do(ForgetRemoved{Node: mark.Node})
	}
	step.do(p.claim())
	if action.ControlPlane {
		step.Lock = etcdMembership
		p.formerMember(&step, host, facts)
		step.do(CopyPKI{})
		p.ownCertificate(&step, host)
	}
	step.do(action, p.claim(), AwaitNode{Name: host.NodeName()})
	p.add(step)
}

// tokens plans the bootstrap token of this run, if anybody joins, and its end in any case;
// and the removal of what a killed run left.
func (p *planner) tokens() {
	if stale := p.facts.API.StaleTokens; len(stale) > 0 {
		step := Step{ID: "cluster/token/sweep", Stage: StageJoin, Title: "delete bootstrap tokens of an earlier run"}
		step.because("%d left: ids %s", len(stale), strings.Join(stale, ", "))
		step.do(DeleteTokens{IDs: stale})
		p.add(step)
	}
	var joins []string
	for _, step := range p.plan.Steps {
		for _, action := range step.Actions {
			if _, ok := action.(KubeadmJoin); ok {
				joins = append(joins, step.ID)
			}
		}
	}
	if len(joins) == 0 {
		return
	}
	mint := Step{ID: clusterToken, Stage: StageJoin, Title: "mint a bootstrap token and read the CA certificate hash (known after init)"}
	mint.because("hosts join")
	mint.Needs = p.afterInit()
	mint.do(MintToken{})
	// It needs the mint too: a run that stops before anybody has joined has a token all the same.
	revoke := Step{ID: ClusterRevoke, Stage: StageJoin, Title: "delete the bootstrap token", Needs: append([]string{clusterToken}, joins...), Finally: true}
	revoke.because("no token outlives its run")
	revoke.do(RevokeToken{})
	first := joins[0]
	p.insert(mint, func(s Step) bool { return s.ID == first })
	p.add(revoke)
}

// formerMember plans to take the member out that an earlier control plane of this name and address has left in etcd. What has
// data of etcd is a member that goes on where it was.
func (p *planner) formerMember(step *Step, host inventory.Host, seen facts.Host) {
	via, _ := p.reached(p.found.Host)
	if p.found.Situation != facts.Living || !slices.Contains(via.Manifests, etcdManifest) || slices.Contains(seen.Manifests, etcdManifest) || seen.NotEmpty[etcdFolder] {
		return
	}
	if _, exists := p.registered(host); exists {
		step.because("node %s is there, and the host has no data of etcd", host.NodeName())
	}
	step.do(RemoveFormerMember{Node: host.NodeName(), Address: host.Address})
	if node, exists := p.registered(host); exists && !node.Ready && bare(seen) {
		// Its mirror pods would tell kubeadm of a member that is gone, and stop upgrades.
		step.do(ForgetNode{Name: node.Name})
	}
}

// bare says that a host has nothing of a cluster, so that a node of its name is what a former machine has left.
func bare(seen facts.Host) bool {
	return !seen.KubeletStarted() && !seen.Kubeconfigs["bootstrap-kubelet.conf"] && !facts.HasControlPlane(seen)
}

const (
	etcdManifest = templates.ComponentEtcd + ".yaml"
	etcdFolder   = "/var/lib/etcd"
)
