package provision

import (
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
)

// programs are versions of programs: "kubelet /usr/bin 1.37.2".
func programs(h *HostFacts, all ...string) {
	for _, each := range all {
		words := append(strings.Fields(each), "", "")
		h.Versions[words[0]] = Version{Path: words[1] + "/" + words[0], Version: words[2]}
	}
}

// packaged are packages that are installed: "kubelet 1.37.2", and "held" if they are.
func packaged(h *HostFacts, all ...string) {
	for _, each := range all {
		words := append(strings.Fields(each), "", "")
		h.Packages[words[0]] = PackageFacts{Version: words[1], Held: words[2] == "held"}
	}
}

func debianHost(edit func(*HostFacts)) HostFacts {
	facts := freshHost(testHost("w1", "192.0.2.21", inventory.RoleWorker))
	if edit != nil {
		edit(&facts)
	}
	return facts
}

func kubernetesOf(path, of string) func(*HostFacts) {
	return func(h *HostFacts) { programs(h, "kubelet "+path+" "+of, "kubeadm "+path+" "+of) }
}

func kubernetesPackaged(of string) func(*HostFacts) {
	return func(h *HostFacts) {
		kubernetesOf("/usr/bin", of)(h)
		packaged(h, "kubelet "+of, "kubeadm "+of, "kubectl "+of)
	}
}

// On hosts with nothing, with what was wanted, and with what was not, in the right version and
// in another one.
func TestKubernetesSource(t *testing.T) {
	fromBundleWish, fromPackagesWish := testWish(t, nil), testWish(t, fromRepositories)
	both := func(of string) func(*HostFacts) {
		return func(h *HostFacts) {
			kubernetesPackaged("1.37.2")(h)
			kubernetesOf("/usr/local/bin", of)(h)
		}
	}
	for _, c := range []struct {
		name                string
		facts               func(*HostFacts)
		bundle, packages    source
		bundleIs, packages2 string // the conflict
	}{
		{name: "nothing", bundle: fromBundle, packages: fromPackages},
		{name: "by hand, right", facts: kubernetesOf("/usr/local/bin", "1.37.2"), bundle: fromBundle, packages: adopted},
		{name: "in /opt, right", facts: kubernetesOf("/opt/bin", "1.37.2"), bundle: fromBundle, packages: adopted},
		{name: "by hand, wrong", facts: kubernetesOf("/usr/local/bin", "1.36.3"), bundle: fromBundle, packages: conflicting,
			packages2: "kubelet 1.36.3 (/usr/local/bin/kubelet) and kubeadm 1.36.3 (/usr/local/bin/kubeadm) were not installed from packages"},
		{name: "by hand, kubelet only", facts: func(h *HostFacts) { programs(h, "kubelet /usr/local/bin 1.37.2") }, bundle: fromBundle, packages: conflicting,
			packages2: "kubelet 1.37.2 (/usr/local/bin/kubelet) and kubeadm (none) were not installed from packages"},
		{name: "by hand, says nothing", facts: func(h *HostFacts) { programs(h, "kubelet /usr/local/bin", "kubeadm /usr/local/bin 1.37.2") }, bundle: fromBundle, packages: conflicting,
			packages2: "kubelet  (/usr/local/bin/kubelet) and kubeadm 1.37.2 (/usr/local/bin/kubeadm) were not installed from packages"},
		{name: "packages, right", facts: kubernetesPackaged("1.37.2"), bundle: adopted, packages: fromPackages},
		{name: "packages, wrong", facts: kubernetesPackaged("1.36.3"), bundle: conflicting, packages: fromPackages,
			bundleIs: "kubelet 1.36.3 (/usr/bin/kubelet) and kubeadm 1.36.3 (/usr/bin/kubeadm) were installed from packages"},
		{name: "package of the kubelet only", facts: func(h *HostFacts) {
			programs(h, "kubelet /usr/bin 1.37.2")
			packaged(h, "kubelet 1.37.2")
		}, bundle: conflicting, packages: fromPackages, bundleIs: "kubelet 1.37.2 (/usr/bin/kubelet) and kubeadm (none) were installed from packages"},
		{name: "kubectl only", facts: func(h *HostFacts) { packaged(h, "kubectl 1.37.2") }, bundle: fromBundle, packages: fromPackages},
		{name: "both, right", facts: both("1.37.2"), bundle: fromBundle, packages: adopted},
		{name: "both, wrong by hand", facts: both("1.36.3"), bundle: fromBundle, packages: conflicting,
			packages2: "kubelet 1.36.3 (/usr/local/bin/kubelet) and kubeadm 1.36.3 (/usr/local/bin/kubeadm) were not installed from packages"},
	} {
		facts := debianHost(c.facts)
		if from, conflict := (&planner{Wish: fromBundleWish}).kubernetesSource(facts); from != c.bundle || conflict != c.bundleIs {
			t.Errorf("%s, source bundle: %d, %q", c.name, from, conflict)
		}
		if from, conflict := (&planner{Wish: fromPackagesWish}).kubernetesSource(facts); from != c.packages || conflict != c.packages2 {
			t.Errorf("%s, source packages: %d, %q", c.name, from, conflict)
		}
	}
}

func TestRuntimeSource(t *testing.T) {
	unit := func(h *HostFacts, path string) {
		h.Units[containerdUnit] = UnitFacts{Load: "loaded", Path: path + "/containerd.service"}
	}
	byHand := func(h *HostFacts) {
		programs(h, "containerd /usr/local/bin 2.4.2")
		unit(h, "/etc/systemd/system")
	}
	ofPackage := func(h *HostFacts) {
		programs(h, "containerd /usr/bin 2.2.1")
		packaged(h, "containerd.io 2.2.1")
		unit(h, "/usr/lib/systemd/system")
	}
	const conflict = "containerd 2.4.2 (/usr/local/bin/containerd) was not installed from a package, and the package of Docker Engine brings its own"
	for _, c := range []struct {
		name                     string
		facts                    func(*HostFacts)
		bundle, packages, docker source
		conflict                 string
	}{
		{"nothing", nil, fromBundle, fromPackages, fromPackages, ""},
		{"by hand", byHand, fromBundle, adopted, conflicting, conflict},
		{"a package", ofPackage, adopted, fromPackages, fromPackages, ""},
		{"a package with another unit", func(h *HostFacts) {
			ofPackage(h)
			unit(h, "/etc/systemd/system")
		}, fromBundle, adopted, conflicting, "containerd 2.2.1 (/usr/bin/containerd) was not installed from a package, and the package of Docker Engine brings its own"},
		{"both", func(h *HostFacts) {
			ofPackage(h)
			byHand(h)
		}, fromBundle, adopted, conflicting, conflict},
		{"a unit that is gone", func(h *HostFacts) {
			h.Units[containerdUnit] = UnitFacts{Load: "not-found", Path: "/etc/systemd/system/containerd.service"}
		}, fromBundle, fromPackages, fromPackages, ""},
	} {
		facts := debianHost(c.facts)
		for _, of := range []struct {
			source string
			edit   func(*inventory.Cluster)
			want   source
		}{
			{"bundle", nil, c.bundle}, {"packages", fromRepositories, c.packages},
			{"bundle with Docker", withDocker, c.docker}, {"packages with Docker", all(fromRepositories, withDocker), c.docker},
		} {
			from, problem := (&planner{Wish: testWish(t, of.edit)}).runtimeSource(facts)
			if from != of.want || (problem != "") != (of.want == conflicting) || problem != "" && problem != c.conflict {
				t.Errorf("%s, source %s: %d, %q, want %d", c.name, of.source, from, problem, of.want)
			}
		}
	}
}

func osOf(id, like string) func(*HostFacts) {
	return func(h *HostFacts) { h.OS = OS{ID: id, Like: like} }
}

// The runtime is what is installed, else the distribution's if that fits, else Docker's.
func TestLackingRuntime(t *testing.T) {
	candidate := func(of string) func(*HostFacts) { return func(h *HostFacts) { h.Candidates["containerd"] = of } }
	installed := func(names ...string) func(*HostFacts) {
		return func(h *HostFacts) {
			for _, name := range names {
				packaged(h, name+" 2.2.1")
			}
		}
	}
	both := func(edits ...func(*HostFacts)) func(*HostFacts) {
		return func(h *HostFacts) {
			for _, edit := range edits {
				edit(h)
			}
		}
	}
	ignore := func(c *inventory.Cluster) { c.IgnorePreflight = []string{"containerdversion"} }
	for _, c := range []struct {
		name  string
		edit  func(*inventory.Cluster)
		facts func(*HostFacts)
		want  string // what is chosen, then what is missing
	}{
		{name: "Debian that does not know", want: "containerd.io from packages of Docker: containerd.io docker-ce docker-ce-cli"},
		{name: "Debian's fits", facts: candidate("2.2.0"), want: "containerd from packages of Debian: containerd docker.io"},
		{name: "Debian's is old", facts: candidate("1.7.24"), want: "containerd.io from packages of Docker: containerd.io docker-ce docker-ce-cli"},
		{name: "Debian's is old and that is ignored", edit: ignore, facts: candidate("1.6.20"), want: "containerd from packages of Debian: containerd docker.io"},
		{name: "Debian's is old and Kubernetes as well", edit: version("1.34.5"), facts: candidate("1.7.28"), want: "containerd from packages of Debian: containerd docker.io"},
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
		lacking := plannerOf(t, all(fromRepositories, func(cluster *inventory.Cluster) {
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
	facts := debianHost(func(h *HostFacts) {
		osOf("rocky", "rhel")(h)
		packaged(h, "containerd 2.2.1")
	})
	lacking := plannerOf(t, fromRepositories).lackingRuntime(facts)
	for _, need := range slices.Concat(lacking.missing(partContainerd, facts), lacking.missing(partEngine, facts)) {
		if need.name == "" {
			t.Errorf("needs %+v", need)
		}
	}
}

// A unit was there if it is, or, when fairlead has touched it, if the ledger says so.
func TestThere(t *testing.T) {
	loaded := map[string]UnitFacts{dockerUnit: {Load: "loaded"}}
	entry := func(key, was string) []LedgerEntry {
		return []LedgerEntry{{touchFile, dockerUnit, "absent"}, {touchUnit, key, was}}
	}
	for _, c := range []struct {
		name   string
		units  map[string]UnitFacts
		ledger []LedgerEntry
		want   bool
	}{
		{"nothing", nil, nil, false},
		{"not found", map[string]UnitFacts{dockerUnit: {Load: "not-found"}}, nil, false},
		{"masked", map[string]UnitFacts{dockerUnit: {Load: "masked"}}, nil, false},
		{"loaded", loaded, nil, true},
		{"ours", loaded, entry(dockerUnit, "not-found inactive"), false},
		{"theirs, touched", loaded, entry(dockerUnit, "enabled active"), true},
		{"theirs, touched and gone", nil, entry(dockerUnit, "disabled inactive"), true},
		{"another one", loaded, entry(containerdUnit, "not-found inactive"), true},
	} {
		if is := (HostFacts{Units: c.units, Ledger: c.ledger}).there(dockerUnit); is != c.want {
			t.Errorf("%s: %v", c.name, is)
		}
	}
}

// The trees of a runtime that was there are not ours to empty; those of the pod network are.
func TestRuntimeTrees(t *testing.T) {
	ours := runtimeTrees(debianHost(nil))
	theirs := runtimeTrees(debianHost(func(h *HostFacts) { h.Units[containerdUnit] = UnitFacts{Load: "loaded"} }))
	if !slices.Contains(ours, "/var/lib/containerd") || !slices.Contains(ours, "/etc/cni") || slices.Contains(theirs, "/var/lib/containerd") || !slices.Contains(theirs, "/etc/cni") {
		t.Errorf("ours %v, theirs %v", ours, theirs)
	}
}
