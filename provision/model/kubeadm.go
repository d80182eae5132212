package model

import (
	"errors"
	"fmt"
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
func (s *Simulation) prepared(h facts.Host) error {
	versions := s.Versions(h)
	for _, program := range []string{templates.PackageKubeadm, templates.PackageKubelet} {
		if is, want := versions[program].Version, s.State.Cluster.Kubernetes.Version; is != want {
			return fmt.Errorf("%s is %q instead of %s", program, is, want)
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

func (s *Simulation) init(name string, a plan.KubeadmInit, half bool) error {
	if err := s.prepared(s.Facts.Hosts[name]); err != nil {
		return err
	}
	world.ChangeHost(s.Facts, name, func(h *facts.Host) {
		h.Manifests = []string{"etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"}
		h.CA, h.KubeletConfig = []byte(world.CA), true
		h.Kubeconfigs["admin.conf"], h.Kubeconfigs["kubelet.conf"] = true, true
		SetActive(h, templates.KubeletService, "active")
		h.Units[templates.KubeadmService] = facts.Unit{Load: "loaded", Active: map[bool]string{true: "failed", false: "inactive"}[half]}
	})
	if half {
		s.Facts.API.Err = world.Refused()
		return nil
	}
	documents, err := templates.WantedSettings(a.Cluster)
	if err != nil {
		return err
	}
	s.Facts.API = facts.API{
		Via: name, ServerVersion: "1.37.2", Nodes: map[string]object.Node{}, Objects: map[string]object.Live{}, Unready: map[string]string{},
		Applied: map[string][]object.Applied{}, Settings: map[string]string{}, RecordedSettings: map[string]string{},
	}
	for kind, fields := range documents {
		text, err := templates.SettingsDocument(kind, fields)
		if err != nil {
			return err
		}
		s.Facts.API.Settings[kind] = string(text)
	}
	s.proxy = s.Facts.API.Settings[templates.KindKubeProxy]
	s.register(name, a.Node, true)
	return nil
}

func (s *Simulation) join(name string, a plan.KubeadmJoin, half bool) error {
	if err := s.prepared(s.Facts.Hosts[name]); err != nil {
		return err
	}
	if s.Facts.API.Err != nil || !s.token {
		return fmt.Errorf("nothing to join with: API %v, token %v", s.Facts.API.Err, s.token)
	}
	world.ChangeHost(s.Facts, name, func(h *facts.Host) {
		h.CA = []byte(world.CA)
		h.Kubeconfigs["bootstrap-kubelet.conf"] = true
		if half {
			return
		}
		delete(h.Kubeconfigs, "bootstrap-kubelet.conf")
		h.Kubeconfigs["kubelet.conf"], h.KubeletConfig = true, true
		SetActive(h, templates.KubeletService, "active")
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
func (s *Simulation) register(name string, n templates.Node, controlPlane bool) {
	node := object.Node{Name: name, Labels: map[string]string{}, Annotations: map[string]string{}}
	for _, taint := range n.Taints {
		node.Taints = append(node.Taints, object.Taint{Key: taint.Key, Value: taint.Value, Effect: taint.Effect})
	}
	if controlPlane {
		node.Labels[object.LabelControlPlane] = ""
	}
	s.Facts.API.Nodes[name] = node
	world.ChangeHost(s.Facts, name, func(h *facts.Host) {
		h.Contents[templates.KubeletConfigFile] = []byte(s.Facts.API.Settings[templates.KindKubelet])
		if controlPlane {
			s.certify(h, s.Facts.API.Settings[templates.KindCluster], n.Address)
			for _, component := range templates.Components() {
				h.Contents[templates.ManifestPath(component)] = s.manifest(component, s.Facts.API.Settings[templates.KindCluster])
			}
		}
	})
	if desired.VerifiedMetrics(s.State.Cluster) {
		s.Facts.API.Serving = append(s.Facts.API.Serving, object.ServingRequest{Name: "csr-" + name, Node: name})
	}
}

// certify gives an API server the certificate that a document asks for.
func (s *Simulation) certify(h *facts.Host, document, address string) {
	fields, err := templates.ReadSettings(templates.KindCluster, []byte(document))
	if err != nil {
		s.t.Error(err)
	}
	server, _ := fields["apiServer"].(templates.Fields)
	sans, _ := server["certSANs"].([]any)
	seen := facts.Certificate{Path: templates.APIServerCertificate, Names: []string{address}}
	for _, name := range sans {
		seen.Names = append(seen.Names, fmt.Sprint(name))
	}
	h.Certificates = append(slices.DeleteFunc(slices.Clone(h.Certificates), func(c facts.Certificate) bool { return c.Path == templates.APIServerCertificate }), seen)
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
	if s.Facts.API.Err != nil {
		return s.Facts.API.Err
	}
	world.ChangeHost(s.Facts, name, func(h *facts.Host) {
		h.Contents[templates.ManifestPath(a.Component)] = s.manifest(a.Component, document(a.Document, templates.KindCluster))
		if half { // it was killed while it waited
			h.Files[templates.FormerManifest(a.Component)] = facts.File{Mode: 0o600}
		} else {
			delete(h.Files, templates.FormerManifest(a.Component))
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
