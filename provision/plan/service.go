package plan

import (
	"slices"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// service is a systemd unit with what it needs: the files that it reads when it starts, and
// the software.
type service struct {
	unit    string
	facts   facts.Unit
	files   []templates.HostFile
	removed []string       // files of fairlead's that it must not have
	actions []Action       // further changes that it must be stopped for
	install []Action       // of its software, which may start it
	running bool           // must it run?
	touched []ledger.Touch // what it makes while it runs
}

// service plans a unit with its software. A running service is stopped before its files
// change and started after, so that a run that was cut off in between is seen by the
// next one: a service that runs always runs with the files that are there. Its files come
// first, because packages start what they install.
func (p *planner) service(step *Step, facts facts.Host, s service) {
	changes := Step{Reasons: step.Reasons}
	changes.do(s.actions...)
	removed := slices.DeleteFunc(slices.Clone(s.removed), func(path string) bool { return !facts.Ours(path) })
	if len(removed) > 0 {
		for _, path := range removed {
			changes.because("%s is no longer wanted", path)
		}
		changes.do(RemoveFiles(removed))
	}
	for _, file := range s.files {
		p.hostFile(&changes, facts, file)
	}
	changes.do(s.install...)
	active := s.facts.Active == "active" || s.facts.Active == "activating"
	if s.running && !active {
		changes.because("%s is %s", s.unit, orAbsent(s.facts.Active))
	}
	if s.facts.Enabled != "enabled" {
		changes.because("%s is not enabled", s.unit)
	}
	if s.facts.NeedsReload {
		changes.because("systemd has not read the changed %s", s.unit)
	}
	if len(changes.Reasons) == 0 {
		return
	}
	step.Reasons = changes.Reasons
	if active && len(changes.Actions) > 0 {
		step.do(StopUnit(s.unit))
	}
	step.Actions = append(step.Actions, changes.Actions...)
	start := StartUnit(s.unit, s.running)
	start.Touched = append(start.Touched, s.touched...)
	step.do(start)
}

func orAbsent(state string) string {
	if state == "" {
		return "absent"
	}
	return state
}

// installLayers is the action that brings layers of the bundle, if there are any.
func (p *planner) installLayers(step *Step, facts facts.Host, components ...string) []Action {
	if layers := p.layers(step, facts, components...); len(layers) > 0 {
		return []Action{InstallLayers{Layers: layers}}
	}
	return nil
}

// dropIns are the parts that fairlead adds to a unit, and those of an earlier run that it must
// not have any more.
func (p *planner) dropIns(unit string, facts facts.Host, packaged bool) (wanted []templates.HostFile, removed []string) {
	if p.Proxied() {
		wanted = append(wanted, p.common.proxyDropIn(unit))
	} else {
		removed = append(removed, templates.ProxyDropInPath(unit))
	}
	if packaged && !facts.HasCapability(capSysResource) {
		wanted = append(wanted, templates.ContainerDropIn(unit))
	}
	return wanted, removed
}
