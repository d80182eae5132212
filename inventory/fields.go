package inventory

import "gopkg.in/yaml.v3"

// head holds the two keys that say what the file is.
type head struct{ apiVersion, kind string }

// top is what the file's top level is read into.
type top struct {
	head
	*Cluster
}

// decode reads a whole file. The top-level ssh comes first, as every host builds on it.
func (d *decoder) decode(root *yaml.Node, c *Cluster) {
	d.ssh = SSH{Transport: TransportSSH}
	if node, _ := child(root, "ssh"); node != nil {
		readSSHDefaults(d, node, []string{"ssh"}, &d.ssh)
	}
	c.Kubernetes = defaultKubernetes()
	c.Runtime.Name = RuntimeContainerd
	c.Addons.Network.Name = NetworkFlannel
	mapping(d, root, nil, &top{Cluster: c}, topFields())
}

func topFields() []field[top] {
	return []field[top]{
		{"apiVersion", true, func(d *decoder, n *yaml.Node, p []string, t *top) {
			d.only(n, p, APIVersion, &t.apiVersion)
		}},
		{"kind", true, func(d *decoder, n *yaml.Node, p []string, t *top) {
			d.only(n, p, Kind, &t.kind)
		}},
		{"name", true, func(d *decoder, n *yaml.Node, p []string, t *top) {
			t.Name = d.label(n, p)
		}},
		{"kubernetes", true, func(d *decoder, n *yaml.Node, p []string, t *top) {
			d.kubernetes(n, p, &t.Kubernetes)
		}},
		{"runtime", false, func(d *decoder, n *yaml.Node, p []string, t *top) {
			mapping(d, n, p, &t.Runtime, runtimeFields())
		}},
		{"packages", false, func(d *decoder, n *yaml.Node, p []string, t *top) { t.Packages = d.packages(n, p) }},
		{"proxy", false, func(d *decoder, n *yaml.Node, p []string, t *top) { t.Proxy = d.proxy(n, p) }},
		{"ssh", false, func(*decoder, *yaml.Node, []string, *top) {}}, // read before
		{"controlPlane", true, func(d *decoder, n *yaml.Node, p []string, t *top) {
			mapping(d, n, p, &t.ControlPlane, controlPlaneFields())
		}},
		{"workers", false, func(d *decoder, n *yaml.Node, p []string, t *top) {
			mapping(d, n, p, &t.Workers, workersFields())
		}},
		{"images", false, func(d *decoder, n *yaml.Node, p []string, t *top) {
			mapping(d, n, p, &t.Images, imagesFields())
		}},
		{"addons", false, func(d *decoder, n *yaml.Node, p []string, t *top) {
			mapping(d, n, p, &t.Addons, addonsFields())
		}},
		{"ignorePreflight", false, func(d *decoder, n *yaml.Node, p []string, t *top) {
			for i, item := range d.items(n, p) {
				if name, ok := d.text(item, index(p, i)); ok {
					t.IgnorePreflight = append(t.IgnorePreflight, name)
				}
			}
		}},
	}
}

func controlPlaneFields() []field[ControlPlane] {
	return []field[ControlPlane]{
		{"endpoint", false, func(d *decoder, n *yaml.Node, p []string, c *ControlPlane) {
			c.Endpoint = d.endpoint(n, p)
		}},
		{"publicEndpoint", false, func(d *decoder, n *yaml.Node, p []string, c *ControlPlane) {
			c.PublicEndpoint = d.publicEndpoint(n, p)
		}},
		{"loadBalancer", false, func(d *decoder, n *yaml.Node, p []string, c *ControlPlane) {
			c.LoadBalancer = d.loadBalancer(n, p)
		}},
		{"schedulable", false, func(d *decoder, n *yaml.Node, p []string, c *ControlPlane) {
			c.Schedulable = d.boolean(n, p)
		}},
		{"hosts", true, func(d *decoder, n *yaml.Node, p []string, c *ControlPlane) {
			c.Hosts = d.hosts(n, p, RoleControlPlane)
		}},
	}
}

func workersFields() []field[[]Host] {
	return []field[[]Host]{
		{"hosts", false, func(d *decoder, n *yaml.Node, p []string, hosts *[]Host) {
			*hosts = d.hosts(n, p, RoleWorker)
		}},
	}
}

// hosts reads a list of hosts. A host that cannot be read keeps its place, so that
// list indexes stay those of the file.
func (d *decoder) hosts(node *yaml.Node, path []string, role Role) []Host {
	var hosts []Host
	for i, item := range d.items(node, path) {
		h := Host{Role: role, SSH: d.ssh}
		if target(item).Kind == yaml.ScalarNode {
			d.fault(index(path, i), "must be a mapping such as {name: w1, address: 192.0.2.21}, got %s", describe(target(item)))
		} else {
			mapping(d, item, index(path, i), &h, hostFields())
		}
		h.SSH = h.SSH.settled(h.Name)
		hosts = append(hosts, h)
	}
	return hosts
}

func hostFields() []field[Host] {
	return []field[Host]{
		{"name", true, func(d *decoder, n *yaml.Node, p []string, h *Host) { h.Name = d.nodeName(n, p) }},
		{"address", true, func(d *decoder, n *yaml.Node, p []string, h *Host) { d.addresses(n, p, h) }},
		{"nodeName", false, func(d *decoder, n *yaml.Node, p []string, h *Host) { h.Node = d.nodeName(n, p) }},
		{"ssh", false, func(d *decoder, n *yaml.Node, p []string, h *Host) {
			d.readSSH(n, p, &h.SSH, hostSSHFields())
		}},
		{"labels", false, func(d *decoder, n *yaml.Node, p []string, h *Host) { h.Labels = d.labels(n, p) }},
		{"taints", false, func(d *decoder, n *yaml.Node, p []string, h *Host) { h.Taints = d.taints(n, p) }},
		{"packages", false, func(d *decoder, n *yaml.Node, p []string, h *Host) { h.Packages = d.packages(n, p) }},
	}
}
