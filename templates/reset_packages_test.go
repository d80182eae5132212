package templates

import (
	"strings"
	"testing"
)

// resetPart is a part of the script for a reset: its functions, and what calls some of them.
func resetPart(t *testing.T, calls string) string {
	t.Helper()
	functions, _, found := strings.Cut(ScriptReset.Text(), "\nif [ -f \"$ledger\" ] && ")
	if !found {
		t.Fatal("the script has another form")
	}
	return functions + `
if [ -e "$ledger" ]; then read_ledger; else mkdir -p "$state" && : >"$state/entries"; fi
` + calls + `
exit "$status"
`
}

// removePackages is the part that takes packages away.
func removePackages(t *testing.T) string {
	t.Helper()
	return resetPart(t, "remove_packages")
}

// systems are the two kinds of hosts, with what takes packages away there.
func systems(t *testing.T) map[string]struct {
	host        func(*testing.T) *standIns
	erase, free string
} {
	t.Helper()
	return map[string]struct {
		host        func(*testing.T) *standIns
		erase, free string
	}{
		"apt": {aptHost, "dpkg --purge ", "apt-mark unhold "},
		"dnf": {dnfHost, "rpm --erase ", "dnf --assumeyes --quiet versionlock delete "},
	}
}

// Packages of the ledger that are installed go, all at once and free of locks; no others do.
func TestResetRemovesPackages(t *testing.T) {
	for name, c := range systems(t) {
		t.Run(name, func(t *testing.T) {
			s := c.host(t)
			s.write("installed", "bash\nkubeadm\nkubelet\nlibc6\nnginx\n")
			s.write("state/ledger", "file /etc/hosts absent\npackage kubelet absent\npackage gone absent\npackage kubeadm absent\nunit kubelet.service not-found inactive\n")
			transcript := s.ran(removePackages(t))
			s.wantFile("installed", "bash\nlibc6\nnginx\n")
			freed, erased := strings.Index(transcript, "\n"+c.free+"kubeadm kubelet\n"), strings.Index(transcript, "\n"+c.erase+"kubeadm kubelet\n")
			if freed < 0 || erased < freed || !strings.HasSuffix(transcript, "| removing packages: kubeadm kubelet\n") {
				t.Errorf("it did\n%s", transcript)
			}
			s.wantFile("state/ledger", "file /etc/hosts absent\npackage kubelet absent\npackage gone absent\npackage kubeadm absent\nunit kubelet.service not-found inactive\n")
			if again := s.ran(removePackages(t)); strings.Contains(again, c.erase) || strings.Contains(again, "removing") {
				t.Errorf("the second time it did\n%s", again)
			}
		})
	}
}

// What others need by now stays, and it is said why.
func TestResetKeepsPackagesOfOthers(t *testing.T) {
	for name, c := range systems(t) {
		t.Run(name, func(t *testing.T) {
			s := c.host(t)
			s.write("installed", "bash\nkubectl\nkubelet\nlibc6\ntheirs\n")
			s.write("needs", "theirs kubectl\n")
			s.write("state/ledger", "package kubelet absent\npackage kubectl absent\n")
			transcript := s.ran(removePackages(t))
			s.wantFile("installed", "bash\nkubectl\nlibc6\ntheirs\n")
			if _, why, found := strings.Cut(transcript, "| keeping package kubectl: "); !found || !strings.Contains(why, "theirs") {
				t.Errorf("it said\n%s", transcript)
			}
		})
	}
}

// What an install that was cut off has brought goes as well, though no run has written it down.
func TestResetRemovesPackagesAfterACut(t *testing.T) {
	for name, c := range systems(t) {
		t.Run(name, func(t *testing.T) {
			s := c.host(t)
			s.write("installed", "bash\nkubelet\nkubernetes-cni\nlibc6\n")
			s.write("state/packages.pending", "kubectl absent\nkubelet absent\nkubernetes-cni absent\n")
			s.write("state/ledger", "file /etc/hosts absent\n")
			transcript := s.ran(removePackages(t))
			s.wantFile("installed", "bash\nlibc6\n")
			s.wantLedgerFile("file /etc/hosts absent\npackage kubelet absent\npackage kubernetes-cni absent\n")
			s.wantNone("state/packages.pending")
			if !strings.Contains(transcript, c.erase+"kubelet kubernetes-cni\n") {
				t.Errorf("it did\n%s", transcript)
			}
		})
	}
}

// A host without packages of ours is left alone.
func TestResetWithoutPackages(t *testing.T) {
	for name := range systems(t) {
		s := systems(t)[name].host(t)
		s.write("state/ledger", "file /etc/hosts absent\npackage gone absent\n")
		if transcript := s.ran(removePackages(t)); strings.Contains(transcript, "removing") || strings.Contains(transcript, "mark") {
			t.Errorf("%s: it did\n%s", name, transcript)
		}
		s.wantFile("installed", "bash\nlibc6\n")
	}
}
