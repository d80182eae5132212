package templates

import (
	"strings"
	"testing"
)

// A package that was half configured before fairlead came is not fairlead's.
func TestPackagesLeaveHalfConfiguredOnesToTheirOwner(t *testing.T) {
	s := aptHost(t)
	s.write("half", "nginx\n")
	s.ran(Packages(Apt).Text(), "install", "kubectl=1.37.2-*")
	s.wantLedgerFile("package kubectl absent\n")
}

// What another package manager brings while it is waited for is not fairlead's.
func TestPackagesLeaveThoseOfAnUpgradeToIt(t *testing.T) {
	s := aptHost(t)
	s.write("bin/sleep", standInPrelude+"add linux-image-6.1.0-28-amd64\n"+sleepStandIn)
	script := s.other(Packages(Apt).Text())
	s.held()
	s.ran(script, "install", "kubectl=1.37.2-*")
	s.wantLedgerFile("package kubectl absent\n")
}

// Another repository of the host that is broken is no obstacle, also when all are read.
func TestPackagesAptGoOnBesideABrokenRepository(t *testing.T) {
	s := aptHost(t)
	s.write("bin/apt-get", standInPrelude+`case $* in *" update") rm -f "$S/outdated"; exit 100 ;; esac`+aptGetStandIn)
	s.write("outdated", "")
	s.ran(Packages(Apt).Text(), "install", "kubectl=1.37.2-*")
	s.wantLedgerFile("package kubectl absent\n")
}

// An index may name files that are no longer there.
func TestPackagesAptReadTheIndexesAfterAFailedDownload(t *testing.T) {
	s := aptHost(t)
	s.write("bin/apt-get", standInPrelude+`
case $* in
*" update") rm -f "$S/stale" ;;
*" install "*)
	[ ! -e "$S/stale" ] || { echo "E: Failed to fetch: 404 Not Found" >&2; exit 100; }
	case $* in *--download-only*) ;; *--simulate*) echo "Inst kubectl (1.37.2 a:1/b [amd64])" ;; *) add kubectl ;; esac
	;;
esac`)
	s.write("stale", "")
	s.ran(Packages(Apt).Text(), "install", "kubectl=1.37.2-*")
	s.wantLedgerFile("package kubectl absent\n")
}

// Packages are held when nobody else works with packages.
func TestPackagesHoldWaits(t *testing.T) {
	s := aptHost(t)
	s.write("bin/apt-mark", standInPrelude+`[ ! -e "$S/holder" ] || { echo "E: dpkg was locked" >&2; exit 100; }`)
	script := s.other(Packages(Apt).Text())
	s.held()
	s.ran(script, "hold", "kubelet")
}

// An index in dnf's cache is read anew.
func TestPackagesDnfRefresh(t *testing.T) {
	s := dnfHost(t)
	if transcript := s.ran(Packages(Dnf).Text(), "refresh", "kubernetes"); !strings.Contains(transcript, " --refresh ") {
		t.Errorf("it did\n%s", transcript)
	}
}

// Beside one that others need, all others go, whatever the order of their names.
func TestResetRemovesPackagesBesideOneThatStays(t *testing.T) {
	for name, c := range systems(t) {
		t.Run(name, func(t *testing.T) {
			s := c.host(t)
			s.write("installed", "bash\ncontainer-selinux\ncri-tools\nkubeadm\nlibc6\npodman\n")
			s.write("needs", "podman container-selinux\nkubeadm cri-tools\n")
			s.write("state/ledger", "package container-selinux absent\npackage cri-tools absent\npackage kubeadm absent\n")
			s.ran(removePackages(t))
			s.wantFile("installed", "bash\ncontainer-selinux\nlibc6\npodman\n")
		})
	}
}

// A reset beside another package manager waits for it.
func TestResetWaitsForThePackageManager(t *testing.T) {
	s := aptHost(t)
	s.write("installed", "bash\nkubelet\nlibc6\n")
	s.write("state/ledger", "package kubelet absent\n")
	s.held()
	s.ran(removePackages(t))
	s.wantFile("installed", "bash\nlibc6\n")
}

// A reset that could not remove anything for the other one fails, so that the ledger stays.
func TestResetFailsBesideAnotherPackageManager(t *testing.T) {
	s := aptHost(t)
	s.write("installed", "bash\nkubelet\nlibc6\n")
	s.write("state/ledger", "package kubelet absent\n")
	s.held()
	s.write("stuck", "")
	if transcript := s.refused(strings.Replace(removePackages(t), "+ 600))", "+ 0))", 1)); !strings.Contains(transcript, "lock") {
		t.Errorf("it said\n%s", transcript)
	}
	s.wantFile("installed", "bash\nkubelet\nlibc6\n")
}
