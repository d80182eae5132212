package plan

import (
	"slices"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/templates"

	"sigs.k8s.io/yaml"
)

// controlPlaneSettings plans the static pods and the API server's certificate, one control
// plane after another: one that does not come back well ends it there.
func (p *planner) controlPlaneSettings(all map[string]settlement) {
	cluster := all[templates.KindCluster]
	var before []string
	for _, host := range p.Cluster.ControlPlane.Hosts {
		facts, ok := p.reached(host.Name)
		step := hostStep(host, StageSettle, stepSettings, controlPlaneTitle)
		if p.joining(host.Name) {
			continue // it takes what the cluster keeps
		}
		changed := p.changedComponents(&step, cluster, facts)
		certificate := ok && p.certificateLacks(&step, cluster, host, facts)
		if len(changed) == 0 && !certificate {
			continue
		}
		if !ok {
			p.block(host.Name, step.Title, "the host "+p.facts.Away(host.Name))
			continue
		}
		documents, err := p.reconfiguration(host, withSecond(all, host))
		if err != nil {
			p.block(host.Name, step.Title, err.Error())
			continue
		}
		if certificate {
			// The API server takes up the new one by itself (dynamiccertificates).
			step.do(certify(documents)...)
		}
		for _, component := range changed {
			step.do(ChangeStaticPod{Node: host.NodeName(), Component: component, Document: documents})
		}
		step.Needs = append(p.preparation(host.Name), before...)
		before = append(before, step.ID)
		p.add(step)
	}
}

// forgetServerCertificate has kubeadm make the API server's certificate anew.
func forgetServerCertificate() Script {
	return RemoveForKubeadm("/etc/kubernetes/pki/apiserver.crt", "/etc/kubernetes/pki/apiserver.key")
}

// changedComponents are the static pods of a host that are to be made anew, with the reasons.
func (p *planner) changedComponents(step *Step, cluster settlement, facts facts.Host) []string {
	changed := map[string]bool{}
	because := func(rule settingRule, format string, args ...any) {
		known := !slices.ContainsFunc(rule.components, func(c string) bool { return !changed[c] })
		for _, component := range rule.components {
			changed[component] = true
		}
		if !known {
			step.because(format, args...)
		}
	}
	for _, change := range cluster.changes {
		rule := ruleOf(change)
		if len(rule.components) > 0 {
			step.because("%s.%s", templates.KindCluster, change)
		}
		for _, component := range rule.components {
			changed[component] = true
		}
	}
	for _, change := range cluster.cutOff {
		because(ruleOf(change), "a change of %s.%s was cut off", templates.KindCluster, change.Path)
	}
	for _, component := range unsettled(facts) {
		because(settingRule{components: []string{component}}, "a change of %s was cut off", templates.ManifestPath(component))
	}
	for _, component := range templates.Components() {
		for _, arg := range lackingArguments(cluster, facts, component) {
			because(settingRule{components: []string{component}}, "%s lacks %s", templates.ManifestPath(component), arg)
		}
	}
	return slices.DeleteFunc(templates.Components(), func(c string) bool { return !changed[c] })
}

// lackingArguments are those of the inventory that a manifest lacks, as far as it is known.
func lackingArguments(cluster settlement, facts facts.Host, component string) []string {
	text, exists := facts.Contents[templates.ManifestPath(component)]
	if !exists {
		return nil
	}
	command := CommandOf(text)
	return slices.DeleteFunc(ExtraArgs(cluster.wanted, component), func(arg string) bool { return slices.Contains(command, arg) })
}

// CommandOf is the command of a static pod's first container.
func CommandOf(manifest []byte) []string {
	var pod struct {
		Spec struct {
			Containers []struct {
				Command []string `json:"command"`
			} `json:"containers"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(manifest, &pod); err != nil || len(pod.Spec.Containers) == 0 {
		return nil // the kubelet cannot read it either: kubeadm writes it anew
	}
	return pod.Spec.Containers[0].Command
}

// certificateLacks says that the API server's certificate lacks a name that the inventory wants.
func (p *planner) certificateLacks(step *Step, cluster settlement, host inventory.Host, seen facts.Host) bool {
	server, _ := forSecond(cluster.wanted, host)["apiServer"].(templates.Fields)
	names, _ := server["certSANs"].([]any)
	i := slices.IndexFunc(seen.Certificates, func(c facts.Certificate) bool { return c.Path == templates.APIServerCertificate })
	lacks := false
	for _, name := range names {
		if text, _ := name.(string); i < 0 || !slices.Contains(seen.Certificates[i].Names, text) {
			step.because("the API server's certificate is not for %s", text)
			lacks = true
		}
	}
	return lacks
}
