package plan

import (
	"slices"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

func debianHost(edit func(*facts.Host)) facts.Host {
	facts := world.FreshHost(world.Host("w1", "192.0.2.21", inventory.RoleWorker))
	if edit != nil {
		edit(&facts)
	}
	return facts
}

func kubernetesPackaged(of string) func(*facts.Host) {
	return func(h *facts.Host) {
		world.KubernetesOf("/usr/bin", of)(h)
		world.Packaged(h, "kubelet "+of, "kubeadm "+of, "kubectl "+of)
	}
}

// On hosts with nothing, with what was wanted, and with what was not, in the right version and
// in another one.
func TestKubernetesSource(t *testing.T) {
	fromBundleWish, fromPackagesWish := world.State(t, nil), world.State(t, world.FromRepositories)
	both := func(of string) func(*facts.Host) {
		return func(h *facts.Host) {
			kubernetesPackaged("1.37.2")(h)
			world.KubernetesOf("/usr/local/bin", of)(h)
		}
	}
	for _, c := range []struct {
		name                string
		facts               func(*facts.Host)
		bundle, packages    source
		bundleIs, packages2 string // the conflict
	}{
		{name: "nothing", bundle: fromBundle, packages: fromPackages},
		{name: "by hand, right", facts: world.KubernetesOf("/usr/local/bin", "1.37.2"), bundle: fromBundle, packages: adopted},
		{name: "in /opt, right", facts: world.KubernetesOf("/opt/bin", "1.37.2"), bundle: fromBundle, packages: adopted},
		{name: "by hand, wrong", facts: world.KubernetesOf("/usr/local/bin", "1.36.3"), bundle: fromBundle, packages: conflicting,
			packages2: "kubelet 1.36.3 (/usr/local/bin/kubelet) and kubeadm 1.36.3 (/usr/local/bin/kubeadm) were not installed from packages"},
		{name: "by hand, kubelet only", facts: func(h *facts.Host) { world.Programs(h, "kubelet /usr/local/bin 1.37.2") }, bundle: fromBundle, packages: conflicting,
			packages2: "kubelet 1.37.2 (/usr/local/bin/kubelet) and kubeadm (none) were not installed from packages"},
		{name: "by hand, says nothing", facts: func(h *facts.Host) { world.Programs(h, "kubelet /usr/local/bin", "kubeadm /usr/local/bin 1.37.2") }, bundle: fromBundle, packages: conflicting,
			packages2: "kubelet  (/usr/local/bin/kubelet) and kubeadm 1.37.2 (/usr/local/bin/kubeadm) were not installed from packages"},
		{name: "packages, right", facts: kubernetesPackaged("1.37.2"), bundle: adopted, packages: fromPackages},
		{name: "packages, wrong", facts: kubernetesPackaged("1.36.3"), bundle: conflicting, packages: fromPackages,
			bundleIs: "kubelet 1.36.3 (/usr/bin/kubelet) and kubeadm 1.36.3 (/usr/bin/kubeadm) were installed from packages"},
		{name: "package of the kubelet only", facts: func(h *facts.Host) {
			world.Programs(h, "kubelet /usr/bin 1.37.2")
			world.Packaged(h, "kubelet 1.37.2")
		}, bundle: conflicting, packages: fromPackages, bundleIs: "kubelet 1.37.2 (/usr/bin/kubelet) and kubeadm (none) were installed from packages"},
		{name: "kubectl only", facts: func(h *facts.Host) { world.Packaged(h, "kubectl 1.37.2") }, bundle: fromBundle, packages: fromPackages},
		{name: "both, right", facts: both("1.37.2"), bundle: fromBundle, packages: adopted},
		{name: "kind's, right", facts: func(h *facts.Host) { nodeOfKind(h); world.KubernetesOf("/usr/bin", "1.37.2")(h) }, bundle: adopted, packages: adopted},
		{name: "kind's, wrong", facts: func(h *facts.Host) { nodeOfKind(h); world.KubernetesOf("/usr/bin", "1.36.3")(h) }, bundle: fromBundle, packages: conflicting,
			packages2: "kubelet 1.36.3 (/usr/bin/kubelet) and kubeadm 1.36.3 (/usr/bin/kubeadm) are of the image of kind, where packages would take their place for good"},
		{name: "in the place of kind's, right", facts: func(h *facts.Host) { nodeOfKind(h); kubernetesPackaged("1.37.2")(h) }, bundle: adopted, packages: fromPackages},
		{name: "both, wrong by hand", facts: both("1.36.3"), bundle: fromBundle, packages: conflicting,
			packages2: "kubelet 1.36.3 (/usr/local/bin/kubelet) and kubeadm 1.36.3 (/usr/local/bin/kubeadm) were not installed from packages"},
	} {
		facts := debianHost(c.facts)
		if from, conflict := (&planner{State: fromBundleWish}).kubernetesSource(facts); from != c.bundle || conflict != c.bundleIs {
			t.Errorf("%s, source bundle: %d, %q", c.name, from, conflict)
		}
		if from, conflict := (&planner{State: fromPackagesWish}).kubernetesSource(facts); from != c.packages || conflict != c.packages2 {
			t.Errorf("%s, source packages: %d, %q", c.name, from, conflict)
		}
	}
}

func TestRuntimeSource(t *testing.T) {
	unit := func(h *facts.Host, path string) {
		h.Units[templates.ContainerdService] = facts.Unit{Load: "loaded", Path: path + "/containerd.service"}
	}
	byHand := func(h *facts.Host) {
		world.Programs(h, "containerd /usr/local/bin 2.4.2")
		unit(h, "/etc/systemd/system")
	}
	ofPackage := func(h *facts.Host) {
		world.Programs(h, "containerd /usr/bin 2.2.1")
		world.Packaged(h, "containerd.io 2.2.1")
		unit(h, "/usr/lib/systemd/system")
	}
	const conflict = "containerd 2.4.2 (/usr/local/bin/containerd) was not installed from a package, and the package of Docker Engine brings its own"
	for _, c := range []struct {
		name                     string
		facts                    func(*facts.Host)
		bundle, packages, docker source
		conflict                 string
	}{
		{"nothing", nil, fromBundle, fromPackages, fromPackages, ""},
		{"by hand", byHand, fromBundle, adopted, conflicting, conflict},
		{"a package", ofPackage, adopted, fromPackages, fromPackages, ""},
		{"a package with another unit", func(h *facts.Host) {
			ofPackage(h)
			unit(h, "/etc/systemd/system")
		}, fromBundle, adopted, conflicting, "containerd 2.2.1 (/usr/bin/containerd) was not installed from a package, and the package of Docker Engine brings its own"},
		{"both", func(h *facts.Host) {
			ofPackage(h)
			byHand(h)
		}, fromBundle, adopted, conflicting, conflict},
		{"a unit that is gone", func(h *facts.Host) {
			h.Units[templates.ContainerdService] = facts.Unit{Load: "not-found", Path: "/etc/systemd/system/containerd.service"}
		}, fromBundle, fromPackages, fromPackages, ""},
	} {
		facts := debianHost(c.facts)
		for _, of := range []struct {
			source string
			edit   func(*inventory.Cluster)
			want   source
		}{
			{"bundle", nil, c.bundle}, {"packages", world.FromRepositories, c.packages},
			{"bundle with Docker", world.WithDocker, c.docker}, {"packages with Docker", world.All(world.FromRepositories, world.WithDocker), c.docker},
		} {
			from, problem := (&planner{State: world.State(t, of.edit)}).runtimeSource(facts)
			if from != of.want || (problem != "") != (of.want == conflicting) || problem != "" && problem != c.conflict {
				t.Errorf("%s, source %s: %d, %q, want %d", c.name, of.source, from, problem, of.want)
			}
		}
	}
}

func osOf(id, like string) func(*facts.Host) {
	return func(h *facts.Host) { h.OS = facts.OS{ID: id, Like: like} }
}

// The runtime is what is installed, else the distribution's if that fits, else Docker's.
func TestLackingRuntime(t *testing.T) {
	candidate := func(of string) func(*facts.Host) { return func(h *facts.Host) { h.Candidates["containerd"] = of } }
	installed := func(names ...string) func(*facts.Host) {
		return func(h *facts.Host) {
			for _, name := range names {
				world.Packaged(h, name+" 2.2.1")
			}
		}
	}
	both := func(edits ...func(*facts.Host)) func(*facts.Host) {
		return func(h *facts.Host) {
			for _, edit := range edits {
				edit(h)
			}
		}
	}
	ignore := func(c *inventory.Cluster) { c.IgnorePreflight = []string{"containerdversion"} }
	for _, c := range []struct {
		name  string
		edit  func(*inventory.Cluster)
		facts func(*facts.Host)
		want  string // what is chosen, then what is missing
	}{
		{name: "Debian that does not know", want: "containerd.io from packages of Docker: containerd.io docker-ce docker-ce-cli"},
		{name: "Debian's fits", facts: candidate("2.2.0"), want: "containerd from packages of Debian: containerd docker.io"},
		{name: "Debian's is old", facts: candidate("1.7.24"), want: "containerd.io from packages of Docker: containerd.io docker-ce docker-ce-cli"},
		{name: "Debian's is old and that is ignored", edit: ignore, facts: candidate("1.6.20"), want: "containerd from packages of Debian: containerd docker.io"},
		{name: "Debian's is old and Kubernetes as well", edit: world.Version("1.34.5"), facts: candidate("1.7.28"), want: "containerd from packages of Debian: containerd docker.io"},
		{name: "Ubuntu's fits", facts: both(osOf("pop", "ubuntu debian"), candidate("2.3.0")), want: "containerd from packages of Ubuntu: containerd docker.io"},
		{name: "RHEL", facts: osOf("rhel", "fedora"), want: "containerd.io from packages of Docker: containerd.io docker-ce docker-ce-cli"},
		{name: "Rocky Linux, ignored", edit: ignore, facts: osOf("rocky", ""), want: "containerd.io from packages of Docker: containerd.io docker-ce docker-ce-cli"},
		{name: "Fedora", facts: osOf("fedora", ""), want: "containerd.io from packages of Docker: containerd.io docker-ce docker-ce-cli"},
		{name: "Amazon Linux", facts: osOf("amzn", "fedora"), want: "containerd from packages of Amazon Linux: containerd docker"},
		{name: "containerd.io is there", facts: both(candidate("2.4.0"), installed("containerd.io")), want: "containerd.io from packages of Docker: docker-ce docker-ce-cli"},
		{name: "Docker is there", facts: installed("containerd.io", "docker-ce", "docker-ce-cli"), want: "containerd.io from packages of Docker:"},
		{name: "Docker without its command line", facts: installed("containerd.io", "docker-ce"), want: "containerd.io from packages of Docker: docker-ce-cli"},
		{name: "Debian's is there", facts: installed("containerd"), want: "containerd from packages of Debian: docker.io"},
		{name: "Debian's and its Docker are there", facts: installed("containerd", "docker.io"), want: "containerd from packages of Debian:"},
		{name: "Fedora's is there", facts: both(osOf("fedora", ""), installed("containerd", "moby-engine")), want: "containerd from packages of Fedora:"},
		{name: "Amazon's is there", facts: both(osOf("amzn", "fedora"), installed("containerd", "docker")), want: "containerd from packages of Amazon Linux:"},
	} {
		facts := debianHost(c.facts)
		lacking := plannerOf(t, world.All(world.FromRepositories, func(cluster *inventory.Cluster) {
			if c.edit != nil {
				c.edit(cluster)
			}
		})).lackingRuntime(facts)
		is := lacking.describe() + ":"
		for _, need := range slices.Concat(lacking.missing(partContainerd, facts), lacking.missing(partEngine, facts)) {
			if need.again || need.version != "" || need.reason != "package "+need.name+" is missing" {
				t.Errorf("%s: needs %+v", c.name, need)
			}
			is += " " + need.name
		}
		if is != c.want {
			t.Errorf("%s:\nis   %s\nwant %s", c.name, is, c.want)
		}
		if want := map[bool]string{true: "Docker", false: lacking.family}[lacking.fromDocker]; lacking.describeEngine() != "Docker Engine from packages of "+want {
			t.Errorf("%s: %s", c.name, lacking.describeEngine())
		}
	}
}

// Someone's package of containerd on a family that has none of its own is no reason to install
// packages without a name.
func TestLackingRuntimeOfNobody(t *testing.T) {
	facts := debianHost(func(h *facts.Host) {
		osOf("rocky", "rhel")(h)
		world.Packaged(h, "containerd 2.2.1")
	})
	lacking := plannerOf(t, world.FromRepositories).lackingRuntime(facts)
	for _, need := range slices.Concat(lacking.missing(partContainerd, facts), lacking.missing(partEngine, facts)) {
		if need.name == "" {
			t.Errorf("needs %+v", need)
		}
	}
}

// A unit was there if it is, or, when fairlead has touched it, if the ledger says so.
func TestThere(t *testing.T) {
	loaded := map[string]facts.Unit{templates.DockerService: {Load: "loaded"}}
	entry := func(key, was string) []ledger.Entry {
		return []ledger.Entry{{Kind: ledger.File, Key: templates.DockerService, Was: "absent"}, {Kind: ledger.Unit, Key: key, Was: was}}
	}
	for _, c := range []struct {
		name   string
		units  map[string]facts.Unit
		ledger []ledger.Entry
		want   bool
	}{
		{"nothing", nil, nil, false},
		{"not found", map[string]facts.Unit{templates.DockerService: {Load: "not-found"}}, nil, false},
		{"masked", map[string]facts.Unit{templates.DockerService: {Load: "masked"}}, nil, false},
		{"loaded", loaded, nil, true},
		{"ours", loaded, entry(templates.DockerService, "not-found inactive"), false},
		{"theirs, touched", loaded, entry(templates.DockerService, "enabled active"), true},
		{"theirs, touched and gone", nil, entry(templates.DockerService, "disabled inactive"), true},
		{"another one", loaded, entry(templates.ContainerdService, "not-found inactive"), true},
	} {
		if is := (facts.Host{Units: c.units, Ledger: c.ledger}).Preexisting(templates.DockerService); is != c.want {
			t.Errorf("%s: %v", c.name, is)
		}
	}
}

// The trees of a runtime that was there are not ours to empty; those of the pod network are.
func TestRuntimeTrees(t *testing.T) {
	ours := runtimeTrees(debianHost(nil))
	theirs := runtimeTrees(debianHost(func(h *facts.Host) { h.Units[templates.ContainerdService] = facts.Unit{Load: "loaded"} }))
	if !slices.Contains(ours, "/var/lib/containerd") || !slices.Contains(ours, "/etc/cni") || slices.Contains(theirs, "/var/lib/containerd") || !slices.Contains(theirs, "/etc/cni") {
		t.Errorf("ours %v, theirs %v", ours, theirs)
	}
}
