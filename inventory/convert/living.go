package convert

import (
	"maps"
	"slices"
	"strings"

	"fairlead/inventory"
)

// Node is a node of a living cluster.
type Node struct {
	Name, Address string // Address: its first InternalIP
	Version       string // of its kubelet
	Labels        map[string]string
	Taints        []inventory.Taint
	Cordoned      bool
}

// Living makes a draft of a living cluster of kubeadm's: its nodes become hosts. configuration is the ClusterConfiguration that
// kubeadm keeps in the cluster, server the URL in the kubeconfig. How to log in to the hosts nobody has said yet.
func Living(source string, nodes []Node, configuration []byte, server string, o Options) (*Draft, error) {
	r := &reading{options: o, draft: &Draft{Source: source, WithoutSSH: true}}
	d := r.draft
	r.configuration(configuration)
	tainted, open := r.nodes(nodes)
	if tainted > 0 && open > 0 {
		d.AddNote(0, "controlPlane.schedulable", "is one for all control-plane nodes; some of them have the taint that it is about, and some have not")
	}
	if tainted+open == 0 && len(o.ControlPlane) == 0 {
		r.fault(1, "no node is a control plane by its label %s; name some with --control-planes", controlPlaneLabel)
	}
	if d.Endpoint.Value == "" && tainted+open > 1 {
		d.AddNote(0, "controlPlaneEndpoint", "the cluster has none; the kubeconfig has "+clip(server))
	}
	r.kubelets(nodes)
	d.AddNote(0, "addons.network", "flannel, where nothing is said: write {name: none} if the cluster has another pod network; check finds that, too")
	d.AddNote(0, "ssh", "how to log in is for you to say: user, port, identityFile")
	if len(r.problems) > 0 {
		return nil, &inventory.Invalid{File: fileOf(source), Problems: r.problems}
	}
	d.Schedulable = true // for Finish, which has nothing to say of it here
	if err := d.Finish(o); err != nil {
		return nil, err
	}
	d.Schedulable = tainted == 0
	return d, nil
}

// nodes makes hosts, and counts the control planes that keep ordinary pods off and those that do not.
func (r *reading) nodes(nodes []Node) (tainted, open int) {
	for _, n := range nodes {
		h, taintedHere := r.node(n)
		switch {
		case h.Role != inventory.RoleControlPlane:
		case taintedHere:
			tainted++
		default:
			open++
		}
		r.draft.Hosts = append(r.draft.Hosts, h)
	}
	return tainted, open
}

// configuration reads what kubeadm keeps in the cluster. Its notes are without lines: nobody has that file before them.
func (r *reading) configuration(text []byte) {
	d := r.draft
	if len(text) == 0 {
		d.AddNote(0, "", "the hosts are taken, and no data of the cluster, which is not kubeadm's: it has no kubeadm-config")
		return
	}
	yamlReader(livingWhys(), readConfiguration)(r, text)
	for i, n := range d.Notes {
		d.Notes[i] = Note{Key: strings.TrimSuffix("ClusterConfiguration."+n.Key, "."), Why: n.Why}
	}
}

const controlPlaneLabel = "node-role.kubernetes.io/control-plane"

// livingWhys are reasons by the keys of kubeadm's ClusterConfiguration (kubeadm.k8s.io/v1beta4).
func livingWhys() map[string]string {
	const config = "stands in kubernetes.config.ClusterConfiguration here, if you want it there, too"
	return map[string]string{
		"apiServer": config, "controllerManager": config, "scheduler": config, "etcd": config, "etcd.local": config, "dns": config, "featureGates": config,
		"imageRepository": "images under other names are images.rewrite here", "certificatesDir": "kubeadm's default is what fairlead goes by",
		"networking.dnsDomain": config, "encryptionAlgorithm": config, "caCertificateValidityPeriod": config, "certificateValidityPeriod": config,
	}
}

func readConfiguration(r *reading, top tree) {
	top.get("apiVersion")
	top.get("kind")
	d := r.draft
	d.Name = top.get("clusterName")
	d.Version = version(top.get("kubernetesVersion"))
	d.Endpoint = endpoint(top.get("controlPlaneEndpoint"), Setting{})
	d.PodSubnet = top.in("networking").get("podSubnet")
	d.ServiceSubnet = top.in("networking").get("serviceSubnet")
	for _, s := range []*Setting{&d.Name, &d.Version, &d.Endpoint, &d.PodSubnet, &d.ServiceSubnet} {
		s.Line = 0
	}
	for _, usual := range [][]string{{"certificatesDir", "/etc/kubernetes/pki"}, {"imageRepository", "registry.k8s.io"}, {"networking.dnsDomain", "cluster.local"}, {"encryptionAlgorithm", "RSA-2048"}, {"etcd.local.dataDir", "/var/lib/etcd"}} {
		path := strings.Split(usual[0], ".")
		if at := top.in(path...); at.node != nil && at.node.Value == usual[1] {
			at.value()
		}
	}
}

// node makes a host of a node; tainted says whether ordinary pods are kept off it as off control planes.
func (r *reading) node(n Node) (h Host, tainted bool) {
	h = Host{From: n.Name}
	h.Role = inventory.RoleWorker
	if _, is := n.Labels[controlPlaneLabel]; is {
		h.Role = inventory.RoleControlPlane
	}
	if a, ok := usable(n.Address); ok {
		h.Address = a
	} else {
		r.draft.AddNote(0, n.Name, "has no InternalIP")
	}
	h.Labels = r.peoplesLabels(n)
	h.Taints, tainted = r.peoplesTaints(n)
	if n.Cordoned {
		r.draft.AddNote(0, n.Name, "is cordoned; that is not in this file")
	}
	return h, tainted
}

func (r *reading) peoplesLabels(n Node) map[string]string {
	labels := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(n.Labels)) {
		switch owner := labelOwner(key); owner {
		case "":
			labels[key] = n.Labels[key]
		case ofSystem:
		default:
			r.draft.AddNote(0, "the label "+key, "left out: "+owner+" sets it")
		}
	}
	if len(labels) == 0 {
		return nil
	}
	return labels
}

// peoplesTaints has the taints that neither the cluster nor kubeadm sets; kubeadm's is the second answer.
func (r *reading) peoplesTaints(n Node) (taints []inventory.Taint, tainted bool) {
	for _, t := range n.Taints {
		switch {
		case ofControlPlane(t):
			tainted = true
		case t.Key == "node.kubernetes.io/unschedulable":
		case strings.HasPrefix(t.Key, "node.kubernetes.io/"), strings.HasPrefix(t.Key, "node.cloudprovider.kubernetes.io/"):
			r.draft.AddNote(0, "the taint "+t.String()+" of "+n.Name, "left out: the cluster sets it and takes it away")
		default:
			taints = append(taints, t)
		}
	}
	return taints, tainted
}

const ofSystem = "the cluster itself"

// labelOwner says who sets a label; "" when a person does.
func labelOwner(key string) string {
	prefix, name, _ := strings.Cut(key, "/")
	switch {
	case slices.Contains([]string{"kubernetes.io", "beta.kubernetes.io"}, prefix) && slices.Contains([]string{"arch", "os", "hostname"}, name):
		return ofSystem
	case slices.Contains([]string{controlPlaneLabel, "node-role.kubernetes.io/master", "node.kubernetes.io/exclude-from-external-load-balancers"}, key):
		return ofSystem
	case strings.HasSuffix(prefix, "topology.kubernetes.io"), prefix == "failure-domain.beta.kubernetes.io", name == "instance-type" && strings.HasSuffix(prefix, "kubernetes.io"):
		return "a cloud provider, if there is one,"
	case prefix == "feature.node.kubernetes.io":
		return "node-feature-discovery"
	}
	return ""
}

// kubelets notes kubelets of other versions than the cluster's; where that is not known, the first one's counts.
func (r *reading) kubelets(nodes []Node) {
	if r.draft.Version.Value == "" && len(nodes) > 0 {
		r.draft.Version = version(Setting{Value: nodes[0].Version, Key: "kubelet of " + nodes[0].Name})
	}
	for _, n := range nodes {
		if v := strings.TrimPrefix(n.Version, "v"); v != "" && v != strings.TrimPrefix(r.draft.Version.Given, "v") {
			r.draft.AddNote(0, n.Name, "has a kubelet of version "+clip(v))
		}
	}
}
