package provision

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairlead/provision/kube"
	"fairlead/templates"
)

// prepared says why kubeadm could not run.
func (s *simulation) prepared(h HostFacts) error {
	versions := s.versions(h)
	for _, program := range []string{packageKubeadm, packageKubelet} {
		if is, want := versions[program].Version, s.wish.Cluster.Kubernetes.Version; is != want {
			return fmt.Errorf("%s is %q instead of %s", program, is, want)
		}
	}
	_, proxied := h.Files[templates.ProxyFile]
	switch {
	case proxied != s.wish.proxied():
		return fmt.Errorf("kubeadm would have proxies: %v", proxied)
	case h.Units[containerdUnit].Active != "active":
		return errors.New("the container runtime does not run")
	case h.Units[kubeletUnit].Enabled != "enabled":
		return errors.New("the kubelet is not enabled")
	case h.Sysctls["net.ipv4.ip_forward"] != "1" || !h.Modules["br_netfilter"]:
		return errors.New("the kernel is not prepared")
	case len(h.Swaps) > 0:
		return errors.New("swap is on")
	}
	return nil
}

func (s *simulation) init(name string, a KubeadmInit, half bool) error {
	if err := s.prepared(s.is.Hosts[name]); err != nil {
		return err
	}
	changeHost(s.is, name, func(h *HostFacts) {
		h.Manifests = []string{"etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"}
		h.CA, h.KubeletConfig = []byte(testCA), true
		h.Kubeconfigs["admin.conf"], h.Kubeconfigs["kubelet.conf"] = true, true
		setActive(h, kubeletUnit, "active")
		h.Units[kubeadmUnit] = UnitFacts{Load: "loaded", Active: map[bool]string{true: "failed", false: "inactive"}[half]}
	})
	if half {
		s.is.API.Err = errors.New("connection refused")
		return nil
	}
	documents, err := templates.WantedSettings(a.Cluster)
	if err != nil {
		return err
	}
	s.is.API = APIFacts{
		Via: name, ServerVersion: "1.37.2", Nodes: map[string]kube.Node{}, Objects: map[string]kube.Live{}, Unready: map[string]string{},
		Applied: map[string][]kube.AppliedObject{}, Settings: map[string]string{}, RecordedSettings: map[string]string{},
	}
	for kind, fields := range documents {
		text, err := templates.SettingsDocument(kind, fields)
		if err != nil {
			return err
		}
		s.is.API.Settings[kind] = string(text)
	}
	s.proxy = s.is.API.Settings[templates.KindKubeProxy]
	s.register(name, a.Node, true)
	return nil
}

func (s *simulation) join(name string, a KubeadmJoin, half bool) error {
	if err := s.prepared(s.is.Hosts[name]); err != nil {
		return err
	}
	if s.is.API.Err != nil || !s.token {
		return fmt.Errorf("nothing to join with: API %w, token %v", s.is.API.Err, s.token)
	}
	changeHost(s.is, name, func(h *HostFacts) {
		h.CA = []byte(testCA)
		h.Kubeconfigs["bootstrap-kubelet.conf"] = true
		if half {
			return
		}
		delete(h.Kubeconfigs, "bootstrap-kubelet.conf")
		h.Kubeconfigs["kubelet.conf"], h.KubeletConfig = true, true
		setActive(h, kubeletUnit, "active")
		if a.ControlPlane {
			h.Kubeconfigs["admin.conf"] = true
			h.Manifests = []string{"etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"}
		}
	})
	if !half {
		s.register(name, a.Node, a.ControlPlane)
	}
	return nil
}

// register makes the Node, with what kubeadm and the kubelet leave on the host.
func (s *simulation) register(name string, n templates.Node, controlPlane bool) {
	node := kube.Node{Name: name, Labels: map[string]string{}, Annotations: map[string]string{}}
	for _, taint := range n.Taints {
		node.Taints = append(node.Taints, kube.Taint{Key: taint.Key, Value: taint.Value, Effect: taint.Effect})
	}
	if controlPlane {
		node.Labels[labelControlPlane] = ""
	}
	s.is.API.Nodes[name] = node
	changeHost(s.is, name, func(h *HostFacts) {
		h.Contents[kubeletConfig] = []byte(s.is.API.Settings[templates.KindKubelet])
		if controlPlane {
			s.certify(h, s.is.API.Settings[templates.KindCluster], n.Address)
			for _, component := range components() {
				h.Contents[manifestPath(component)] = s.manifest(component, s.is.API.Settings[templates.KindCluster])
			}
		}
	})
	if verifiedMetrics(s.wish.Cluster) {
		s.is.API.Serving = append(s.is.API.Serving, kube.ServingRequest{Name: "csr-" + name, Node: name})
	}
}

// certify gives an API server the certificate that a document asks for.
func (s *simulation) certify(h *HostFacts, document, address string) {
	fields, err := templates.ReadSettings(templates.KindCluster, []byte(document))
	if err != nil {
		s.t.Error(err)
	}
	server, _ := fields["apiServer"].(templates.Fields)
	sans, _ := server["certSANs"].([]any)
	facts := CertificateFacts{Path: apiServerCertificate, Names: []string{address}}
	for _, name := range sans {
		facts.Names = append(facts.Names, fmt.Sprint(name))
	}
	h.Certificates = append(slices.DeleteFunc(slices.Clone(h.Certificates), func(c CertificateFacts) bool { return c.Path == apiServerCertificate }), facts)
}

// manifest is what kubeadm writes for a component.
func (s *simulation) manifest(component, document string) []byte {
	fields, err := templates.ReadSettings(templates.KindCluster, []byte(document))
	if err != nil {
		s.t.Error(err)
	}
	return manifestOf(component, extraArgs(fields, component)...)
}

func (s *simulation) changeStaticPod(name string, a ChangeStaticPod, half bool) error {
	if s.is.API.Err != nil {
		return s.is.API.Err
	}
	changeHost(s.is, name, func(h *HostFacts) {
		h.Contents[manifestPath(a.Component)] = s.manifest(a.Component, document(a.Document, templates.KindCluster))
		if half { // it was killed while it waited
			h.Files[formerManifest(a.Component)] = FileFacts{Mode: 0o600}
		} else {
			delete(h.Files, formerManifest(a.Component))
		}
	})
	return nil
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
