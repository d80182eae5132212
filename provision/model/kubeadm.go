package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// prepared says why kubeadm could not run.
func (s *Simulation) prepared(name string) error {
	h := s.Facts.Hosts[name]
	versions := s.Versions(h)
	for _, program := range []string{templates.PackageKubeadm, templates.PackageKubelet} {
		if is, want := versions[program].Version, s.State.Cluster.Kubernetes.Version; is != want {
			return fmt.Errorf("%s is %q instead of %s", program, is, want)
		}
	}
	for _, image := range s.State.Imported(name) {
		if h.Images[image.Name].Digest != image.Digest.String() {
			return fmt.Errorf("the image %s is not there", image.Name)
		}
	}
	_, proxied := h.Files[templates.ProxyFile]
	switch {
	case proxied != s.State.Proxied():
		return fmt.Errorf("kubeadm would have proxies: %v", proxied)
	case h.Units[templates.ContainerdService].Active != "active":
		return errors.New("the container runtime does not run")
	case h.Units[templates.KubeletService].Enabled != "enabled":
		return errors.New("the kubelet is not enabled")
	case h.Sysctls["net.ipv4.ip_forward"] != "1" || !h.Modules["br_netfilter"]:
		return errors.New("the kernel is not prepared")
	case len(h.Swaps) > 0:
		return errors.New("swap is on")
	}
	return nil
}

// preflight says what kubeadm complains of and was not told to ignore (its preflight/checks.go).
func preflight(h facts.Host, n templates.Node, joins, controlPlane bool) error {
	var complaints []string
	lacks := func(paths ...string) {
		for _, path := range paths {
			if _, exists := h.Files[path]; exists {
				complaints = append(complaints, "FileAvailable-"+strings.ReplaceAll(path, "/", "-"))
			}
		}
	}
	ports := map[string]string{}
	if controlPlane {
		for _, component := range templates.Components() {
			lacks(templates.ManifestPath(component))
		}
		if h.NotEmpty[etcdData] {
			complaints = append(complaints, "DirAvailable--var-lib-etcd")
		}
		ports = map[string]string{
			templates.ComponentAPIServer: "Port-6443", templates.ComponentControllerManager: "Port-10257", templates.ComponentScheduler: "Port-10259",
			templates.ComponentEtcd: "Port-2379",
		}
	}
	if joins {
		lacks(kubernetesFolder+"/kubelet.conf", kubernetesFolder+"/bootstrap-kubelet.conf")
		if !controlPlane {
			lacks(templates.CACertificate)
		}
	}
	if h.Units[templates.KubeletService].Active == "active" {
		complaints = append(complaints, "Port-10250")
		for _, component := range templates.Components() {
			if port := ports[component]; port != "" && slices.Contains(h.Manifests, component+".yaml") {
				complaints = append(complaints, port)
			}
		}
	}
	complaints = slices.DeleteFunc(complaints, func(name string) bool {
		return slices.ContainsFunc(n.IgnorePreflight, func(ignored string) bool { return strings.EqualFold(ignored, name) })
	})
	if len(complaints) > 0 {
		return fmt.Errorf("[preflight] some fatal errors occurred: %v", complaints)
	}
	return nil
}

// errNoLeader is why an API server does not come.
var errNoLeader = errors.New("etcd has no leader")

func (s *Simulation) init(step plan.Step, a plan.KubeadmInit, half bool) error {
	name := step.Host
	if err := errors.Join(s.prepared(name), preflight(s.Facts.Hosts[name], a.Node, false, true)); err != nil {
		return err
	}
	return s.alone(step, "etcd", func() error {
		if s.Facts.Hosts[name].EtcdUnbegun {
			return errNoLeader
		}
		s.Facts.API.Err = world.Refused()
		err := s.change(name, func(h *facts.Host) error {
			if err := s.controlPlaneFiles(h, a.Cluster.Endpoint); err != nil {
				return err
			}
			if half && s.cut.restart && !s.cut.late {
				world.Written(h, etcdMember, 0o600, []byte(unbegun))
			}
			world.Written(h, templates.KubeletConf, 0o600, []byte(world.Kubeconfig(s.localServer(name))))
			world.Written(h, kubeletCredentials, 0o600, []byte(a.Node.Name))
			world.Written(h, templates.KubeletConfigFile, 0o644, nil)
			SetActive(h, templates.KubeletService, "active")
			h.Units[templates.KubeadmService] = facts.Unit{Load: "loaded", Active: map[bool]string{true: "failed", false: "inactive"}[half]}
			return nil
		})
		if half && s.cut.late { // admin.conf gets its rights after that
			s.Facts.API.Err = world.Forbidden()
		}
		if half || err != nil {
			return err
		}
		return s.start(name, a)
	})
}

// start makes the cluster.
func (s *Simulation) start(name string, a plan.KubeadmInit) error {
	documents, err := templates.WantedSettings(a.Cluster)
	if err != nil {
		return err
	}
	s.cluster = newCluster()
	s.cluster.etcd[name] = true
	s.Facts.API = facts.API{
		Via: name, ServerVersion: "1.37.2", Nodes: map[string]object.Node{}, Objects: map[string]object.Live{}, Unready: map[string]string{},
		Applied: map[string][]object.Applied{}, Settings: map[string]string{}, RecordedSettings: map[string]string{},
		Kubeconfigs: world.Kubeconfigs(a.Cluster.Endpoint),
	}
	// Init writes down the names of all control planes that the inventory has by then, beside what is compared with a living cluster.
	documents[templates.KindCluster] = certifiedFor(documents[templates.KindCluster], a.Cluster.CertSANs)
	for kind, fields := range documents {
		text, err := templates.SettingsDocument(kind, fields)
		if err != nil {
			return err
		}
		s.Facts.API.Settings[kind] = string(text)
	}
	s.cluster.proxy, s.cluster.proxyServer = s.Facts.API.Settings[templates.KindKubeProxy], s.handsOut(desired.ProxyKubeconfig())
	s.register(name, a.Node, true)
	s.mark(a.Node)
	return nil
}

// certifiedFor is a ClusterConfiguration with more names for API servers' certificates.
func certifiedFor(cluster templates.Fields, names []string) templates.Fields {
	cluster = maps.Clone(cluster)
	server, _ := cluster["apiServer"].(templates.Fields)
	sans, _ := server["certSANs"].([]any)
	sans = slices.Clone(sans)
	for _, name := range names {
		if !slices.Contains(sans, any(name)) {
			sans = append(sans, name)
		}
	}
	server = maps.Clone(server)
	if server == nil {
		server = templates.Fields{}
	}
	server["certSANs"], cluster["apiServer"] = sans, server
	return cluster
}

// controlPlaneFiles are those of a control plane, but for the manifests' content.
func (s *Simulation) controlPlaneFiles(h *facts.Host, endpoint string) error {
	if is, exists := h.Servers["admin.conf"]; exists && is != "https://"+endpoint {
		return fmt.Errorf("a kubeconfig file %q exists already but has got the wrong API Server URL: %s", templates.AdminConf, is)
	}
	for _, path := range sharedPKI() {
		if _, exists := h.Files[path]; !exists {
			world.Written(h, path, 0o600, []byte(path))
		}
	}
	world.Written(h, templates.CACertificate, 0o644, []byte(world.CA))
	world.Written(h, templates.AdminConf, 0o600, []byte(world.Kubeconfig("https://"+endpoint)))
	world.Written(h, etcdMember, 0o600, nil)
	for _, component := range templates.Components() {
		world.Written(h, templates.ManifestPath(component), 0o600, nil)
	}
	return nil
}

// register makes the Node, with what kubeadm and the kubelet leave on the host.
func (s *Simulation) register(name string, n templates.Node, controlPlane bool) {
	node, exists := s.Facts.API.Nodes[n.Name]
	if !exists {
		node = object.Node{Name: n.Name, Labels: map[string]string{}, Annotations: map[string]string{}}
	}
	if !controlPlane && !exists {
		node.Taints = taints(n)
	}
	s.Facts.API.Nodes[n.Name] = node
	settings := s.Facts.API.Settings
	_ = s.change(name, func(h *facts.Host) error {
		remove(h, kubernetesFolder+"/bootstrap-kubelet.conf")
		if !h.KubeletCredentials { // else it has made its kubeconfig before
			world.Written(h, templates.KubeletConf, 0o600, []byte(world.Kubeconfig(s.kubeletServer(name))))
		}
		world.Written(h, kubeletCredentials, 0o600, []byte(n.Name))
		world.Written(h, templates.KubeletConfigFile, 0o644, []byte(settings[templates.KindKubelet]))
		world.Written(h, podLogs, 0o600, nil)
		SetActive(h, templates.KubeletService, "active")
		h.Links = append(slices.DeleteFunc(slices.Clone(h.Links), ofCluster), "cni0", "flannel.1")
		if _, there := h.Sysctls[kubeletSysctl]; there {
			h.Sysctls[kubeletSysctl] = "1"
		}
		if controlPlane {
			advertised, _, _ := strings.Cut(n.Address, ",")
			if _, exists := h.Files[templates.APIServerCertificate]; !exists { // it keeps one that is there
				s.certify(h, settings[templates.KindCluster], advertised)
			}
			for _, component := range templates.Components() {
				world.Written(h, templates.ManifestPath(component), 0o600, s.manifest(component, settings[templates.KindCluster]))
			}
			h.Processes = []facts.Process{{Program: templates.ComponentAPIServer}}
		}
		return nil
	})
	delete(s.stale, name+"/"+templates.KubeletService) // kubeadm has started it anew
	if !exists && desired.VerifiedMetrics(s.State.Cluster) {
		s.Facts.API.Serving = append(s.Facts.API.Serving, object.ServingRequest{Name: "csr-" + n.Name, Node: n.Name})
	}
}

// kubeletSysctl is one that the kubelet sets.
const kubeletSysctl = "vm.overcommit_memory"

func taints(n templates.Node) []object.Taint {
	var all []object.Taint
	for _, taint := range n.Taints {
		all = append(all, object.Taint{Key: taint.Key, Value: taint.Value, Effect: taint.Effect})
	}
	return all
}

// mark is what kubeadm does last with a control plane.
func (s *Simulation) mark(n templates.Node) {
	world.ChangeNode(s.Facts, n.Name, func(node *object.Node) {
		node.Labels[object.LabelControlPlane] = ""
		for _, taint := range taints(n) {
			if !slices.Contains(node.Taints, taint) {
				node.Taints = append(node.Taints, taint)
			}
		}
	})
}

// certify gives an API server the certificate that a document asks for.
func (s *Simulation) certify(h *facts.Host, document, address string) {
	fields, err := templates.ReadSettings(templates.KindCluster, []byte(document))
	if err != nil {
		s.t.Error(err)
	}
	server, _ := fields["apiServer"].(templates.Fields)
	sans, _ := server["certSANs"].([]any)
	names := []string{address}
	for _, name := range sans {
		names = append(names, fmt.Sprint(name))
	}
	world.Written(h, templates.APIServerCertificate, 0o644, []byte(strings.Join(names, "\n")))
}

// manifest is what kubeadm writes for a component.
func (s *Simulation) manifest(component, document string) []byte {
	fields, err := templates.ReadSettings(templates.KindCluster, []byte(document))
	if err != nil {
		s.t.Error(err)
	}
	return world.ManifestOf(component, plan.ExtraArgs(fields, component)...)
}

func (s *Simulation) changeStaticPod(name string, a plan.ChangeStaticPod, half bool) error {
	if err := s.unanswered(); err != nil {
		return err
	}
	return s.change(name, func(h *facts.Host) error {
		world.Written(h, templates.ManifestPath(a.Component), 0o600, s.manifest(a.Component, document(a.Document, templates.KindCluster)))
		remove(h, templates.FormerManifest(a.Component))
		if half { // it was killed while it waited
			h.Files[templates.FormerManifest(a.Component)] = facts.File{Mode: 0o600}
		}
		return nil
	})
}

// document is the one of a kind among several.
func document(documents []byte, kind string) string {
	for _, each := range strings.Split(string(documents), "---\n") {
		if strings.Contains(each, "\nkind: "+kind+"\n") {
			return each
		}
	}
	return ""
}

func ofCluster(link string) bool { return link == "cni0" || link == "flannel.1" }
