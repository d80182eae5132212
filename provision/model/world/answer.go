package world

import (
	"fairlead/provision/facts"
)

// Answer makes a host's facts those of one that was asked all of a query: what the facts do not
// have is not there, and the host has said so.
func Answer(h facts.Host, query facts.Query) facts.Host {
	h.Asked, h.Absent = query, map[string]bool{}
	for _, name := range query.Sysctls {
		if _, there := h.Sysctls[name]; !there {
			h.Absent["sysctl:"+name] = true
		}
	}
	units, modules := map[string]facts.Unit{}, map[string]bool{}
	for _, name := range query.Units {
		units[name] = facts.Unit{Load: "not-found"}
	}
	for _, name := range query.Modules {
		modules[name] = false
	}
	for name, unit := range h.Units {
		units[name] = unit
	}
	for name, loaded := range h.Modules {
		modules[name] = loaded
	}
	h.Units, h.Modules = units, modules
	return h
}
