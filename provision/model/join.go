package model

import (
	"errors"
	"fmt"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// join is kubeadm join. A half one has brought what kubeadm writes before the kubelet starts; a
// late one has a kubelet that waits for its certificate, or lacks the mark of a control plane.
func (s *Simulation) join(step plan.Step, a plan.KubeadmJoin, half bool) error {
	name := step.Host
	if err := errors.Join(s.prepared(name), preflight(s.Facts.Hosts[name], a.Node, true, a.ControlPlane)); err != nil {
		return err
	}
	if err := s.unanswered(); err != nil || !s.cluster.tokens[s.minted] {
		return fmt.Errorf("nothing to join with: API %w, token %q of %v", err, s.minted, s.cluster.tokens)
	}
	if err := errors.Join(s.answers(a.Cluster.Endpoint), s.endpointAnswers()); err != nil {
		return err
	}
	switch _, exists := s.Facts.API.Nodes[a.Node.Name]; {
	case a.KubeletStarted && !s.Facts.Hosts[name].KubeletCredentials:
		return errors.New("the kubelet waits for its certificate with a token that is gone")
	case !a.KubeletStarted && exists && s.ready(a.Node.Name):
		return fmt.Errorf("a Node with name %q and status \"Ready\" already exists in the cluster", a.Node.Name)
	}
	if a.ControlPlane {
		return s.joinControlPlane(step, a, half)
	}
	s.turns.wait(step.ID)
	if !s.cluster.tokens[s.minted] {
		return errors.New("the token was revoked while the kubelet waited for its certificate")
	}
	err := s.change(name, func(h *facts.Host) error {
		world.Written(h, templates.CACertificate, 0o644, []byte(world.CA))
		world.Written(h, kubernetesFolder+"/bootstrap-kubelet.conf", 0o600, []byte(name))
		if half && s.cut.late {
			s.startKubelet(name, h)
			if s.cut.restart { // it was let in, and has not made its Node before the host went away
				remove(h, kubernetesFolder+"/bootstrap-kubelet.conf")
				world.Written(h, kubeletCredentials, 0o600, []byte(a.Node.Name))
				s.letIn[name] = a.Node
			}
		}
		return nil
	})
	if !half && err == nil {
		s.register(name, a.Node, false)
	}
	return err
}

// startKubelet is kubeadm's kubelet-start: the kubelet has written where its certificate will be, and asks for it.
func (s *Simulation) startKubelet(name string, h *facts.Host) {
	SetActive(h, templates.KubeletService, "inactive")
	world.Written(h, templates.KubeletConf, 0o600, []byte(world.Kubeconfig(s.kubeletServer(name))))
	world.Written(h, templates.KubeletConfigFile, 0o644, []byte(s.Facts.API.Settings[templates.KindKubelet]))
	SetActive(h, templates.KubeletService, "active")
}

func (s *Simulation) joinControlPlane(step plan.Step, a plan.KubeadmJoin, half bool) error {
	name := step.Host
	for _, path := range sharedPKI() {
		if _, exists := s.Facts.Hosts[name].Files[path]; !exists {
			return fmt.Errorf("join: %s is missing", path)
		}
	}
	if _, data := s.Facts.Hosts[name].Files[etcdMember]; s.cluster.etcd[name] && !data {
		return fmt.Errorf("etcd does not start: the member %s has already been bootstrapped", name)
	}
	return s.alone(step, "etcd", func() error {
		err := s.change(name, func(h *facts.Host) error {
			world.Written(h, kubernetesFolder+"/bootstrap-kubelet.conf", 0o600, []byte(name))
			if err := s.controlPlaneFiles(h, s.keptEndpoint()); err != nil {
				return err
			}
			if half && !s.cut.late { // its kubelet gets a certificate from the API server of this very host, which needs etcd
				remove(h, etcdMember, templates.ManifestPath(templates.ComponentEtcd))
				s.startKubelet(name, h)
			}
			return nil
		})
		if err != nil || half && !s.cut.late {
			return err
		}
		s.cluster.etcd[name] = true
		s.register(name, a.Node, true)
		if !half {
			s.mark(a.Node)
		}
		return nil
	})
}

// removeFormerMember takes out the member of a host that has no data of it.
func (s *Simulation) removeFormerMember(host string) error {
	if _, data := s.Facts.Hosts[host].Files[etcdMember]; data {
		return fmt.Errorf("the etcd member of %s lives", host)
	}
	if s.cluster.etcd[host] && len(s.cluster.etcd) < 3 {
		return errors.New("etcd has no quorum")
	}
	delete(s.cluster.etcd, host)
	return nil
}
