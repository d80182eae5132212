package convert

import (
	"cmp"
	"slices"

	"gopkg.in/yaml.v3"
)

// ansible is an inventory of Ansible, whichever way it is written.
type ansible struct {
	groups map[string]*ansibleGroup
	hosts  map[string]*ansibleHost
	order  []string // of hosts, as the file first names them
	whole  bool     // it has the variables of all places: ansible-inventory wrote it
}

// The groups that are always there.
const (
	everything = "all"
	ungrouped  = "ungrouped"
)

type ansibleGroup struct {
	name     string
	line     int
	hosts    []string
	children []string
	vars     []variable
}

type ansibleHost struct {
	name string
	line int
	vars []variable
}

// variable is one of a host or a group.
type variable struct {
	key, value string
	line       int
	node       *yaml.Node // in YAML: what the value is, where it is no single one
	vault      bool       // it is encrypted
}

func newAnsible() *ansible {
	return &ansible{groups: map[string]*ansibleGroup{}, hosts: map[string]*ansibleHost{}}
}

func (a *ansible) group(name string, line int) *ansibleGroup {
	if a.groups[name] == nil {
		a.groups[name] = &ansibleGroup{name: name, line: line}
	}
	return a.groups[name]
}

func (a *ansible) host(name string, line int) *ansibleHost {
	if a.hosts[name] == nil {
		a.hosts[name] = &ansibleHost{name: name, line: line}
		a.order = append(a.order, name)
	}
	return a.hosts[name]
}

func (g *ansibleGroup) addHost(name string) {
	if !slices.Contains(g.hosts, name) {
		g.hosts = append(g.hosts, name)
	}
}

func (g *ansibleGroup) addChild(name string) {
	if !slices.Contains(g.children, name) {
		g.children = append(g.children, name)
	}
}

// members are the hosts of a group and of those below it, in the order in which the groups name them.
func (a *ansible) members(name string) []string {
	var all []string
	known, gone := map[string]bool{}, map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		g := a.groups[name]
		if g == nil || gone[name] {
			return
		}
		gone[name] = true
		for _, h := range g.hosts {
			if !known[h] {
				known[h] = true
				all = append(all, h)
			}
		}
		for _, child := range g.children {
			visit(child)
		}
	}
	visit(name)
	return all
}

// depths says how far each group is below the top; those that no other names are right below it.
func (a *ansible) depths() map[string]int {
	depth := map[string]int{}
	for name := range a.groups {
		depth[name] = 1
	}
	depth[everything] = 0
	for range len(a.groups) { // each round goes one level down; a circle ends with the rounds
		changed := false
		for _, g := range a.groups {
			for _, child := range g.children {
				if d := depth[g.name] + 1; d > depth[child] && d <= len(a.groups) {
					depth[child], changed = d, true
				}
			}
		}
		if !changed {
			break
		}
	}
	return depth
}

// variables are a host's own over those of its groups, the deeper group over the higher, of groups at one depth the last by name.
func (a *ansible) variables() map[string]map[string]variable {
	depth := a.depths()
	groups := make([]*ansibleGroup, 0, len(a.groups))
	for _, g := range a.groups {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(x, y *ansibleGroup) int {
		return cmp.Or(cmp.Compare(depth[x.name], depth[y.name]), cmp.Compare(x.name, y.name))
	})
	all := map[string]map[string]variable{}
	for _, name := range a.order {
		all[name] = map[string]variable{}
	}
	for _, g := range groups {
		members := a.members(g.name)
		if g.name == everything {
			members = a.order
		}
		for _, h := range members {
			for _, v := range g.vars {
				all[h][v.key] = v
			}
		}
	}
	for _, name := range a.order {
		for _, v := range a.hosts[name].vars {
			all[name][v.key] = v
		}
	}
	return all
}
