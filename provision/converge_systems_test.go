package provision

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/templates"
)

// onSystem makes a host one of another operating system, as packages are got there.
func onSystem(id, like string, packages ...string) func(*HostFacts) {
	return func(h *HostFacts) {
		h.OS = OS{ID: id, Like: like, Name: id, Codename: "bookworm"}
		h.Candidates["containerd"] = ""
		if id == "debian" {
			h.Candidates["containerd"] = packageModels()[packageContainerd].version
		}
		for _, name := range packages { // the user's, from before
			for _, repository := range []string{"docker", "kubernetes"} {
				written(h, index(repository), 0o644, []byte("of the user, /v1.37/ and /v1.36/"))
			}
			name, version, _ := strings.Cut(name, " ")
			if err := installPackage(h, name, version); err != nil {
				panic(err)
			}
			delete(h.Files, index("docker"))
			delete(h.Files, index("kubernetes"))
			delete(h.Contents, index("docker"))
			delete(h.Contents, index("kubernetes"))
		}
	}
}

// On every kind of system, and with what its user has installed before, up converges, also when
// it is cut off. What was there is not ours afterwards.
func TestUpOnOtherSystems(t *testing.T) {
	docker := all(fromRepositories, withDocker, withRegistries)
	for _, c := range []struct {
		name string
		edit func(*inventory.Cluster)
		host func(*HostFacts)
		ours string // packages of w1 that are fairlead's
	}{
		{"Debian's containerd", fromRepositories, onSystem("debian", ""), "containerd cri-tools kubeadm kubectl kubelet kubernetes-cni"},
		{"Debian's containerd is there", fromRepositories, onSystem("debian", "", "containerd"), "cri-tools kubeadm kubectl kubelet kubernetes-cni"},
		{"Debian's Docker", docker, onSystem("debian", ""), "containerd cri-tools docker.io kubeadm kubectl kubelet kubernetes-cni"},
		{"Docker is there", docker, onSystem("ubuntu", "debian", "containerd.io", "docker-ce", "docker-ce-cli"), "cri-tools kubeadm kubectl kubelet kubernetes-cni"},
		{"Docker is there and not wanted", fromRepositories, onSystem("ubuntu", "debian", "containerd.io", "docker-ce"), "cri-tools kubeadm kubectl kubelet kubernetes-cni"},
		{"Rocky Linux", fromRepositories, onSystem("rocky", "rhel"), "containerd.io cri-tools kubeadm kubectl kubelet kubernetes-cni python3-dnf-plugin-versionlock"},
		{"Rocky Linux with Docker", docker, onSystem("rocky", "rhel"), "containerd.io cri-tools docker-ce docker-ce-cli kubeadm kubectl kubelet kubernetes-cni python3-dnf-plugin-versionlock"},
		{"Amazon Linux", docker, onSystem("amzn", "fedora"), "containerd cri-tools docker kubeadm kubectl kubelet kubernetes-cni python3-dnf-plugin-versionlock"},
		{"a kubelet is there", fromRepositories, onSystem("debian", "", "kubelet 1.37.2"), "containerd cri-tools kubeadm kubectl"},
		{"another Kubernetes is there", fromRepositories, onSystem("debian", "", "kubelet 1.36.3", "kubeadm 1.36.3"), "containerd kubectl"},
		{"Kubernetes is there under a bundle", nil, onSystem("debian", "", "kubelet 1.37.2", "kubeadm 1.37.2"), ""},
		{"all is there under a bundle", nil, onSystem("rocky", "", "kubelet 1.37.2", "kubeadm 1.37.2", "containerd.io"), ""},
		{"a proxy on Rocky Linux", all(fromRepositories, withProxy), onSystem("rocky", ""), "containerd.io cri-tools kubeadm kubectl kubelet kubernetes-cni python3-dnf-plugin-versionlock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fresh := simulate(t, testWish(t, c.edit))
			for _, name := range slices.Sorted(maps.Keys(fresh.is.Hosts)) {
				changeHost(fresh.is, name, c.host)
			}
			whole := fresh.fork()
			whole.wantConverged()
			if is, want := packagesOf(whole.is.Hosts["w1"]), fmt.Sprintf("of which %v are ours", strings.Fields(c.ours)); !strings.HasSuffix(is, want) {
				t.Errorf("packages are %s, want %s", is, want)
			}
			for n := 0; ; n += stride() {
				s := fresh.fork()
				came := s.cutOff(n)
				err := s.up(t.Context())
				if !came() {
					break
				}
				if !errors.Is(err, errCut) {
					t.Fatalf("cut off at action %d: %v", n, err)
				}
				s.failAt = func(Step, int) error { return nil }
				s.wantConverged()
				s.wantState(whole.state())
				if t.Failed() {
					t.Fatalf("after the cut at action %d", n)
				}
			}
		})
	}
}

// An install that is cut off when all packages are there, before the ledger has them: the next
// run writes them into it. Until then, reset would take every package for ours that came since.
func TestUpAccountsForPackages(t *testing.T) {
	for _, edit := range []func(*inventory.Cluster){fromRepositories, all(fromRepositories, withDocker)} {
		fresh := simulate(t, testWish(t, edit))
		whole := fresh.fork()
		whole.wantConverged()
		for n := 0; ; n += stride() {
			s := fresh.fork()
			s.cutsLate = true
			came := s.cutOff(n)
			err := s.up(t.Context())
			if !came() {
				break
			}
			s.failAt = func(Step, int) error { return nil }
			s.wantConverged()
			s.wantState(whole.state())
			if t.Failed() {
				t.Fatalf("after the cut at action %d: %v", n, err)
			}
		}
	}
}

// The kubelet's package of the wanted version comes, and the one of another version is replaced.
func TestUpInstallsWhatIsWanted(t *testing.T) {
	s := simulate(t, testWish(t, fromRepositories))
	changeHost(s.is, "w1", onSystem("debian", "", "kubelet 1.36.3", "kubeadm 1.36.3"))
	s.wantConverged()
	for _, name := range []string{"cp1", "w1"} {
		host := s.observe().Hosts[name]
		for _, program := range kubernetesPackages() {
			if is := host.Packages[program]; is != (PackageFacts{Version: "1.37.2", Held: true}) {
				t.Errorf("%s has %s %+v", name, program, is)
			}
		}
		if key, fetched := host.Files["/etc/apt/keyrings/kubernetes-apt-keyring.asc"]; !fetched || key.Mode != 0o644 {
			t.Errorf("%s has the key %+v", name, key)
		}
		if unit := host.Units[kubeletUnit]; unit.Path != "/usr/lib/systemd/system/kubelet.service" || unit.Active != "active" {
			t.Errorf("%s has the kubelet %+v", name, unit)
		}
		if slices.ContainsFunc(host.Ledger, func(e LedgerEntry) bool { return e.Kind == touchUnit && strings.HasPrefix(e.Was, "absent") }) {
			t.Errorf("%s has the ledger %v", name, host.Ledger)
		}
	}
}

// A host whose software is of an earlier bundle is not given packages beside it.
func TestSoftwareOfAnEarlierBundle(t *testing.T) {
	s := simulate(t, testWish(t, nil))
	s.wantConverged()
	wish := testWish(t, fromRepositories)
	for i, component := range wish.Bundle.Components {
		for k, layer := range component.Layers {
			wish.Bundle.Components[i].Layers[k].Files = slices.Clone(layer.Files)
			for n := range layer.Files {
				wish.Bundle.Components[i].Layers[k].Files[n].Digest = "sha256:beef"
			}
		}
	}
	s.wish = wish
	for _, step := range MakePlan(s.wish, s.observe()).Steps {
		for _, action := range step.Actions {
			if script, ok := action.(Script); ok && script.Name == templates.Packages(templates.Apt) {
				t.Errorf("%s: %s", step.ID, action.Describe())
			}
		}
	}
}
