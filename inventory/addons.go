package inventory

import "gopkg.in/yaml.v3"

// Addons names what is applied to the cluster once its API answers.
type Addons struct {
	Network       Network
	MetricsServer *MetricsServer // nil: not wanted
	Ingress       *Ingress       // nil: not wanted
	Manifests     []Manifest     // in file order
}

// Network names the pod network.
type Network struct {
	Name string // NetworkFlannel or NetworkNone
}

// MetricsServer says how metrics-server reads the kubelets.
type MetricsServer struct {
	InsecureTLS bool // it does not verify their serving certificates
}

// Ingress names the ingress controller and where it runs.
type Ingress struct {
	Controller string // IngressTraefik
	// HostNetwork says that it listens on the ports 80 and 443 of its hosts; the
	// default.
	HostNetwork bool
	Placement   Placement // default: PlaceControlPlane
}

// The nodes a Placement can name by their role.
const (
	PlaceControlPlane = "control-plane"
	PlaceWorkers      = "workers"
	PlaceAll          = "all"
)

// Placement says which nodes pods run on: those of a role or those with labels.
type Placement struct {
	On           string            // PlaceControlPlane, PlaceWorkers or PlaceAll; "" with a NodeSelector or when nothing was said
	NodeSelector map[string]string // nil when there is none
}

func addonsFields() []field[Addons] {
	return []field[Addons]{
		{"network", false, func(d *decoder, n *yaml.Node, p []string, a *Addons) {
			mapping(d, n, p, &a.Network, networkFields())
		}},
		{"metricsServer", false, func(d *decoder, n *yaml.Node, p []string, a *Addons) {
			a.MetricsServer = wanted(d, n, p, MetricsServer{}, metricsServerFields())
		}},
		{"ingress", false, func(d *decoder, n *yaml.Node, p []string, a *Addons) {
			a.Ingress = wanted(d, n, p, defaultIngress(), ingressFields())
		}},
		{"manifests", false, func(d *decoder, n *yaml.Node, p []string, a *Addons) { a.Manifests = d.manifests(n, p) }},
	}
}

// wanted reads a mapping that need not say anything: that the key is there says
// that the add-on is wanted.
func wanted[T any](d *decoder, node *yaml.Node, path []string, value T, fields []field[T]) *T {
	if n := target(node); n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" {
		d.fault(path, "must be a mapping, got %s; write {} to have it, or remove the key", describe(n))
		return nil
	}
	mapping(d, node, path, &value, fields)
	return &value
}

func networkFields() []field[Network] {
	return []field[Network]{
		{"name", false, func(d *decoder, n *yaml.Node, p []string, w *Network) {
			w.Name = d.oneOf(n, p, []string{NetworkFlannel, NetworkNone})
		}},
	}
}

func metricsServerFields() []field[MetricsServer] {
	return []field[MetricsServer]{
		{"insecureTLS", false, func(d *decoder, n *yaml.Node, p []string, m *MetricsServer) {
			m.InsecureTLS = d.boolean(n, p)
		}},
	}
}

// defaultIngress answers on the ports of the hosts that are there in any cluster.
func defaultIngress() Ingress {
	return Ingress{Controller: IngressTraefik, HostNetwork: true, Placement: Placement{On: PlaceControlPlane}}
}

func ingressFields() []field[Ingress] {
	return []field[Ingress]{
		{"controller", false, func(d *decoder, n *yaml.Node, p []string, i *Ingress) {
			d.only(n, p, IngressTraefik, &i.Controller)
		}},
		{"hostNetwork", false, func(d *decoder, n *yaml.Node, p []string, i *Ingress) {
			i.HostNetwork = d.boolean(n, p)
		}},
		{"placement", false, func(d *decoder, n *yaml.Node, p []string, i *Ingress) {
			i.Placement = d.placement(n, p)
		}},
	}
}

// placement reads the name of some nodes, or labels that nodes have.
func (d *decoder) placement(node *yaml.Node, path []string) Placement {
	var placement Placement
	switch n := target(node); n.Kind {
	case yaml.MappingNode:
		mapping(d, node, path, &placement, placementFields())
	case yaml.ScalarNode:
		placement.On = d.oneOf(node, path, []string{PlaceControlPlane, PlaceWorkers, PlaceAll})
	default:
		d.fault(path, "must be %s, %s, %s or {nodeSelector: {disk: ssd}}, got %s",
			PlaceControlPlane, PlaceWorkers, PlaceAll, describe(n))
	}
	return placement
}

func placementFields() []field[Placement] {
	return []field[Placement]{
		{"nodeSelector", true, func(d *decoder, n *yaml.Node, p []string, l *Placement) {
			if l.NodeSelector = d.labels(n, p); l.NodeSelector == nil && !d.faultyWithin(p) {
				d.fault(p, "must have at least one label")
			}
		}},
	}
}
