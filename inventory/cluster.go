package inventory

import (
	"net/netip"
	"slices"
)

// The one form of the file this package reads.
const (
	APIVersion = "fairlead/v1"
	Kind       = "Cluster"
)

// Words that keys can have as values, and what a file that leaves keys out gets.
const (
	SourceBundle      = "bundle"     // kubernetes.source: everything comes from one bundle
	SourcePackages    = "packages"   // kubernetes.source: from packages of the hosts' package managers
	RuntimeContainerd = "containerd" // runtime.name
	RuntimeDocker     = "docker"     // runtime.name
	NetworkFlannel    = "flannel"    // addons.network.name
	NetworkNone       = "none"       // addons.network.name: it is there already, or a manifest brings it
	IngressTraefik    = "traefik"    // addons.ingress.controller
	TransportSSH      = "ssh"        // ssh.transport
	TransportLocal    = "local"      // ssh.transport: the machine that this process runs on
	TransportDocker   = "docker"     // ssh.transport: a container, by Docker's client
	TransportPodman   = "podman"     // ssh.transport: a container, by Podman's client
	TransportNerdctl  = "nerdctl"    // ssh.transport: a container of containerd, by nerdctl

	DefaultPodSubnet     = "10.244.0.0/16"
	DefaultServiceSubnet = "10.96.0.0/12"
	DefaultSSHPort       = 22
	DefaultAPIPort       = 6443 // port of the API server, used in the default endpoint
)

// The Kubernetes minors (1.x) that can be installed, both ends included.
const (
	OldestMinor = 34
	NewestMinor = 37
)

// Cluster is a cluster file with all defaults filled in.
type Cluster struct {
	Name       string // a DNS label
	Kubernetes Kubernetes
	Runtime    Runtime
	// Packages are installed on all hosts beside what makes them nodes: names of the hosts' own package managers.
	Packages     []string
	Proxy        Proxy
	ControlPlane ControlPlane
	Workers      []Host
	Images       Images
	Addons       Addons
	// IgnorePreflight holds the names of the preflight findings that do not stop a run.
	IgnorePreflight []string
}

// Kubernetes says which Kubernetes is installed and how it is configured.
type Kubernetes struct {
	Version string // x.y.z without a leading v
	Source  string // SourceBundle or SourcePackages
	// Bundle is the absolute path of the bundle; "" when there is none. With
	// SourcePackages, images come from it where it is given.
	Bundle     string
	Repository Repository // of the packages; default: DefaultKubernetesRepository
	// PodSubnet and ServiceSubnet are canonical, of the same IP families in the same order, and do not overlap.
	PodSubnet, ServiceSubnet Subnets
	// Config maps the kind of a kubeadm document to the fields merged over it. The
	// values are JSON's: map[string]any, []any, string, bool, int64, float64, nil.
	Config map[string]map[string]any
}

// ControlPlane holds the control-plane hosts and what they share.
type ControlPlane struct {
	// Endpoint is the host:port in front of all API servers.
	Endpoint string
	// EndpointDerived says that the file names no endpoint, and that it is the first host's address: a cluster that lives keeps the
	// one that it has.
	EndpointDerived bool `json:",omitzero"`
	// PublicEndpoint is the host:port of the same API servers for people; "" where it is Endpoint, too.
	PublicEndpoint string `json:",omitzero"`
	// LoadBalancer is the address that the control planes share; nil where there is none, or where Endpoint is somebody else's.
	LoadBalancer *LoadBalancer `json:",omitzero"`
	// Schedulable says that ordinary pods may run on control-plane nodes.
	Schedulable bool
	Hosts       []Host
}

// Role is what a host does in the cluster.
type Role string

// The two roles.
const (
	RoleControlPlane Role = "control-plane"
	RoleWorker       Role = "worker"
)

// Host is one machine of the cluster.
type Host struct {
	Name    string // of dotted DNS labels, unique in the cluster
	Node    string // the name of its node, where that is another one: see NodeName
	Address netip.Addr
	Second  netip.Addr `json:",omitzero"` // of the other IP family, in a dual-stack cluster; else not valid
	Role    Role
	SSH     SSH
	Labels  map[string]string // nil when there are none
	Taints  []Taint
	// Packages are added to those of all hosts.
	Packages []string
}

// NodeName is what the host's node is called in the cluster: as the host, unless the file says otherwise.
func (h Host) NodeName() string {
	if h.Node != "" {
		return h.Node
	}
	return h.Name
}

// Addresses are the host's one or two, the one by which the nodes know each other first.
func (h Host) Addresses() []netip.Addr {
	var all []netip.Addr
	for _, a := range []netip.Addr{h.Address, h.Second} {
		if a.IsValid() {
			all = append(all, a)
		}
	}
	return all
}

// SSHAddress is where this machine gets to the host's sshd: its ssh.address, else its address.
func (h Host) SSHAddress() string {
	if h.SSH.Address != "" {
		return h.SSH.Address
	}
	return h.Address.String()
}

// SSH says how one host is reached: the host's own keys over the file's top-level
// ones over the defaults. Paths are absolute; "" where nothing was given.
type SSH struct {
	// Transport is TransportSSH, TransportLocal or that of a container. With the second, which one host at
	// most has, User is the current user and the others but Sudo are empty; with the last, User is root, and Container
	// and Context alone are not empty.
	Transport string
	// Address is how this machine gets there: an IP address, a DNS name or an alias of ssh's configuration; default: the
	// host's address, see SSHAddress.
	Address string
	// User and Port, where they are empty, are what ssh's configuration says, and else the user running this process and
	// DefaultSSHPort.
	User         string
	Port         int
	IdentityFile string
	KnownHosts   string
	HostKey      string // a public key ("ssh-ed25519 AAAA…") or its fingerprint ("SHA256:…")
	Sudo         Sudo   // goes with TransportLocal, too
	// Jump are the hosts to go through, the first one first, each of which ParseJump reads: nil where nothing was given, so
	// that those of ssh's configuration count, empty for none.
	Jump      []string
	Container string // name or ID of the container; default: the host's name
	Context   string // in which the client of containers finds it; "" for the client's own
}

// InContainer says that the host is a container, reached by the client of its engine.
func (s SSH) InContainer() bool { return slices.Contains(containerTransports(), s.Transport) }

// logsIn says that the host is reached by a login.
func (s SSH) logsIn() bool { return s.Transport != TransportLocal && !s.InContainer() }

// containerTransports are the ways into containers.
func containerTransports() []string {
	return []string{TransportDocker, TransportPodman, TransportNerdctl}
}

// Taint keeps pods that do not tolerate it off a node.
type Taint struct {
	Key, Value string
	Effect     string // NoSchedule, PreferNoSchedule or NoExecute
}

// String writes the taint as the file does: key=value:Effect, or key:Effect
// without a value.
func (t Taint) String() string {
	if t.Value == "" {
		return t.Key + ":" + t.Effect
	}
	return t.Key + "=" + t.Value + ":" + t.Effect
}

// Hosts lists all hosts: control planes first, then workers, each in file order.
func (c *Cluster) Hosts() []Host {
	hosts := make([]Host, 0, len(c.ControlPlane.Hosts)+len(c.Workers))
	hosts = append(hosts, c.ControlPlane.Hosts...)
	return append(hosts, c.Workers...)
}

// Host finds a host by its name.
func (c *Cluster) Host(name string) (Host, bool) {
	for _, h := range c.Hosts() {
		if h.Name == name {
			return h, true
		}
	}
	return Host{}, false
}

// WithLast is the cluster with some of its control planes after the others, each group in its order. The file's default of the
// endpoint is what it was.
func (c *Cluster) WithLast(names []string) *Cluster {
	if len(names) == 0 {
		return c
	}
	is := func(h Host) bool { return slices.Contains(names, h.Name) }
	isNot := func(h Host) bool { return !is(h) }
	ordered := *c
	ordered.ControlPlane.Hosts = slices.Concat(
		slices.DeleteFunc(slices.Clone(c.ControlPlane.Hosts), is), slices.DeleteFunc(slices.Clone(c.ControlPlane.Hosts), isNot))
	return &ordered
}
