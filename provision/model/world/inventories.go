package world

import (
	"strings"

	"fairlead/inventory"
)

// FromRepositories has the software of hosts come from packages; the images are the bundle's.
func FromRepositories(c *inventory.Cluster) {
	c.Kubernetes.Source = inventory.SourcePackages
	c.Kubernetes.Repository.URL = inventory.DefaultKubernetesRepository
	c.Runtime = inventory.Runtime{Name: inventory.RuntimeContainerd, Repository: inventory.Repository{URL: inventory.DefaultRuntimeRepository}}
}

// WithoutBundle has no bundle.
func WithoutBundle(c *inventory.Cluster) { c.Kubernetes.Bundle = "" }

// WithDocker has Docker Engine come from packages, whatever the rest comes from.
func WithDocker(c *inventory.Cluster) {
	c.Runtime = inventory.Runtime{Name: inventory.RuntimeDocker, Repository: inventory.Repository{URL: inventory.DefaultRuntimeRepository}}
}

// WithRegistries has the runtime know a mirror and a registry that speaks plain HTTP.
func WithRegistries(c *inventory.Cluster) {
	c.Runtime.InsecureRegistries = []string{"plain.lab:5000"}
	c.Runtime.Mirrors = map[string][]string{"docker.io": {"https://mirror.lab/hub"}}
}

// WithPackages has all hosts get a package beside what makes them nodes, and workers another one.
func WithPackages(c *inventory.Cluster) {
	c.Packages = []string{"nfs-common"}
	for i := range c.Workers {
		c.Workers[i].Packages = []string{"open-iscsi"}
	}
}

// WithFewerPackages has all hosts get what came along with another package of WithPackages.
func WithFewerPackages(c *inventory.Cluster) { c.Packages = []string{"rpcbind"} }

// WithProxy has hosts reach the world through a proxy.
func WithProxy(c *inventory.Cluster) {
	c.Proxy = inventory.Proxy{HTTP: "http://proxy.lab:3128", HTTPS: "http://proxy.lab:3128", No: []string{"registry.lab"}}
}

// WithSocket has a container runtime that the user installs.
func WithSocket(c *inventory.Cluster) {
	c.Runtime = inventory.Runtime{Name: inventory.RuntimeContainerd, CRISocket: "unix:///run/crio/crio.sock"}
}

// Version asks for another version of Kubernetes.
func Version(of string) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) { c.Kubernetes.Version = of }
}

// Config makes an inventory say something about one of kubeadm's documents.
func Config(kind string, fields map[string]any) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) {
		merged := map[string]map[string]any{}
		for k, v := range c.Kubernetes.Config {
			merged[k] = v
		}
		merged[kind] = fields
		c.Kubernetes.Config = merged
	}
}

// All makes several edits, one after another.
func All(edits ...func(*inventory.Cluster)) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) {
		for _, edit := range edits {
			edit(c)
		}
	}
}

// Args are extra arguments of a component: name, value, name, value.
func Args(pairs ...string) []any {
	var list []any
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, map[string]any{"name": pairs[i], "value": pairs[i+1]})
	}
	return list
}

// ManifestOf is a static pod's manifest with these arguments.
func ManifestOf(component string, arguments ...string) []byte {
	return []byte("spec:\n  containers:\n  - command:\n    - " + strings.Join(append([]string{component}, arguments...), "\n    - ") + "\n")
}

// OnlyControlPlane has one host, which takes pods.
func OnlyControlPlane(c *inventory.Cluster) { c.Workers, c.ControlPlane.Schedulable = nil, true }

// OtherNodeNames gives hosts names with dots, and nodes that are called otherwise than their hosts: two have each other's names.
func OtherNodeNames(c *inventory.Cluster) {
	c.ControlPlane.Hosts[0].Name = "cp1.lab.example"
	last := len(c.ControlPlane.Hosts) - 1
	c.ControlPlane.Hosts[last].Node = "ip-192-0-2-13.lab.example"
	c.Workers[0].Node, c.Workers[1].Node = c.Workers[1].Name, c.Workers[0].Name
}
