//go:build cluster

package cluster

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/packages"
)

// repositoryHost is a lab host that is no member of the cluster and serves packages.
const repositoryHost = "repo"

// repositories serves signed apt repositories on a lab host; hosts know its mirror of a
// distribution and nothing else.
func (s *site) repositories(hosts ...string) *packages.Server {
	s.t.Helper()
	built, err := packages.Build(s.ctx, packages.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	server, err := packages.Serve(s.ctx, s.lab, repositoryHost, built)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, host := range hosts {
		if err := server.Distribution(s.ctx, host); err != nil {
			s.t.Fatal(err)
		}
	}
	for name, key := range map[string][]byte{"kubernetes": server.KubernetesKey, "docker": server.DockerKey, "other": server.OtherKey} {
		s.write(filepath.Join(s.home, name+".asc"), string(key))
	}
	return server
}

// fromPackages has the inventory take Kubernetes and the runtime from those repositories, whose
// keys it names.
func (s *site) fromPackages(server *packages.Server) {
	s.t.Helper()
	s.edit("source: bundle\n", "source: packages\n  repository: {url: \""+server.URL()+"/kubernetes/core:/stable:\", key: ./kubernetes.asc}\n")
	s.write(s.file, s.read(s.file)+"runtime:\n  repository: {url: \""+server.URL()+"/docker/linux\", key: ./docker.asc}\n")
}

// installed are the packages of a host with their versions and whether they are held.
const installed = `dpkg-query --show --showformat '${Package}\t${Version} ${db:Status-Abbrev}\n'`

func testPackages(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := closedSite(t, append(hosts, repositoryHost)...)
	server := s.repositories(hosts...)
	s.fromPackages(server)
	before := s.snapshots("cp1", "w1")

	s.wantClusterFromPackages(hosts, "key: ./kubernetes.asc", "key: ./other.asc", probeImage)
	t.Run("Drift", func(t *testing.T) { s.sub(t).wantPackagesRepaired() })
	t.Run("Source", func(t *testing.T) { s.sub(t).wantOtherSourceAdopted(hosts) })
	t.Run("Beside", func(t *testing.T) { s.sub(t).wantPackagesBeside(hosts) })
	t.Run("Reset", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("reset", "--yes").exits(0)
		if is := s.shell("w2", installed); !strings.Contains(is, "\ntheirs\t") {
			t.Error("w2: a package of somebody else is gone")
		}
		s.wantPackage("tini", nil, hosts)
		// What dpkg and apt keep for themselves.
		s.restoredBut(before, "/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/etc/ld.so.cache")
		s.fairlead("reset", "--yes").exits(0).says("nothing to do")
	})
}

// wantClusterFromPackages makes one, after what stands in the way was met: a key that has not
// signed the repository, which takes the place of the right one in the inventory, and another
// package manager.
func (s *site) wantClusterFromPackages(hosts []string, right, wrong, image string) {
	t := s.t
	t.Helper()
	t.Run("Untrusted", func(t *testing.T) { s.sub(t).wantUntrusted(hosts, right, wrong) })
	t.Run("Locked", func(t *testing.T) { s.sub(t).wantWaitForLock("w2") })
	s.wantNodes(hosts...)
	t.Run("Network", func(t *testing.T) { s.sub(t).wantNetworkFrom(image) })
	for _, host := range hosts {
		if held := strings.Fields(s.shell(host, "apt-mark showhold")); !slices.Equal(held, []string{"kubeadm", "kubectl", "kubelet"}) {
			t.Errorf("host %s: held packages are %v", host, held)
		}
		is := s.shell(host, installed)
		for _, want := range []string{"kubelet\t1.37.2-1.1 hi", "kubeadm\t1.37.2-1.1 hi", "kubectl\t1.37.2-1.1 hi", "cri-tools\t", "containerd.io\t2.4.2-1 ii"} {
			if !strings.Contains(is, want) {
				t.Errorf("host %s: no %q among its packages", host, want)
			}
		}
		if path := s.shell(host, "readlink /proc/$(systemctl show kubelet --property MainPID --value)/exe"); path != "/usr/bin/kubelet" {
			t.Errorf("host %s: the kubelet is %s", host, path)
		}
	}
	t.Run("Again", func(t *testing.T) {
		s := s.sub(t)
		packages, files := s.installedOn(hosts...), s.list(hosts...)
		s.fairlead("up").exits(0).says("nothing to do")
		s.untouched(files)
		s.wantInstalled(packages)
	})
}

func (s *site) installedOn(hosts ...string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for _, host := range hosts {
		all[host] = s.shell(host, installed+"; sha256sum /var/lib/dpkg/status /var/log/dpkg.log | awk '{ print $2 \"\\t\" $1 }'")
	}
	return all
}

// wantInstalled fails the test if a host has other packages than it had.
func (s *site) wantInstalled(was map[string]string) {
	s.t.Helper()
	for host, is := range s.installedOn(slices.Sorted(maps.Keys(was))...) {
		for _, change := range changes(was[host], is) {
			s.t.Errorf("host %s: packages: %s", host, change)
		}
	}
}

// wantUntrusted: a repository that the given key has not signed stops the run before any package
// comes to any host.
func (s *site) wantUntrusted(hosts []string, right, wrong string) {
	was := s.installedOn(hosts...)
	s.edit(right, wrong)
	defer s.edit(wrong, right)
	o := s.fairlead("up").exits(1)
	for _, host := range hosts {
		o.saysOf(host, "NO_PUBKEY")
	}
	s.wantInstalled(was)
}

// wantWaitForLock: up waits for another package manager, and says so.
func (s *site) wantWaitForLock(host string) {
	s.shell(host, `systemd-run --quiet --collect --unit other-apt --setenv DEBIAN_FRONTEND=noninteractive \
		apt-get --yes --option DPkg::Pre-Invoke::="sleep 30" remove less`)
	s.eventually("lock of apt on "+host, 2*time.Minute, func() string {
		_, err := s.tryShell(host, "find /proc/[0-9]*/fd -lname /var/lib/dpkg/lock-frontend 2>/dev/null | grep -q .")
		return errorText(err)
	})
	s.mustUp().saysOf(host, "waiting for the package manager", "remove less")
	// dpkg itself tells in which order things were done.
	log := s.shell(host, "grep -E ' (remove less|install kubelet):' /var/log/dpkg.log | cut -d ' ' -f 3,4 | cut -d : -f 1")
	if log != "remove less\ninstall kubelet" {
		s.t.Errorf("the package manager of %s has done %q", host, log)
	}
}

// wantPackagesRepaired: a package that may move, and one of which the program was replaced.
func (s *site) wantPackagesRepaired() {
	s.shell("w1", "apt-mark unhold kubelet")
	s.shell("w2", `printf '#!/bin/sh\necho v1.36.3\n' >/usr/bin/kubeadm`)
	s.plannedEvents().plans("w1/kubernetes", "w2/kubernetes", "w2/repositories").
		saysOf("w1", "package kubelet is not held at its version").
		saysOf("w2", "/usr/bin/kubeadm is not that of its package: it says 1.36.3")
	s.wantOthersPackagesKept("w2")
	s.mustUp()
	s.planned(0)
	if version := s.shell("w2", "kubeadm version -o short"); version != "v1.37.2" {
		s.t.Errorf("kubeadm on w2 is %s", version)
	}
}

// wantOthersPackagesKept: where the package manager names no package, and ends well all the same, nothing is installed and nothing
// is taken for fairlead's; and what somebody installs between that run and the next is theirs.
func (s *site) wantOthersPackagesKept(host string) {
	s.t.Helper()
	const stub = "/usr/local/sbin/dpkg-query"
	ledger := s.shell(host, "cat /var/lib/fairlead/ledger")
	s.shell(host, `cat >`+stub+` <<'END'
#!/bin/sh
case $* in *'Abbrev} ${Package}'*) exit 0 ;; esac
exec /usr/bin/dpkg-query "$@"
END
chmod 755 `+stub)
	s.fairlead("up").exits(1).saysOf(host, "cannot list the packages: dpkg does not answer")
	s.shell(host, "rm "+stub+`; mkdir -p /root/theirs/DEBIAN
printf 'Package: theirs\nVersion: 1\nArchitecture: all\nMaintainer: somebody\nDescription: of somebody else\n' >/root/theirs/DEBIAN/control
dpkg-deb --build /root/theirs && dpkg --install /root/theirs.deb`)
	if is := s.shell(host, "cat /var/lib/fairlead/ledger"); is != ledger {
		s.t.Errorf("host %s: the ledger became %v", host, changes(ledger, is))
	}
}

// wantOtherSourceAdopted: what the packages brought stays under an inventory that wants the bundle.
func (s *site) wantOtherSourceAdopted(hosts []string) {
	text, was := s.read(s.file), s.installedOn(hosts...)
	defer s.write(s.file, text)
	s.inventory(usual())
	s.fairlead("check").exits(0)
	s.planned(3).says("the pod network").saysNot("install ", "stop ")
	s.mustUp()
	s.wantNodes(hosts...)
	s.planned(0)
	s.wantInstalled(was)
	for _, host := range hosts {
		if out := s.shell(host, "ls /usr/local/bin"); out != "" {
			s.t.Errorf("host %s: /usr/local/bin holds %s", host, out)
		}
	}
	s.write(s.file, text)
	s.mustUp()
	s.planned(0)
}

// wantPackagesBeside: packages that the inventory wants beside those of a node come to the hosts that are meant, one that it
// wants no longer goes again, and one that no repository has is an error that names it. What is left, a reset takes away.
func (s *site) wantPackagesBeside(hosts []string) {
	others := slices.DeleteFunc(slices.Clone(hosts), func(host string) bool { return host == "w1" })
	plain := s.read(s.file)
	s.write(s.file, plain+"packages: [tini]\n")
	wanted := s.read(s.file)
	s.edit("{name: w1,", "{name: w1, packages: [tinyproxy-bin],")
	s.plannedEvents().plans("cp1/packages", "w1/packages", "w2/packages").saysOf("w1", "package tinyproxy-bin is missing")
	s.mustUp()
	s.planned(0)
	s.wantPackage("tini", hosts, nil)
	s.wantPackage("tinyproxy-bin", []string{"w1"}, others)
	for _, host := range hosts {
		if ledger := s.shell(host, "grep -c '^package tini absent' /var/lib/fairlead/ledger"); ledger != "1" {
			s.t.Errorf("host %s: the ledger has tini %s times", host, ledger)
		}
	}
	s.write(s.file, wanted)
	s.plannedEvents().plans("w1/packages").saysOf("w1", "package tinyproxy-bin is no longer wanted")
	s.mustUp()
	s.planned(0)
	s.wantPackage("tini", hosts, nil)
	s.wantPackage("tinyproxy-bin", nil, hosts)

	was := s.installedOn(hosts...)
	s.write(s.file, plain+"packages: [tini, no-such-package]\n")
	s.fairlead("up").exits(1).saysOf("w2", "no repository of this host has a package of the name no-such-package")
	s.wantInstalled(was)
	s.write(s.file, wanted)
	s.planned(0)
}

// wantPackage fails the test unless a package is installed on some hosts and unknown to others.
func (s *site) wantPackage(name string, there, gone []string) {
	s.t.Helper()
	for _, host := range slices.Concat(there, gone) {
		state := s.shell(host, "dpkg-query --show --showformat '${db:Status-Abbrev}' "+name+" 2>/dev/null || :")
		if installed := strings.TrimSpace(state) == "ii"; installed != slices.Contains(there, host) || strings.HasPrefix(state, "rc") {
			s.t.Errorf("host %s: package %s is %q", host, name, state)
		}
	}
}

// testSource: a cluster from the bundle stays as it is under an inventory that wants packages.
func testSource(t *testing.T) {
	s := clusterSite(t)
	text := s.read(s.file)
	s.edit("source: bundle", "source: packages")
	s.fairlead("check").exits(0)
	s.planned(3).says("the pod network").saysNot("install ", "package repositories", "stop ")
	s.write(s.file, text)
	s.planned(0)
}
