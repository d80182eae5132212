package provision

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"fairlead/provision/kube"
	"fairlead/templates"
)

// addonObjects are the objects that the inventory asks for beside what kubeadm makes.
func addonObjects(wish Wish) ([]map[string]any, error) {
	return templates.Flannel(templates.FlannelOptions{
		PodSubnet: wish.Cluster.Kubernetes.PodSubnet.String(),
		Image:     imageNamed(wish, "flannel"),
		APIServer: wish.Cluster.ControlPlane.Endpoint,
	})
}

// imageNamed is the reference of the bundle's image whose repository ends in name.
func imageNamed(wish Wish, name string) string {
	for _, image := range wish.Bundle.Images {
		repository, _, _ := strings.Cut(path.Base(image.Name), ":")
		if repository == name {
			return image.Name
		}
	}
	return ""
}

func (p *planner) imageNamed(name string) string { return imageNamed(p.Wish, name) }

// objectKey identifies an object among the add-ons.
func objectKey(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	return fmt.Sprintf("%v %v/%v", object["kind"], orEmpty(metadata["namespace"]), metadata["name"])
}

func orEmpty(value any) any {
	if value == nil {
		return ""
	}
	return value
}

// addons plans the objects that are missing or differ.
func (p *planner) addons() {
	objects, err := addonObjects(p.Wish)
	if err != nil {
		p.block("", "render the pod network's manifest", err.Error())
		return
	}
	initialising := slices.ContainsFunc(p.plan.Steps, func(s Step) bool { return strings.HasSuffix(s.ID, "/"+stepInit) })
	if !initialising && p.facts.API.Err != nil {
		return // without an API server the members step has said what is to be done first
	}
	step := Step{ID: clusterNetwork, Title: "apply the pod network flannel"}
	for _, host := range p.Cluster.ControlPlane.Hosts {
		step.Needs = append(step.Needs, stepID(host.Name, stepInit))
	}
	for _, object := range objects {
		key := objectKey(object)
		live, exists := p.facts.API.Objects[key]
		if !exists {
			step.because("%s is missing", key)
			step.do(ApplyObject{Object: object})
			continue
		}
		if paths := kube.Differences(object, live); len(paths) > 0 {
			step.because("%s differs in %s", key, strings.Join(paths, ", "))
			step.do(ApplyObject{Object: object, Before: live})
		}
	}
	p.add(step)
	p.rollout()
}

// rollout plans to wait for the pod network on every node. A node whose host cannot be
// reached holds nobody up: that it cannot be reached was said.
func (p *planner) rollout() {
	for _, host := range p.Cluster.Hosts() {
		_, registered := p.facts.API.Nodes[host.Name]
		if _, ok := p.reached(host.Name); registered && !ok {
			return
		}
	}
	step := Step{ID: clusterRollout, Title: "wait until the pod network runs on every node"}
	for _, reason := range p.facts.API.Rollouts {
		step.because("%s", reason)
	}
	if p.has(clusterNetwork) && len(step.Reasons) == 0 {
		step.because("the pod network changes")
	}
	if len(step.Reasons) > 0 {
		step.Needs = []string{clusterNetwork}
		for _, host := range p.Cluster.Hosts() {
			step.Needs = append(step.Needs, stepID(host.Name, stepReady))
		}
		step.do(AwaitDaemonSet{Namespace: "kube-flannel", Name: "kube-flannel-ds"})
	}
	p.add(step)
}

// hostFiles are all paths that the probe has to look at for this wish.
func hostFiles(wish Wish) []string {
	var paths []string
	for _, component := range wish.Bundle.Components {
		for _, layer := range component.Layers {
			for _, file := range layer.Files {
				paths = append(paths, file.Path)
			}
		}
	}
	paths = append(paths, configTOML, templates.ContainerdUnit(templates.Containerd{}).Path, templates.ModulesFile().Path, templates.SysctlFile(false).Path)
	for _, file := range templates.KubeletUnit() {
		paths = append(paths, file.Path)
	}
	return paths
}
