package plan_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// settled are the facts of hosts as up leaves them.
func settled(t *testing.T, edit func(*inventory.Cluster), host func(*facts.Host)) facts.Facts {
	t.Helper()
	s := model.Simulate(t, world.State(t, edit))
	for _, name := range slices.Sorted(maps.Keys(s.Facts.Hosts)) {
		if host != nil {
			world.ChangeHost(s.Facts, name, host)
		}
	}
	s.WantConverged()
	return s.Observe()
}

// fromMirror has packages come from a mirror over HTTP, with its key.
func fromMirror(t *testing.T) func(*inventory.Cluster) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key.asc")
	if err := os.WriteFile(key, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return world.All(world.FromRepositories, func(c *inventory.Cluster) {
		c.Kubernetes.Repository = inventory.Repository{URL: "http://mirror.lab/k8s", Key: key}
		c.Runtime.Repository = inventory.Repository{URL: "http://mirror.lab/docker", Key: key}
	})
}

func repositoriesOnly(wish desired.State) func(*facts.Host) {
	return func(h *facts.Host) {
		family, _ := h.Family()
		for _, r := range []templates.PackageRepository{
			family.DockerRepository(wish.RuntimeRepository, h.OS.Codename), family.KubernetesRepository(wish.KubernetesRepository, "1.37"),
		} {
			for _, file := range r.Files {
				world.Written(h, file.Path, file.Mode, file.Content)
			}
			world.Written(h, r.KeyPath, 0o644, []byte("key"))
		}
	}
}

// TestPackagesPlan has a case for software from packages that is absent, correct, wrong and half
// done, for hosts whose software came in the other way, and for proxies and runtimes.
func TestPackagesPlan(t *testing.T) {
	packages := world.All(world.FromRepositories, world.OnlyControlPlane)
	docker := world.All(packages, world.WithDocker, world.WithRegistries)
	replaced := func(h *facts.Host) { world.Programs(h, "kubelet /usr/bin 1.36.3") }
	old := func(h *facts.Host) {
		replaced(h)
		world.Packaged(h, "kubelet 1.36.3 held")
	}
	for _, c := range []struct {
		name   string
		before func(*inventory.Cluster) // what up was run with before; nil: the host is new
		edit   func(*inventory.Cluster)
		host   func(*facts.Host) // changes cp1
	}{
		{name: "absent", edit: packages},
		{name: "absent-rocky", edit: packages, host: model.OnSystem("rocky", "rhel centos fedora")},
		{name: "absent-amazon", edit: packages, host: model.OnSystem("amzn", "fedora")},
		{name: "absent-mirror", edit: world.All(fromMirror(t), world.OnlyControlPlane)},
		{name: "absent-distribution-fits", edit: packages, host: model.OnSystem("debian", "")},
		{name: "absent-restricted", edit: packages, host: func(h *facts.Host) { h.Capabilities = 0 }},
		{name: "absent-containerd-of-the-user", edit: packages, host: model.OnSystem("debian", "", "containerd")},
		{name: "correct", before: packages, edit: packages},
		{name: "wrong-kubelet-stopped", before: packages, edit: packages, host: func(h *facts.Host) { model.SetActive(h, templates.KubeletService, "inactive") }},
		{name: "wrong-kubelet-version", before: packages, edit: packages, host: old},
		{name: "wrong-kubelet-replaced", before: packages, edit: packages, host: replaced},
		{name: "wrong-kubelet-gone", before: packages, edit: packages, host: func(h *facts.Host) { delete(h.Versions, templates.PackageKubelet) }},
		{name: "wrong-not-held", before: packages, edit: packages, host: func(h *facts.Host) { world.Packaged(h, "kubeadm 1.37.2") }},
		{name: "wrong-cri-tools-removed", before: packages, edit: packages, host: func(h *facts.Host) { delete(h.Packages, templates.PackageCRITools) }},
		{name: "wrong-containerd-old", before: packages, edit: packages, host: func(h *facts.Host) { world.Programs(h, "containerd /usr/bin 1.7.28") }},
		{name: "half-repositories", edit: packages, host: repositoriesOnly(world.State(t, packages))},
		{name: "half-installed", edit: packages, host: func(h *facts.Host) {
			model.OnSystem("debian", "", "kubelet 1.37.2")(h)
			h.Candidates["containerd"] = "1.6.20"
		}},
		{name: "adopted-bundle", before: world.OnlyControlPlane, edit: packages},
		{name: "adopted-packages", before: packages, edit: world.OnlyControlPlane},
		{name: "conflict-bundle", edit: packages, host: func(h *facts.Host) {
			world.KubernetesOf("/usr/local/bin", "1.36.3")(h)
			world.Programs(h, "containerd /usr/local/bin 2.4.2")
		}},
		{name: "conflict-packages", edit: world.OnlyControlPlane, host: model.OnSystem("debian", "", "kubelet 1.36.3", "kubeadm 1.36.3")},
		{name: "docker-absent", edit: docker},
		{name: "docker-correct", before: docker, edit: docker},
		{name: "docker-merges", edit: docker, host: world.DaemonJSON("{\n\t\"log-driver\": \"journald\",\n\t\"registry-mirrors\": [\"https://theirs\"]\n}\n")},
		{name: "docker-invalid", edit: docker, host: world.DaemonJSON("{\n  \"log-driver\": journald\n}\n")},
		{name: "docker-wrong", before: docker, edit: docker, host: all2(world.DaemonJSON("{}\n"), func(h *facts.Host) { model.SetActive(h, templates.DockerService, "failed") })},
		{name: "docker-no-registries", before: docker, edit: world.All(packages, world.WithDocker)},
		{name: "docker-beside-a-bundled-containerd", before: world.OnlyControlPlane, edit: world.All(world.OnlyControlPlane, world.WithDocker)},
		{name: "docker-of-the-user", edit: docker, host: model.OnSystem("ubuntu", "debian", "containerd.io", "docker-ce", "docker-ce-cli")},
		{name: "socket-there", edit: world.All(packages, world.WithSocket), host: func(h *facts.Host) { h.Sockets["/run/crio/crio.sock"] = true }},
		{name: "socket-missing", edit: world.All(packages, world.WithSocket)},
		{name: "proxy-absent", edit: world.All(docker, world.WithProxy)},
		{name: "proxy-named", before: docker, edit: world.All(docker, world.WithProxy)},
		{name: "proxy-withdrawn", before: world.All(docker, world.WithProxy), edit: docker},
		{name: "proxy-of-the-host", edit: packages, host: func(h *facts.Host) { h.Environment["HTTPS_PROXY"] = "http://proxy.lab:3128" }},
		{name: "no-bundle", edit: world.All(packages, world.WithoutBundle)},
		{name: "no-bundle-addons", edit: world.All(packages, world.WithoutBundle, world.AllAddons)},
		{name: "unreachable", edit: packages, host: func(h *facts.Host) { *h = facts.Host{Unreachable: world.NoRoute()} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish := world.State(t, c.edit)
			seen := world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
			if c.before != nil {
				seen = settled(t, c.before, nil)
			}
			if c.host != nil {
				world.ChangeHost(seen, "cp1", func(h *facts.Host) {
					c.host(h)
					if c.before == nil && h.Unreachable == nil && len(h.Packages) > 0 {
						h.Versions = (&model.Simulation{State: wish}).Versions(*h)
					}
				})
			}
			made := plan.Make(wish, seen)
			plan.Golden(t, "packages-"+c.name, plan.Show(made))
			if err := made.Sound(); err != nil {
				t.Error(err)
			}
			if c.name != "docker-invalid" { // a file of facts holds no text that cannot be told apart
				plan.WantSameFromFile(t, wish, seen)
			}
			if strings.HasPrefix(c.name, "correct") || strings.HasSuffix(c.name, "-correct") {
				if !made.Empty() || len(made.Findings) > 0 {
					t.Errorf("there is something to do:\n%s", plan.Show(made))
				}
			}
		})
	}
}

func all2(edits ...func(*facts.Host)) func(*facts.Host) {
	return func(h *facts.Host) {
		for _, edit := range edits {
			edit(h)
		}
	}
}

// What works with packages of one host does so alone.
func TestPackagesAreLocked(t *testing.T) {
	packages := world.All(world.FromRepositories, world.OnlyControlPlane)
	docker := world.All(packages, world.WithDocker)
	for name, c := range map[string]struct {
		before, edit func(*inventory.Cluster)
		host         func(*facts.Host)
	}{
		"all of it":                  {edit: docker},
		"another system":             {edit: docker, host: model.OnSystem("rocky", "")},
		"not held beside an install": {before: packages, edit: docker, host: func(h *facts.Host) { world.Packaged(h, "kubeadm 1.37.2") }},
	} {
		t.Run(name, func(t *testing.T) {
			wish := world.State(t, c.edit)
			facts := world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
			if c.before != nil {
				facts = settled(t, c.before, nil)
			}
			if c.host != nil {
				world.ChangeHost(facts, "cp1", c.host)
			}
			found := 0
			for _, step := range plan.Make(wish, facts).Steps {
				if slices.ContainsFunc(step.Actions, model.OfPackages) {
					found++
					if want := "packages of " + step.Host; step.Lock != want {
						t.Errorf("%s has the lock %q, want %q", step.ID, step.Lock, want)
					}
				}
			}
			if found < 2 {
				t.Errorf("%d steps with packages", found)
			}
		})
	}
}

// On a system that nobody knows, which the user has allowed, no package manager is guessed at.
func TestPackagesOfAnUnknownSystem(t *testing.T) {
	wish := world.State(t, world.All(world.FromRepositories, world.OnlyControlPlane, func(c *inventory.Cluster) { c.IgnorePreflight = []string{"OS"} }))
	seen := world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
	world.ChangeHost(seen, "cp1", func(h *facts.Host) { h.OS = facts.OS{ID: "void"} })
	made := plan.Make(wish, seen)
	for _, step := range made.Steps {
		if slices.ContainsFunc(step.Actions, model.OfPackages) {
			t.Errorf("there is a step for packages:\n%s", plan.Show(made))
		}
	}
	if len(made.Errors()) == 0 {
		t.Error("nothing is found")
	}
}

// Where fairlead does not configure the runtime, it says nothing to containerd either.
func TestSocketWithRegistries(t *testing.T) {
	wish := world.State(t, world.All(world.FromRepositories, world.OnlyControlPlane, world.WithSocket, func(c *inventory.Cluster) {
		c.Images.Registries = []inventory.Registry{{Host: "registry.lab"}}
	}))
	seen := world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
	world.ChangeHost(seen, "cp1", func(h *facts.Host) { h.Sockets["/run/crio/crio.sock"] = true })
	if plan := plan.Show(plan.Make(wish, seen)); strings.Contains(plan, "/etc/containerd") {
		t.Errorf("the plan is\n%s", plan)
	}
}
