package convert

import (
	"net/netip"
	"strings"
	"testing"

	"fairlead/inventory"
)

// running is a container that runs.
func running(name, role string, addresses ...string) Container {
	c := Container{Name: name, Image: "kindest/node:v1.36.3@sha256:00", Status: "running", Running: true, Labels: map[string]string{}}
	if role != "" {
		c.Labels[kindRoleLabel] = role
	}
	for _, a := range addresses {
		c.Addresses = append(c.Addresses, netip.MustParseAddr(a))
	}
	return c
}

// kindLab are the containers of a cluster of kind.
func kindLab(more ...Container) []Container {
	return append([]Container{
		running("lab-control-plane", kindControlPlane, "172.18.0.3", "fc00::3"), running("lab-worker", kindWorker, "172.18.0.2"),
		{Name: "lab-worker2", Status: "exited", Labels: map[string]string{kindRoleLabel: kindWorker}},
	}, more...)
}

func TestContainers(t *testing.T) {
	for name, tt := range map[string]struct {
		kind    string
		engine  Engine
		all     []Container
		options Options
	}{
		"containers-kind": {kind: "lab", engine: Engine{Transport: inventory.TransportDocker}, all: kindLab()},
		"containers-kind-three": {kind: "lab", engine: Engine{Transport: inventory.TransportPodman, Context: "far"}, all: kindLab(
			running("lab-control-plane2", kindControlPlane, "172.18.0.4"), running("lab-control-plane3", kindControlPlane, "172.18.0.5"),
			running("lab-external-load-balancer", kindBalancer, "172.18.0.6"), running("lab-etcd", "external-etcd", "172.18.0.7"))},
		"containers-label": {engine: Engine{Transport: inventory.TransportNerdctl}, all: []Container{running("Node_1", "", "10.4.0.2"), running("node2", "", "10.4.0.3")}},
		"containers-chosen": {engine: Engine{Transport: inventory.TransportDocker}, all: []Container{running("a", "", "10.4.0.2"), running("b", "", "10.4.0.3")},
			options: Options{ControlPlane: []string{"b"}}},
	} {
		d, err := Containers("containers of a test", tt.engine, tt.kind, tt.all, tt.options)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text, err := d.Write()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		golden(t, "testdata/golden/"+name+".yaml", text)
		c, _, err := inventory.Parse("", text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, h := range c.Hosts() {
			if h.SSH.Transport != tt.engine.Transport || h.SSH.Context != tt.engine.Context || h.SSH.User != "root" {
				t.Errorf("%s: %+v", name, h.SSH)
			}
		}
	}
}

// Where no container is a host, or one has no address, that is said.
func TestNoContainers(t *testing.T) {
	_, err := Containers("containers of a test", Engine{}, "lab", kindLab()[2:], Options{})
	if err == nil || err.Error() != "containers of a test: none that runs and is a host: start them, or name others" {
		t.Errorf("got %v", err)
	}
	d, err := Containers("containers of a test", Engine{}, "", []Container{running("a", "")}, Options{})
	if err != nil || len(d.Unaddressed()) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := Containers("containers of a test", Engine{}, "", []Container{running("a", "")}, Options{ControlPlane: []string{"b"}}); err == nil || !strings.Contains(err.Error(), "its hosts are a") {
		t.Errorf("got %v", err)
	}
}
