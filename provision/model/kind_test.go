package model

import (
	"slices"
	"testing"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// onKind makes a host what an image of kind's brings.
func onKind(h *facts.Host) {
	OnSystem("debian", "")(h)
	h.Container = "docker"
	world.Written(h, templates.KindConfigFile, 0o644, []byte("of kind"))
	for _, program := range []string{"/usr/bin/kubelet", "/usr/bin/kubeadm", "/usr/bin/kubectl", "/usr/local/bin/containerd"} {
		h.Files[program] = facts.File{Mode: 0o755, SHA256: "kind 1.37.2"}
	}
	for _, unit := range []string{templates.ContainerdService, templates.KubeletService} {
		world.Written(h, "/etc/systemd/system/"+unit, 0o644, []byte("of kind"))
		SetActive(h, unit, "inactive")
		h.Units[unit] = facts.Unit{Load: "loaded", Active: map[bool]string{true: "active", false: "inactive"}[unit == templates.ContainerdService], Enabled: "enabled", Path: "/etc/systemd/system/" + unit}
	}
	world.Written(h, templates.ContainerdConfigFile, 0o644, []byte("of kind"))
	h.Files[imageFolder+"registry.k8s.io/of-kind:v1"] = facts.File{SHA256: "sha256:1"}
}

// kindLab is a lab of kind without a cluster.
func kindLab(t *testing.T) *Simulation {
	t.Helper()
	s := inUse(t, nil)
	for _, host := range s.State.Cluster.Hosts() {
		_ = s.change(host.Name, func(h *facts.Host) error { onKind(h); return nil })
	}
	return s
}

// Nodes of kind become a cluster with what they bring, and after a reset they are as before, images too.
func TestKind(t *testing.T) {
	fresh := kindLab(t)
	made := fresh.Fork()
	made.WantConverged()
	for _, program := range []string{"/usr/local/bin/kubelet", "/usr/local/bin/kubeadm"} {
		if _, there := made.Facts.Hosts["cp1"].Files[program]; there {
			t.Errorf("%s was brought", program)
		}
	}
	whole := made.state()
	everyCut(t, func(n int, kill, late bool) bool {
		s := made.Fork()
		s.cutOff(n, kill, late)
		_ = s.reset()
		reached, _ := s.uncut()
		if err := s.reset(); err != nil {
			t.Fatal(err)
		}
		s.wantBare(fresh.bare())
		s.WantConverged()
		s.wantState(whole)
		return reached
	})
}

// A cluster that kind has made goes on explicit wish, wherever that is cut off, and up makes another one.
func TestResetOfKindsCluster(t *testing.T) {
	made := kindLab(t)
	made.WantConverged()
	whole := made.state()
	for _, host := range made.State.Cluster.Hosts() { // nothing of it is fairlead's
		_ = made.change(host.Name, func(h *facts.Host) error {
			h.Ledger = nil
			remove(h, below(h, templates.StateFolder)...)
			return nil
		})
	}
	order := plan.ResetOrder{Foreign: true}
	everyCut(t, func(n int, kill, late bool) bool {
		s := made.Fork()
		s.cutOff(n, kill, late)
		_ = s.resetBy(order)
		reached, _ := s.uncut()
		if err := s.resetBy(order); err != nil {
			t.Fatal(err)
		}
		for name, now := range s.Observe().Hosts {
			was := now
			was.Ledger = nil
			if left, err := plan.Leftovers(was, world.Answer(now, plan.AsksAfterReset(was))); len(left) > 0 || err != nil {
				t.Errorf("%s: there is left %v, %v", name, left, err)
			}
			if is := slices.Sorted(slices.Values(below(&now, imageFolder[:len(imageFolder)-1]))); len(is) < 2 {
				t.Errorf("%s: of the images there are %v", name, is)
			}
		}
		s.WantConverged()
		s.wantState(whole)
		return reached
	})
}
