package plan

import (
	"fmt"
	"reflect"
	"slices"

	"fairlead/provision/desired"
	"fairlead/provision/object"
	"fairlead/templates"
)

// checkHostPortsName is what ignorePreflight calls the check of ports on hosts.
const checkHostPortsName = "HostPorts"

// portUser is a workload with the ports that its pods take on their hosts.
type portUser struct {
	name, set, kind string
	ports           []templates.HostPort
	hosts           []string
	selector        map[string]any
	affinity        any
}

// hostPortFindings are about workloads that want the same port of the same hosts. Where one of them
// runs on every host that it may, the other has no host left.
func (p *planner) hostPortFindings() {
	if p.ignored(checkHostPortsName) {
		return
	}
	var users []portUser
	for _, set := range p.Addons {
		for _, item := range set.Objects {
			if ports := templates.HostPorts(item); len(ports) > 0 {
				kind, _ := item["kind"].(string)
				users = append(users, portUser{object.Key(item), set.Title, kind, ports, desired.Placed(p.Cluster, set.Placement), templates.NodeSelector(item), templates.Affinity(item)})
			}
		}
	}
	for i, a := range users {
		for _, b := range users[i+1:] {
			port, clash := a.clash(b)
			if !clash {
				continue
			}
			finding := Finding{
				Name:    checkHostPortsName,
				Message: fmt.Sprintf("%s of %s and %s of %s both take port %s of their hosts", a.name, a.set, b.name, b.set, port),
				Fix:     "give one of them another port, place them on different hosts, or take one of them out of the host's network",
				// Other workloads than these, and what their affinities say, may keep them apart.
				Warning: a.kind != "DaemonSet" && b.kind != "DaemonSet" || !reflect.DeepEqual(a.affinity, b.affinity),
			}
			p.plan.Findings = append(p.plan.Findings, finding)
		}
	}
}

// clash is a port that both take on some host.
func (u portUser) clash(other portUser) (port templates.HostPort, clash bool) {
	together := slices.ContainsFunc(u.hosts, func(host string) bool { return slices.Contains(other.hosts, host) })
	for key, value := range u.selector {
		if is, also := other.selector[key]; also && is != value {
			together = false
		}
	}
	if !together {
		return port, false
	}
	for _, a := range u.ports {
		if slices.ContainsFunc(other.ports, a.Clashes) {
			return a, true
		}
	}
	return port, false
}
