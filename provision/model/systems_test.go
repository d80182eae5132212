package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// On every kind of system, and with what its user has installed before, up converges, also when
// it is cut off. What was there is not ours afterwards.
func TestUpOnOtherSystems(t *testing.T) {
	docker := world.All(world.FromRepositories, world.WithDocker, world.WithRegistries)
	for _, c := range []struct {
		name string
		edit func(*inventory.Cluster)
		host func(*facts.Host)
		ours string // packages of w1 that are fairlead's
	}{
		{"Debian's containerd", world.FromRepositories, OnSystem("debian", ""), "containerd cri-tools kubeadm kubectl kubelet kubernetes-cni"},
		{"Debian's containerd is there", world.FromRepositories, OnSystem("debian", "", "containerd"), "cri-tools kubeadm kubectl kubelet kubernetes-cni"},
		{"Debian's Docker", docker, OnSystem("debian", ""), "containerd cri-tools docker.io kubeadm kubectl kubelet kubernetes-cni"},
		{"Docker is there", docker, OnSystem("ubuntu", "debian", "containerd.io", "docker-ce", "docker-ce-cli"), "cri-tools kubeadm kubectl kubelet kubernetes-cni"},
		{"Docker is there and not wanted", world.FromRepositories, OnSystem("ubuntu", "debian", "containerd.io", "docker-ce"), "cri-tools kubeadm kubectl kubelet kubernetes-cni"},
		{"Rocky Linux", world.FromRepositories, OnSystem("rocky", "rhel"), "containerd.io cri-tools kubeadm kubectl kubelet kubernetes-cni python3-dnf-plugin-versionlock"},
		{"Rocky Linux with Docker", docker, OnSystem("rocky", "rhel"), "containerd.io cri-tools docker-ce docker-ce-cli kubeadm kubectl kubelet kubernetes-cni python3-dnf-plugin-versionlock"},
		{"Amazon Linux", docker, OnSystem("amzn", "fedora"), "containerd cri-tools docker kubeadm kubectl kubelet kubernetes-cni python3-dnf-plugin-versionlock"},
		{"a kubelet is there", world.FromRepositories, OnSystem("debian", "", "kubelet 1.37.2"), "containerd cri-tools kubeadm kubectl"},
		{"another Kubernetes is there", world.FromRepositories, OnSystem("debian", "", "kubelet 1.36.3", "kubeadm 1.36.3"), "containerd kubectl"},
		{"Kubernetes is there under a bundle", nil, OnSystem("debian", "", "kubelet 1.37.2", "kubeadm 1.37.2"), ""},
		{"all is there under a bundle", nil, OnSystem("rocky", "", "kubelet 1.37.2", "kubeadm 1.37.2", "containerd.io"), ""},
		{"packages beside a bundle", world.WithPackages, OnSystem("debian", ""), "libnfsidmap1 nfs-common open-iscsi rpcbind"},
		{"some of them are there", world.WithPackages, OnSystem("ubuntu", "debian", "rpcbind", "open-iscsi"), "libnfsidmap1 nfs-common"},
		{"all of them are there", world.WithPackages, OnSystem("rocky", "", "nfs-common", "open-iscsi"), ""},
		{"packages beside packages", world.All(world.FromRepositories, world.WithPackages), OnSystem("amzn", "fedora"),
			"containerd cri-tools kubeadm kubectl kubelet kubernetes-cni libnfsidmap1 nfs-common open-iscsi python3-dnf-plugin-versionlock rpcbind"},
		{"a proxy on Rocky Linux", world.All(world.FromRepositories, world.WithProxy), OnSystem("rocky", ""), "containerd.io cri-tools kubeadm kubectl kubelet kubernetes-cni python3-dnf-plugin-versionlock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fresh := inUse(t, c.edit)
			for _, name := range slices.Sorted(maps.Keys(fresh.Facts.Hosts)) {
				world.ChangeHost(fresh.Facts, name, c.host)
			}
			whole := fresh.Fork()
			whole.WantConverged()
			if is, want := packagesOf(whole.Facts.Hosts["w1"]), fmt.Sprintf("of which %v are ours", strings.Fields(c.ours)); !strings.HasSuffix(is, want) {
				t.Errorf("packages are %s, want %s", is, want)
			}
			everyCut(t, func(n int, kill, late bool) bool {
				s := fresh.Fork()
				s.cutOff(n, kill, late)
				err := s.up()
				reached, _ := s.uncut()
				if reached && !errors.Is(err, errCut) {
					t.Fatal(err)
				}
				s.WantConverged()
				s.wantState(whole.state())
				return reached
			})
		})
	}
}

// An install that is cut off when all packages are there, before the ledger has them: the next
// run writes them into it. Until then, reset would take every package for ours that came since.
func TestUpAccountsForPackages(t *testing.T) {
	for _, edit := range []func(*inventory.Cluster){world.FromRepositories, world.All(world.FromRepositories, world.WithDocker)} {
		fresh := inUse(t, edit)
		whole := fresh.Fork()
		whole.WantConverged()
		everyCut(t, func(n int, kill, _ bool) bool {
			s := fresh.Fork()
			s.cutOff(n, kill, true)
			_ = s.up()
			reached, _ := s.uncut()
			s.WantConverged()
			s.wantState(whole.state())
			return reached
		})
	}
}

// The kubelet's package of the wanted version comes, and the one of another version is replaced.
func TestUpInstallsWhatIsWanted(t *testing.T) {
	s := Simulate(t, world.State(t, world.FromRepositories))
	world.ChangeHost(s.Facts, "w1", OnSystem("debian", "", "kubelet 1.36.3", "kubeadm 1.36.3"))
	s.WantConverged()
	for _, name := range []string{"cp1", "w1"} {
		host := s.Observe().Hosts[name]
		for _, program := range desired.KubernetesPackages() {
			if is := host.Packages[program]; is != (facts.Package{Version: "1.37.2", Held: true}) {
				t.Errorf("%s has %s %+v", name, program, is)
			}
		}
		if key, fetched := host.Files["/etc/apt/keyrings/kubernetes-apt-keyring.asc"]; !fetched || key.Mode != 0o644 {
			t.Errorf("%s has the key %+v", name, key)
		}
		if unit := host.Units[templates.KubeletService]; unit.Path != "/usr/lib/systemd/system/kubelet.service" || unit.Active != "active" {
			t.Errorf("%s has the kubelet %+v", name, unit)
		}
		if slices.ContainsFunc(host.Ledger, func(e ledger.Entry) bool { return e.Kind == ledger.Unit && strings.HasPrefix(e.Was, "absent") }) {
			t.Errorf("%s has the ledger %v", name, host.Ledger)
		}
	}
}

// A host whose software is of an earlier bundle is not given packages beside it.
func TestSoftwareOfAnEarlierBundle(t *testing.T) {
	s := Simulate(t, world.State(t, nil))
	s.WantConverged()
	wish := world.State(t, world.FromRepositories)
	for i, component := range wish.Bundle.Components {
		for k, layer := range component.Layers {
			wish.Bundle.Components[i].Layers[k].Files = slices.Clone(layer.Files)
			for n := range layer.Files {
				wish.Bundle.Components[i].Layers[k].Files[n].Digest = "sha256:beef"
			}
		}
	}
	s.State = wish
	for _, step := range plan.Make(s.State, s.Observe()).Steps {
		for _, action := range step.Actions {
			if script, ok := action.(plan.Script); ok && script.Name == templates.Packages(templates.Apt) {
				t.Errorf("%s: %s", step.ID, action.Describe())
			}
		}
	}
}
