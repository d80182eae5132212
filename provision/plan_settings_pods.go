package provision

import (
	"slices"

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
		step := hostStep(host, stepSettings, controlPlaneTitle)
		if p.has(stepID(host.Name, stepJoin)) {
			continue // it takes what the cluster keeps
		}
		changed := p.changedComponents(&step, cluster, facts)
		certificate := ok && p.certificateLacks(&step, cluster, facts)
		if len(changed) == 0 && !certificate {
			continue
		}
		if !ok {
			p.block(host.Name, step.Title, "the host cannot be reached")
			continue
		}
		documents, err := p.reconfiguration(host, all)
		if err != nil {
			p.block(host.Name, step.Title, err.Error())
			continue
		}
		if certificate {
			// The API server takes up the new one by itself (dynamiccertificates).
			step.do(RemoveForKubeadm("/etc/kubernetes/pki/apiserver.crt", "/etc/kubernetes/pki/apiserver.key"),
				RunKubeadm{Document: documents, Verb: []string{"init", "phase", "certs", "apiserver"}})
		}
		for _, component := range changed {
			step.do(ChangeStaticPod{Node: host.Name, Component: component, Document: documents})
		}
		step.Needs = append(p.preparation(host.Name), before...)
		before = append(before, step.ID)
		p.add(step)
	}
}

// changedComponents are the static pods of a host that are to be made anew, with the reasons.
func (p *planner) changedComponents(step *Step, cluster settlement, facts HostFacts) []string {
	changed := map[string]bool{}
	for _, change := range cluster.changes {
		for _, component := range ruleOf(change).components {
			changed[component] = true
		}
		if len(ruleOf(change).components) > 0 {
			step.because("%s.%s", templates.KindCluster, change)
		}
	}
	for _, component := range unsettled(facts) {
		step.because("a change of %s was cut off", manifestPath(component))
		changed[component] = true
	}
	for _, component := range components() {
		text, exists := facts.Contents[manifestPath(component)]
		if changed[component] || !exists {
			continue
		}
		command := commandOf(text)
		for _, arg := range extraArgs(cluster.wanted, component) {
			if !slices.Contains(command, arg) {
				step.because("%s lacks %s", manifestPath(component), arg)
				changed[component] = true
			}
		}
	}
	return slices.DeleteFunc(components(), func(c string) bool { return !changed[c] })
}

// commandOf is the command of a static pod's first container.
func commandOf(manifest []byte) []string {
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
func (p *planner) certificateLacks(step *Step, cluster settlement, facts HostFacts) bool {
	server, _ := cluster.wanted["apiServer"].(templates.Fields)
	names, _ := server["certSANs"].([]any)
	i := slices.IndexFunc(facts.Certificates, func(c CertificateFacts) bool { return c.Path == apiServerCertificate })
	lacks := false
	for _, name := range names {
		if text, _ := name.(string); i < 0 || !slices.Contains(facts.Certificates[i].Names, text) {
			step.because("the API server's certificate is not for %s", text)
			lacks = true
		}
	}
	return lacks
}
