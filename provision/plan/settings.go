package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/object"
	"fairlead/templates"
)

const (
	settingsFinding   = "Settings"
	controlPlaneTitle = "change the control plane's settings"
)

func asksOfSettings(desired.State) facts.Query {
	query := facts.Query{Texts: []string{templates.ManifestPath("*"), templates.KubeletConfigFile}}
	for _, component := range templates.Components() {
		query.Paths = append(query.Paths, templates.FormerManifest(component))
	}
	return query
}

// settings plans the changes of a living cluster's configuration: control planes one after
// another, then what the cluster keeps of it, then kubelets host by host. The record comes
// last, so that a run that is cut off is gone on with.
func (p *planner) settings() {
	wanted, err := templates.WantedSettings(p.common.kubeadm)
	if err != nil {
		p.block("", "compare the cluster's settings", err.Error())
		return
	}
	if p.first != "" {
		p.recordSettings(wanted, "the cluster is new")
		return
	}
	if !p.found.Answers || p.plan.More != "" {
		return
	}
	all, err := p.settle(wanted)
	if err != nil {
		p.block("", "compare the cluster's settings", err.Error())
		return
	}
	if p.fixedSettings(all[templates.KindCluster]) {
		return
	}
	p.controlPlaneSettings(all)
	p.endpoint(all[templates.KindCluster])
	p.keptSettings(all)
	p.kubeProxySettings(all)
	p.kubeletSettings(all)
	p.joinsAfter()
	if !p.sameRecord(wanted) || p.has(stepKubeProxy) {
		p.announceSettings(wanted)
		p.recordSettings(wanted, "the record of the settings differs")
	}
}

// fixedSettings finds changes that a living cluster cannot take.
func (p *planner) fixedSettings(cluster settlement) bool {
	found := false
	for _, change := range cluster.changes {
		if rule := ruleOf(change); rule.fixed != "" && change.From != "" {
			p.plan.Findings = append(p.plan.Findings, Finding{
				Name: settingsFinding, Message: fmt.Sprintf("%s, and %s", change, rule.fixed),
				Fix: "put back the value that the cluster has; or reset the cluster and make it anew",
			})
			found = true
		}
	}
	return found
}

// keptSettings plans what the cluster keeps for kubeadm and for nodes that join, and
// kubeadm's add-ons.
func (p *planner) keptSettings(all map[string]settlement) {
	via, ok := p.Cluster.Host(p.found.Host)
	phases := keptPhases(all)
	if !ok || len(phases) == 0 {
		return
	}
	step := hostStep(via, StageSettle, stepKept, "keep the settings in the cluster")
	if away := p.facts.Away(via.Name); away != "" {
		p.block(via.Name, step.Title, "the host "+away)
		return
	}
	for _, kind := range []string{templates.KindCluster, templates.KindKubelet} {
		for _, change := range all[kind].changes {
			step.because("%s.%s", kind, change)
		}
	}
	documents, err := p.reconfiguration(via, all)
	if err != nil {
		p.block(via.Name, step.Title, err.Error())
		return
	}
	for _, phase := range phases {
		step.do(RunKubeadm{Document: documents, Verb: phase})
	}
	for _, host := range p.Cluster.ControlPlane.Hosts {
		if p.isBlocked(host.Name, controlPlaneTitle) {
			p.block(via.Name, step.Title, "the control plane "+host.Name+" could not be changed")
			return
		}
		step.Needs = append(step.Needs, StepID(host.Name, stepSettings))
	}
	step.Needs = append(step.Needs, p.gates...)
	step.Needs = append(step.Needs, StepID(via.Name, stepEndpoint)) // kubeadm asks where admin.conf says
	p.add(step)
}

// keptPhases are the phases of kubeadm that write what the cluster keeps.
func keptPhases(all map[string]settlement) [][]string {
	var phases [][]string
	if len(all[templates.KindCluster].changes) > 0 {
		phases = append(phases, []string{"init", "phase", "upload-config", "kubeadm"})
	}
	if len(all[templates.KindKubelet].changes) > 0 {
		phases = append(phases, []string{"init", "phase", "upload-config", "kubelet"})
	}
	addons := map[string]bool{}
	for _, change := range all[templates.KindCluster].changes {
		for _, addon := range ruleOf(change).addons {
			addons[addon] = true
		}
	}
	for _, addon := range slices.Sorted(maps.Keys(addons)) {
		phases = append(phases, []string{"init", "phase", "addon", addon})
	}
	return phases
}

// kubeProxySettings plans kube-proxy's configuration and the restart of its pods.
func (p *planner) kubeProxySettings(all map[string]settlement) {
	proxy := all[templates.KindKubeProxy]
	step := Step{ID: stepKubeProxy, Stage: StageSettle, Title: "change kube-proxy's settings"}
	if proxy.settled == nil {
		return // there is no kube-proxy
	}
	for _, change := range proxy.changes {
		step.because("%s.%s", templates.KindKubeProxy, change)
	}
	place := desired.ProxyKubeconfig()
	kubeconfig, differs := p.pointed(place)
	if differs {
		step.because("%s names %s, want %s", place, pki.ServerLine(p.facts.API.Kubeconfigs[place.String()]), p.server())
	}
	_, toCome := p.facts.API.RecordedSettings[desired.ProxyToCome]
	if (proxy.interrupted || toCome) && len(step.Reasons) == 0 {
		step.because("a change of them was cut off, its pods may run with others")
	}
	if len(step.Reasons) == 0 {
		return
	}
	text, err := templates.SettingsDocument(templates.KindKubeProxy, proxy.settled)
	if err != nil {
		p.block("", step.Title, err.Error())
		return
	}
	data := map[string]any{"config.conf": string(text)}
	if kubeconfig != "" {
		data[place.Key] = kubeconfig
	}
	sum := sha256.Sum256(append(text, kubeconfig...))
	pods := object.System("apps/v1", "DaemonSet", "kube-proxy")
	pods["spec"] = map[string]any{"template": map[string]any{"metadata": map[string]any{
		"annotations": map[string]any{annotationSettings: hex.EncodeToString(sum[:])},
	}}}
	step.do(ApplyObject{Object: place.Object(data)},
		ApplyObject{Object: pods}, AwaitObject{Object: pods})
	step.Needs = append(slices.Clone(p.gates), StepID(p.found.Host, stepKept))
	p.add(step)
}

// kubeletSettings plans the configuration of kubelets that differs, host by host: one that
// does not come back ends it there.
func (p *planner) kubeletSettings(all map[string]settlement) {
	kubelet, ok := all[templates.KindKubelet]
	if !ok {
		return
	}
	changes := kubeletChanges{settlement: kubelet, known: map[string][]templates.SettingChange{}}
	before := []string{StepID(p.found.Host, stepKept)}
	for _, host := range p.Cluster.Hosts() {
		facts, ok := p.reached(host.Name)
		text, exists := facts.Contents[templates.KubeletConfigFile]
		if _, registered := p.registered(host); !ok || !exists || !registered || p.joining(host.Name) {
			continue
		}
		step := hostStep(host, StageSettle, stepKubelet, "change the kubelet's settings")
		differs, err := changes.of(text)
		if err != nil {
			p.block(host.Name, step.Title, err.Error())
			continue
		}
		for _, change := range differs {
			step.because("%s.%s", templates.KindKubelet, change)
		}
		if len(step.Reasons) == 0 {
			continue
		}
		step.do(StopUnit(templates.KubeletService), RunKubeadm{Document: templates.KubeletRefresh(), Verb: []string{"upgrade", "node", "phase", "kubelet-config"}},
			StartUnit(templates.KubeletService, true), AwaitKubelet{Node: host.NodeName()})
		step.Needs = append(append(p.preparation(host.Name), StepID(host.Name, stepEndpoint)), before...)
		before = append(before, step.ID)
		p.add(step)
	}
}

// kubeletChanges compares kubelets' configurations with what they are to be. Most are the same, and
// each text is read once.
type kubeletChanges struct {
	settlement
	known map[string][]templates.SettingChange
}

func (c kubeletChanges) of(text []byte) ([]templates.SettingChange, error) {
	if changes, ok := c.known[string(text)]; ok {
		return changes, nil
	}
	is, err := templates.ReadSettings(templates.KindKubelet, text)
	if err != nil {
		return nil, err
	}
	changes := templates.SettingChanges(is, templates.Settle(is, c.wanted, c.before...))
	c.known[string(text)] = changes
	return changes, nil
}

// reconfiguration are the documents for kubeadm's phases on a control-plane host.
func (p *planner) reconfiguration(host inventory.Host, all map[string]settlement) ([]byte, error) {
	settings := templates.Settings{}
	for kind, settlement := range all {
		settings[kind] = settlement.settled
	}
	return templates.Reconfiguration(p.common.kubeadm, p.templateNode(host, nil), settings)
}
