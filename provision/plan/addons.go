package plan

import (
	"maps"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/object"
)

// addons plans the objects that are missing, that differ, and that the inventory no longer
// wants.
func (p *planner) addons() {
	if p.first == "" && !p.found.Answers {
		return // without an API server the members step has said what is to be done first
	}
	var before []string // manifests may use what an earlier one defines
	for _, set := range p.Addons {
		step := p.addon(set)
		if p.ofUser(set) {
			step.Needs = append(step.Needs, before...)
			before = []string{step.ID}
		}
		p.add(step)
	}
	for _, name := range slices.Sorted(maps.Keys(p.facts.API.Applied)) {
		if !slices.ContainsFunc(p.Addons, func(s desired.AddonSet) bool { return s.Name == name }) {
			p.removeAddon(name)
		}
	}
	p.definitionsLast()
	p.rollouts()
}

// ofUser says that a set is one of the user's manifests.
func (p *planner) ofUser(set desired.AddonSet) bool {
	return slices.ContainsFunc(p.Cluster.Addons.Manifests, func(m inventory.Manifest) bool { return m.Name == set.Name })
}

// addon plans one set. Before anything is applied the cluster's record names it all, so
// that a run that is cut off leaves nothing behind that no record names.
func (p *planner) addon(set desired.AddonSet) Step {
	step := Step{ID: clusterStep(set.Name), Stage: StageApply, Title: "apply " + set.Title}
	step.Needs = append(p.afterInit(), p.imagesFor(set.Placement)...)
	if set.Name == desired.SetNetwork {
		step.Needs = append(step.Needs, p.gates...) // it holds the endpoint
	}
	recorded := p.facts.API.Applied[set.Name]
	var want []object.Applied
	for _, item := range set.Objects {
		want = append(want, object.Identify(item))
	}
	var changes Step
	for i, object := range set.Objects {
		p.object(&changes, object, want[i], recorded)
	}
	strays := p.strays(&changes, set.Name, "is no longer wanted")
	if len(changes.Reasons) == 0 && !sameObjects(recorded, want) {
		changes.because("the record of what was applied differs")
	}
	if len(changes.Reasons) == 0 {
		return step
	}
	step.Reasons = changes.Reasons
	all := announced(recorded, want)
	if !sameObjects(recorded, all) {
		step.do(RecordApplied{Set: set.Name, Objects: all})
	}
	step.Actions = append(step.Actions, changes.Actions...)
	if len(strays) > 0 {
		step.do(PruneObjects{Set: set.Name, Objects: strays})
	}
	if !sameObjects(all, want) {
		step.do(RecordApplied{Set: set.Name, Objects: want})
	}
	return step
}

// imagesFor are the steps that bring images to the nodes of a placement. Hosts that join bring theirs along.
func (p *planner) imagesFor(placement inventory.Placement) (needs []string) {
	placed := map[string]bool{}
	for _, name := range desired.Placed(p.Cluster, placement) {
		placed[name] = true
	}
	for _, host := range p.Cluster.Hosts() {
		if _, registered := p.registered(host); registered && placed[host.Name] {
			needs = append(needs, StepID(host.Name, stepImages))
		}
	}
	return needs
}

// object plans one object. A Job that deletes itself after its end is done when the record
// says that it was applied as it is. An object that was applied in another form is applied
// again, although all that is wished for is there: what is not wished for any more goes.
func (p *planner) object(step *Step, item map[string]any, want object.Applied, recorded []object.Applied) {
	key := object.Key(item)
	live, exists := p.facts.API.Objects[key]
	mine := object.Yield(item, live.Yielded)
	paths := object.Differences(object.Yield(mine, live.Withheld), live.Object)
	another := slices.ContainsFunc(recorded, func(o object.Applied) bool { return o.Same(want) && o != want })
	switch {
	case !exists && slices.Contains(recorded, want) && object.DeletesItself(item):
		return
	case !exists:
		step.because("%s is missing", key)
		step.do(ApplyObject{Object: item})
	case len(paths) > 0:
		step.because("%s differs in %s", key, strings.Join(paths, ", "))
		step.do(ApplyObject{Object: mine, Before: live.Object, Replace: object.Immutable(item, paths)})
	case another:
		step.because("%s was applied in another form", key)
		step.do(ApplyObject{Object: mine, Before: live.Object})
	default:
		return
	}
	if item["kind"] == "CustomResourceDefinition" {
		step.do(AwaitObject{Object: item}) // what follows may be of its kind
	}
}

// strays are the objects of a set that live and are wished for no longer, last applied first.
func (p *planner) strays(step *Step, set, why string) []object.Applied {
	var strays []object.Applied
	for _, item := range slices.Backward(p.facts.API.Orphans[set]) {
		step.because("%s %s", object.Key(item.Object()), why)
		strays = append(strays, item)
	}
	return strays
}

// removeAddon plans the end of a set that has left the inventory.
func (p *planner) removeAddon(name string) {
	step := Step{ID: clusterStep(name), Stage: StageApply, Title: "remove the add-on " + name}
	strays := p.strays(&step, name, "has left the inventory")
	if len(strays) > 0 {
		step.do(PruneObjects{Set: name, Objects: strays})
	} else {
		step.because("it has left the inventory")
	}
	step.do(RecordApplied{Set: name})
	p.add(step)
}

// definitionsLast has sets that define kinds or make namespaces be removed after all objects that
// may be in them: as long as others have some, they stay.
func (p *planner) definitionsLast() {
	var others []string
	for _, step := range p.plan.Steps {
		if pruned := pruned(step); len(pruned) > 0 && !slices.ContainsFunc(pruned, holdsOthers) {
			others = append(others, step.ID)
		}
	}
	for i, step := range p.plan.Steps {
		set, _ := strings.CutPrefix(step.ID, clusterStep(""))
		wanted := slices.ContainsFunc(p.Addons, func(s desired.AddonSet) bool { return s.Name == set })
		if !wanted && slices.ContainsFunc(pruned(step), holdsOthers) {
			p.plan.Steps[i].Needs = append(step.Needs, others...)
		}
	}
}

// pruned are the objects that a step deletes.
func pruned(step Step) []object.Applied {
	var objects []object.Applied
	for _, action := range step.Actions {
		if prune, ok := action.(PruneObjects); ok {
			objects = append(objects, prune.Objects...)
		}
	}
	return objects
}

// holdsOthers says that objects of other sets may live in an object, or be of its kind.
func holdsOthers(item object.Applied) bool {
	return item.Kind == "CustomResourceDefinition" || item.Kind == "Namespace"
}

// rollouts plans to wait for what was applied. A node whose host cannot be reached holds
// nobody up: that it cannot be reached was said.
func (p *planner) rollouts() {
	for _, host := range p.Cluster.Hosts() {
		_, registered := p.registered(host)
		if _, ok := p.reached(host.Name); registered && !ok {
			return
		}
	}
	for _, set := range p.Addons {
		p.rollout(set)
	}
}

func (p *planner) rollout(set desired.AddonSet) {
	step := Step{ID: rolloutStep(set.Name), Stage: StageReady, Title: "wait until " + set.Title + " is ready"}
	for _, item := range set.Objects {
		key := object.Key(item)
		reason, unready := p.facts.API.Unready[key]
		switch {
		case !object.Awaitable(item):
			continue
		case p.has(clusterStep(set.Name)) && !p.gone(set, item):
			step.do(AwaitObject{Object: item})
		case unready:
			step.because("%s: %s", key, reason)
			step.do(AwaitObject{Object: item})
		}
	}
	if len(step.Actions) == 0 {
		return
	}
	if len(step.Reasons) == 0 {
		step.because("it changes")
	}
	step.Needs = []string{clusterStep(set.Name)}
	if set.Name != desired.SetNetwork {
		step.Needs = append(step.Needs, rolloutStep(desired.SetNetwork))
	}
	for _, host := range p.Cluster.Hosts() {
		step.Needs = append(step.Needs, StepID(host.Name, stepReady), StepID(host.Name, stepServing))
	}
	p.add(step)
}

// gone says that an object has done its work and deleted itself.
func (p *planner) gone(set desired.AddonSet, item map[string]any) bool {
	_, exists := p.facts.API.Objects[object.Key(item)]
	return !exists && object.DeletesItself(item) && slices.Contains(p.facts.API.Applied[set.Name], object.Identify(item))
}

func clusterStep(name string) string { return "cluster/" + name }

func rolloutStep(name string) string { return clusterStep(name) + "/rollout" }

func sameObjects(a, b []object.Applied) bool { return slices.Equal(a, b) }

// announced are all objects before any of want is applied: those of another form in none, so that
// neither this run, if it is cut off, nor one with another inventory takes them for applied.
func announced(recorded, want []object.Applied) []object.Applied {
	all := union(recorded, want)
	for i, object := range all {
		if !slices.Contains(recorded, object) {
			all[i].SHA256 = ""
		}
	}
	return all
}

// union is b after what only a has.
func union(a, b []object.Applied) []object.Applied {
	var all []object.Applied
	for _, item := range a {
		if !slices.ContainsFunc(b, func(o object.Applied) bool { return o.Same(item) }) {
			all = append(all, item)
		}
	}
	return append(all, b...)
}
