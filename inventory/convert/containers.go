package convert

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"fairlead/inventory"
)

// Container is a container as its engine says that it is.
type Container struct {
	Name, Image, Status string
	Running             bool
	Labels              map[string]string
	Addresses           []netip.Addr
}

// Engine is whose containers they are, in the words of ssh.transport and ssh.context.
type Engine struct{ Transport, Context string }

// The labels that kind gives its containers, and the roles that these have (kind/pkg/cluster/constants).
const (
	KindClusterLabel = "io.x-k8s.kind.cluster"
	kindRoleLabel    = "io.x-k8s.kind.role"

	kindControlPlane = "control-plane"
	kindWorker       = "worker"
	kindBalancer     = "external-load-balancer"
)

// Containers makes a draft of containers: those that run become hosts. With kind, the name of a cluster of kind, they have their roles by its
// labels; else the first one by its name is the control plane. There is an error where none is left.
func Containers(source string, engine Engine, kind string, all []Container, o Options) (*Draft, error) {
	d := &Draft{Source: source, Name: Setting{Value: kind, Key: "name"}}
	balancer := ""
	for _, c := range all {
		why := noHost(c)
		if why == "" {
			d.Hosts = append(d.Hosts, d.container(c, engine, len(d.Hosts) == 0 && len(o.ControlPlane) == 0))
			continue
		}
		d.AddNote(0, c.Name, why)
		if c.Running && c.Labels[kindRoleLabel] == kindBalancer {
			balancer = c.Name
		}
	}
	if len(d.Hosts) == 0 {
		return nil, fmt.Errorf("%s: none that runs and is a host: start them, or name others", source)
	}
	if kind != "" {
		d.kind(all, balancer)
	}
	if err := d.Finish(o); err != nil {
		return nil, err
	}
	for i := range d.Hosts {
		if h := &d.Hosts[i]; h.From != h.Name {
			h.SSH.Container = h.From
		}
	}
	return d, nil
}

// noHost is why a container is no host; empty where it is one.
func noHost(c Container) string {
	switch role := c.Labels[kindRoleLabel]; {
	case !c.Running:
		return "left out: it does not run (" + c.Status + ")"
	case role == kindBalancer:
		return "is kind's load balancer, no host: it goes on, and leads to the control planes by their names"
	case role != "" && role != kindControlPlane && role != kindWorker:
		return "left out: its role is " + clip(role)
	}
	return ""
}

// container is a container as a host. The first one is the control plane where nothing says otherwise.
func (d *Draft) container(c Container, engine Engine, first bool) Host {
	h := Host{From: c.Name, Host: inventory.Host{Role: inventory.RoleWorker, SSH: inventory.SSH{Transport: engine.Transport, Context: engine.Context}}}
	switch role := c.Labels[kindRoleLabel]; {
	case role == kindControlPlane:
		h.Role = inventory.RoleControlPlane
	case role == "" && first:
		h.Role = inventory.RoleControlPlane
		d.AddNote(0, c.Name, "is the control plane, as the first one by name; --control-planes says otherwise")
	}
	if len(c.Addresses) > 0 {
		h.Address = c.Addresses[0]
	}
	if len(c.Addresses) > 1 {
		d.AddNote(0, c.Name, fmt.Sprintf("has the addresses %v, of which the first one is taken", c.Addresses))
	}
	return h
}

// kind adds what is known of nodes of kind.
func (d *Draft) kind(all []Container, balancer string) {
	var first Host
	planes := 0
	for _, h := range d.Hosts {
		if h.Role != inventory.RoleControlPlane {
			continue
		}
		if planes++; planes == 1 {
			first = h
		}
	}
	name := balancer
	if planes == 1 && name == "" {
		name = first.From
	}
	if name != "" {
		d.Endpoint = Setting{Value: net.JoinHostPort(name, strconv.Itoa(inventory.DefaultAPIPort)), Key: "controlPlane.endpoint"}
		d.AddNote(0, "controlPlane.endpoint", "is a name of a container, which the engine tells its containers: it stays when addresses change")
	}
	for _, c := range all {
		if _, tag, found := strings.Cut(c.Image, "kindest/node:v"); found && c.Name == first.From {
			version, _, _ := strings.Cut(tag, "@")
			d.Version = Setting{Value: version, Key: "the image of " + c.Name}
		}
	}
	d.AddNote(0, "addons.network", "kind's own cluster has kindnet: to take that over as it is, write {name: none}")
	d.AddNote(0, "kubernetes.config", "in containers kube-proxy may not size the machine's connection tracking, and swap and a full disk are the machine's: "+
		"KubeProxyConfiguration: {conntrack: {maxPerCore: 0}}, KubeletConfiguration: {failSwapOn: false, imageGCHighThresholdPercent: 100}")
}
