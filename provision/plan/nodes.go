package plan

import (
	"maps"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/object"
	"fairlead/templates"
)

const (
	// The annotations name the labels (keys) and the taints (key:effect) that came from
	// the inventory; only those are ever removed again.
	annotationLabels = "fairlead/labels"
	annotationTaints = "fairlead/taints"
	// annotationSettings on pods says with which settings they were started.
	annotationSettings = "fairlead/settings"
)

// node plans the labels and taints of one node.
func (p *planner) node(host inventory.Host) {
	node, exists := p.registered(host)
	if !exists && !p.joining(host.Name) {
		return
	}
	step := hostStep(host, StageApply, stepNode, "set labels and taints of the node")
	step.Needs = slices.Clone(p.joins[host.Name])
	change := object.NodeChange{Labels: map[string]*string{}, Annotations: map[string]*string{}}
	labelChanges(&step, &change, host, node)
	taintChanges(&step, &change, host, node)
	if exists {
		controlPlaneTaint(&step, &change, host, node, p.Cluster.ControlPlane.Schedulable)
	}
	if len(step.Reasons) > 0 {
		step.do(ChangeNode{Name: host.NodeName(), Change: change})
	}
	p.add(step)
}

// labelChanges compares the inventory's labels with the node's, and drops those that an
// earlier inventory had.
func labelChanges(step *Step, change *object.NodeChange, host inventory.Host, node object.Node) {
	for _, key := range slices.Sorted(maps.Keys(host.Labels)) {
		want := host.Labels[key]
		if is, ok := node.Labels[key]; !ok || is != want {
			step.because("label %s is %s, want %q", key, quoteIf(is, ok), want)
			change.Labels[key] = &want
		}
	}
	owned := ownedNames(node, annotationLabels)
	for _, key := range owned {
		if _, wanted := host.Labels[key]; wanted {
			continue
		}
		if _, ok := node.Labels[key]; ok {
			step.because("label %s is no longer in the inventory", key)
			change.Labels[key] = nil
		}
	}
	annotate(step, change, annotationLabels, owned, slices.Sorted(maps.Keys(host.Labels)))
}

// taintChanges does the same for taints.
func taintChanges(step *Step, change *object.NodeChange, host inventory.Host, node object.Node) {
	var names []string
	for _, taint := range host.Taints {
		want := object.Taint{Key: taint.Key, Value: taint.Value, Effect: taint.Effect}
		names = append(names, want.Key+":"+want.Effect)
		if !slices.Contains(node.Taints, want) {
			step.because("taint %s is missing", taint)
			change.AddTaints = append(change.AddTaints, want)
		}
	}
	slices.Sort(names)
	owned := ownedNames(node, annotationTaints)
	for _, is := range node.Taints {
		name := is.Key + ":" + is.Effect
		if slices.Contains(owned, name) && !slices.Contains(names, name) {
			step.because("taint %s is no longer in the inventory", name)
			change.RemoveTaints = append(change.RemoveTaints, is)
		}
	}
	annotate(step, change, annotationTaints, owned, names)
}

// controlPlaneTaint puts kubeadm's taint on control planes or takes it away.
func controlPlaneTaint(step *Step, change *object.NodeChange, host inventory.Host, node object.Node, schedulable bool) {
	if host.Role != inventory.RoleControlPlane {
		return
	}
	taint := object.Taint{Key: object.TaintControlPlane, Effect: object.EffectNoSchedule}
	has := slices.ContainsFunc(node.Taints, func(t object.Taint) bool { return t.Key == taint.Key && t.Effect == taint.Effect })
	switch {
	case has && schedulable:
		step.because("the control-plane taint is there, and the inventory says schedulable: true")
		change.RemoveTaints = append(change.RemoveTaints, taint)
	case !has && !schedulable:
		step.because("the control-plane taint is missing, and the inventory says schedulable: false")
		change.AddTaints = append(change.AddTaints, taint)
	}
}

func ownedNames(node object.Node, annotation string) []string {
	value := node.Annotations[annotation]
	if value == "" {
		return nil
	}
	return strings.Split(value, ",")
}

// annotate plans the annotation that says which names are the inventory's.
func annotate(step *Step, change *object.NodeChange, annotation string, is, want []string) {
	if slices.Equal(is, want) {
		return
	}
	if len(step.Reasons) == 0 {
		step.because("annotation %s is %q, want %q", annotation, strings.Join(is, ","), strings.Join(want, ","))
	}
	if len(want) == 0 {
		change.Annotations[annotation] = nil
		return
	}
	value := strings.Join(want, ",")
	change.Annotations[annotation] = &value
}

func quoteIf(value string, exists bool) string {
	if !exists {
		return "absent"
	}
	return "\"" + value + "\""
}

// readiness plans to wait for nodes that are not Ready, and for the pod network.
func (p *planner) readiness() {
	for _, host := range p.Cluster.Hosts() {
		if _, ok := p.reached(host.Name); !ok {
			continue
		}
		node, exists := p.registered(host)
		joining := p.joining(host.Name)
		if !joining && (!exists || node.Ready) {
			continue
		}
		step := hostStep(host, StageReady, stepReady, "wait until the node is Ready")
		if joining {
			step.because("the node is new")
		} else {
			step.because("the node is not Ready: %s", node.ReadyMessage)
		}
		step.Needs = slices.Concat(p.preparation(host.Name), p.joins[host.Name], []string{StepID(host.Name, stepNode), StepID(host.Name, stepEndpoint)}, p.common.network)
		step.do(AwaitNode{Name: host.NodeName(), Ready: true})
		p.add(step)
	}
}

// templateNode is what the documents for kubeadm say of one host.
func (p *planner) templateNode(host inventory.Host, ignore []string) templates.Node {
	node := templates.Node{
		Name: host.NodeName(), Address: strings.Join(addressTexts(host), ","), CRISocket: p.CRISocket(), IgnorePreflight: ignore,
		ParallelPulls: slices.ContainsFunc(p.Needs, func(n desired.ImageNeed) bool { return n.Pulled }),
	}
	if host.Role == inventory.RoleControlPlane {
		if p.Cluster.ControlPlane.Schedulable {
			node.Taints = []templates.Taint{}
		} else {
			node.Taints = append(node.Taints, templates.Taint{Key: object.TaintControlPlane, Effect: object.EffectNoSchedule})
		}
	}
	for _, taint := range host.Taints {
		node.Taints = append(node.Taints, templates.Taint{Key: taint.Key, Value: taint.Value, Effect: taint.Effect})
	}
	return node
}
