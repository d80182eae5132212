package provision

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/templates"
)

func onlyControlPlane(c *inventory.Cluster) { c.Workers, c.ControlPlane.Schedulable = nil, true }

// settled are the facts of hosts as up leaves them.
func settled(t *testing.T, edit func(*inventory.Cluster), host func(*HostFacts)) Facts {
	t.Helper()
	s := simulate(t, testWish(t, edit))
	for _, name := range slices.Sorted(maps.Keys(s.is.Hosts)) {
		if host != nil {
			changeHost(s.is, name, host)
		}
	}
	s.wantConverged()
	return s.observe()
}

// fromMirror has packages come from a mirror over HTTP, with its key.
func fromMirror(t *testing.T) func(*inventory.Cluster) {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key.asc")
	if err := os.WriteFile(key, []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return all(fromRepositories, func(c *inventory.Cluster) {
		c.Kubernetes.Repository = inventory.Repository{URL: "http://mirror.lab/k8s", Key: key}
		c.Runtime.Repository = inventory.Repository{URL: "http://mirror.lab/docker", Key: key}
	})
}

func daemonJSON(text string) func(*HostFacts) {
	return func(h *HostFacts) { written(h, templates.DockerConfigPath, 0o600, []byte(text)) }
}

func repositoriesOnly(wish Wish) func(*HostFacts) {
	return func(h *HostFacts) {
		family, _ := h.family()
		for _, r := range []templates.PackageRepository{
			family.DockerRepository(wish.RuntimeRepository, h.OS.Codename), family.KubernetesRepository(wish.KubernetesRepository, "1.37"),
		} {
			for _, file := range r.Files {
				written(h, file.Path, file.Mode, file.Content)
			}
			written(h, r.KeyPath, 0o644, []byte("key"))
		}
	}
}

// TestPackagesPlan has a case for software from packages that is absent, correct, wrong and half
// done, for hosts whose software came in the other way, and for proxies and runtimes.
func TestPackagesPlan(t *testing.T) {
	packages := all(fromRepositories, onlyControlPlane)
	docker := all(packages, withDocker, withRegistries)
	replaced := func(h *HostFacts) { programs(h, "kubelet /usr/bin 1.36.3") }
	old := func(h *HostFacts) {
		replaced(h)
		packaged(h, "kubelet 1.36.3 held")
	}
	for _, c := range []struct {
		name   string
		before func(*inventory.Cluster) // what up was run with before; nil: the host is new
		edit   func(*inventory.Cluster)
		host   func(*HostFacts) // changes cp1
	}{
		{name: "absent", edit: packages},
		{name: "absent-rocky", edit: packages, host: onSystem("rocky", "rhel centos fedora")},
		{name: "absent-amazon", edit: packages, host: onSystem("amzn", "fedora")},
		{name: "absent-mirror", edit: all(fromMirror(t), onlyControlPlane)},
		{name: "absent-distribution-fits", edit: packages, host: onSystem("debian", "")},
		{name: "absent-restricted", edit: packages, host: func(h *HostFacts) { h.Capabilities = 0 }},
		{name: "absent-containerd-of-the-user", edit: packages, host: onSystem("debian", "", "containerd")},
		{name: "correct", before: packages, edit: packages},
		{name: "wrong-kubelet-stopped", before: packages, edit: packages, host: func(h *HostFacts) { setActive(h, kubeletUnit, "inactive") }},
		{name: "wrong-kubelet-version", before: packages, edit: packages, host: old},
		{name: "wrong-kubelet-replaced", before: packages, edit: packages, host: replaced},
		{name: "wrong-kubelet-gone", before: packages, edit: packages, host: func(h *HostFacts) { delete(h.Versions, packageKubelet) }},
		{name: "wrong-not-held", before: packages, edit: packages, host: func(h *HostFacts) { packaged(h, "kubeadm 1.37.2") }},
		{name: "wrong-cri-tools-removed", before: packages, edit: packages, host: func(h *HostFacts) { delete(h.Packages, packageCRITools) }},
		{name: "wrong-containerd-old", before: packages, edit: packages, host: func(h *HostFacts) { programs(h, "containerd /usr/bin 1.7.28") }},
		{name: "half-repositories", edit: packages, host: repositoriesOnly(testWish(t, packages))},
		{name: "half-installed", edit: packages, host: func(h *HostFacts) {
			onSystem("debian", "", "kubelet 1.37.2")(h)
			h.Candidates["containerd"] = "1.6.20"
		}},
		{name: "adopted-bundle", before: onlyControlPlane, edit: packages},
		{name: "adopted-packages", before: packages, edit: onlyControlPlane},
		{name: "conflict-bundle", edit: packages, host: func(h *HostFacts) {
			kubernetesOf("/usr/local/bin", "1.36.3")(h)
			programs(h, "containerd /usr/local/bin 2.4.2")
		}},
		{name: "conflict-packages", edit: onlyControlPlane, host: onSystem("debian", "", "kubelet 1.36.3", "kubeadm 1.36.3")},
		{name: "docker-absent", edit: docker},
		{name: "docker-correct", before: docker, edit: docker},
		{name: "docker-merges", edit: docker, host: daemonJSON("{\n\t\"log-driver\": \"journald\",\n\t\"registry-mirrors\": [\"https://theirs\"]\n}\n")},
		{name: "docker-invalid", edit: docker, host: daemonJSON("{\n  \"log-driver\": journald\n}\n")},
		{name: "docker-wrong", before: docker, edit: docker, host: all2(daemonJSON("{}\n"), func(h *HostFacts) { setActive(h, dockerUnit, "failed") })},
		{name: "docker-no-registries", before: docker, edit: all(packages, withDocker)},
		{name: "docker-beside-a-bundled-containerd", before: onlyControlPlane, edit: all(onlyControlPlane, withDocker)},
		{name: "docker-of-the-user", edit: docker, host: onSystem("ubuntu", "debian", "containerd.io", "docker-ce", "docker-ce-cli")},
		{name: "socket-there", edit: all(packages, withSocket), host: func(h *HostFacts) { h.Sockets["/run/crio/crio.sock"] = true }},
		{name: "socket-missing", edit: all(packages, withSocket)},
		{name: "proxy-absent", edit: all(docker, withProxy)},
		{name: "proxy-named", before: docker, edit: all(docker, withProxy)},
		{name: "proxy-withdrawn", before: all(docker, withProxy), edit: docker},
		{name: "proxy-of-the-host", edit: packages, host: func(h *HostFacts) { h.Environment["HTTPS_PROXY"] = "http://proxy.lab:3128" }},
		{name: "no-bundle", edit: all(packages, withoutBundle)},
		{name: "no-bundle-addons", edit: all(packages, withoutBundle, allAddons)},
		{name: "unreachable", edit: packages, host: func(h *HostFacts) { *h = HostFacts{Unreachable: errors.New("no route to host")} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish := testWish(t, c.edit)
			facts := factsOf(wish, func(_ Wish, host inventory.Host) HostFacts { return freshHost(host) })
			if c.before != nil {
				facts = settled(t, c.before, nil)
			}
			if c.host != nil {
				changeHost(facts, "cp1", func(h *HostFacts) {
					c.host(h)
					if c.before == nil && h.Unreachable == nil && len(h.Packages) > 0 {
						h.Versions = (&simulation{wish: wish}).versions(*h)
					}
				})
			}
			plan := MakePlan(wish, facts)
			golden(t, "packages-"+c.name, show(plan))
			sound(t, plan)
			if strings.HasPrefix(c.name, "correct") || strings.HasSuffix(c.name, "-correct") {
				if !plan.Empty() || len(plan.Findings) > 0 {
					t.Errorf("there is something to do:\n%s", show(plan))
				}
			}
		})
	}
}

func all2(edits ...func(*HostFacts)) func(*HostFacts) {
	return func(h *HostFacts) {
		for _, edit := range edits {
			edit(h)
		}
	}
}

// What works with packages of one host does so alone.
func TestPackagesAreLocked(t *testing.T) {
	packages := all(fromRepositories, onlyControlPlane)
	docker := all(packages, withDocker)
	for name, c := range map[string]struct {
		before, edit func(*inventory.Cluster)
		host         func(*HostFacts)
	}{
		"all of it":                  {edit: docker},
		"another system":             {edit: docker, host: onSystem("rocky", "")},
		"not held beside an install": {before: packages, edit: docker, host: func(h *HostFacts) { packaged(h, "kubeadm 1.37.2") }},
	} {
		t.Run(name, func(t *testing.T) {
			wish := testWish(t, c.edit)
			facts := factsOf(wish, func(_ Wish, host inventory.Host) HostFacts { return freshHost(host) })
			if c.before != nil {
				facts = settled(t, c.before, nil)
			}
			if c.host != nil {
				changeHost(facts, "cp1", c.host)
			}
			found := 0
			for _, step := range MakePlan(wish, facts).Steps {
				if slices.ContainsFunc(step.Actions, ofPackages) {
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
	wish := testWish(t, all(fromRepositories, onlyControlPlane, func(c *inventory.Cluster) { c.IgnorePreflight = []string{"OS"} }))
	facts := factsOf(wish, func(_ Wish, host inventory.Host) HostFacts { return freshHost(host) })
	changeHost(facts, "cp1", func(h *HostFacts) { h.OS = OS{ID: "void"} })
	plan := MakePlan(wish, facts)
	for _, step := range plan.Steps {
		if slices.ContainsFunc(step.Actions, ofPackages) {
			t.Errorf("there is a step for packages:\n%s", show(plan))
		}
	}
	if len(plan.Errors()) == 0 {
		t.Error("nothing is found")
	}
}

// Where fairlead does not configure the runtime, it says nothing to containerd either.
func TestSocketWithRegistries(t *testing.T) {
	wish := testWish(t, all(fromRepositories, onlyControlPlane, withSocket, func(c *inventory.Cluster) {
		c.Images.Registries = []inventory.Registry{{Host: "registry.lab"}}
	}))
	facts := factsOf(wish, func(_ Wish, host inventory.Host) HostFacts { return freshHost(host) })
	changeHost(facts, "cp1", func(h *HostFacts) { h.Sockets["/run/crio/crio.sock"] = true })
	if plan := show(MakePlan(wish, facts)); strings.Contains(plan, "/etc/containerd") {
		t.Errorf("the plan is\n%s", plan)
	}
}

func ofPackages(action Action) bool {
	script, ok := action.(Script)
	return ok && slices.Contains([]templates.Script{templates.ScriptPackagesApt, templates.ScriptPackagesDnf}, script.Name)
}
