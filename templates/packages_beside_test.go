package templates

import (
	"os"
	"strings"
	"testing"
)

// What package managers are asked for packages beside what fairlead itself needs, and what is left of that on the host.
func TestPackagesBeside(t *testing.T) {
	for name, c := range managers() {
		t.Run(name, func(t *testing.T) {
			s := c.host(t)
			s.write("lockable", "")
			script := s.other(c.script.Text())
			release, err := os.ReadFile("/proc/sys/kernel/osrelease")
			if err != nil {
				t.Fatal(err)
			}
			s.hide = append(s.hide, strings.TrimSpace(string(release)), "RELEASE")
			var b strings.Builder
			b.WriteString(s.ran(script, "add", "nfs-common", "open-iscsi"))
			s.wantFile("state/packages", "brought libnfsidmap1\nbrought nfs-common\nbrought open-iscsi\nbrought rpcbind\nwanted nfs-common\nwanted open-iscsi\n")
			s.wantLedgerFile("package libnfsidmap1 absent\npackage nfs-common absent\npackage open-iscsi absent\npackage rpcbind absent\n")
			b.WriteString(s.ran(script, "keep", "open-iscsi", "kubelet"))
			s.wantFile("installed", "bash\nlibc6\nopen-iscsi\n")
			s.wantFile("state/packages", "brought open-iscsi\nwanted open-iscsi\n")
			s.wantLedgerFile("package open-iscsi absent\n")
			golden(t, "packages/"+name+"-beside.log", []byte(b.String()))
			s.wantNone("state/packages.pending", "state/packages.now", "state/packages.added", "state/entries", "state/purge.log")
		})
	}
}

// Nothing of the host's is turned back, freed of its hold or unlocked for them.
func TestPackagesBesideLeaveHoldsAlone(t *testing.T) {
	for name, c := range managers() {
		s := c.host(t)
		s.write("lockable", "")
		transcript := s.ran(c.script.Text(), "add", "nfs-common")
		for _, option := range []string{"--allow-downgrades", "--allow-change-held-packages", "versionlock"} {
			if strings.Contains(transcript, option) {
				t.Errorf("%s: there is %s:\n%s", name, option, transcript)
			}
		}
	}
}

// What is there already is nobody's but its owner's, also where an install is asked for.
func TestPackagesBesideThatAreThere(t *testing.T) {
	for name, c := range managers() {
		t.Run(name, func(t *testing.T) {
			s := c.host(t)
			s.write("installed", "bash\nlibc6\nnfs-common\nrpcbind\n")
			s.ran(c.script.Text(), "add", "nfs-common", "open-iscsi")
			s.wantFile("state/packages", "brought libnfsidmap1\nbrought open-iscsi\nwanted open-iscsi\n")
			s.wantLedgerFile("package libnfsidmap1 absent\npackage open-iscsi absent\n")
			s.write("needs", "nfs-common libnfsidmap1\n")
			s.ran(c.script.Text(), "keep")
			s.wantFile("installed", "bash\nlibc6\nlibnfsidmap1\nnfs-common\nrpcbind\n")
		})
	}
}

// What others need by now stays, and it is said of what was wanted. It is fairlead's, and goes with a reset, or with the next
// package that is no longer wanted.
func TestPackagesBesideThatOthersNeed(t *testing.T) {
	for name, c := range managers() {
		t.Run(name, func(t *testing.T) {
			s := c.host(t)
			s.ran(c.script.Text(), "add", "nfs-common", "open-iscsi", "nfs-ganesha")
			s.write("needs", "theirs nfs-common\nnfs-common rpcbind\nnfs-common libnfsidmap1\n")
			s.write("installed", s.read("installed")+"theirs\n")
			transcript := s.ran(c.script.Text(), "keep", "open-iscsi")
			s.wantFile("installed", "bash\nlibc6\nlibnfsidmap1\nnfs-common\nopen-iscsi\nrpcbind\ntheirs\n")
			if !strings.Contains(transcript, "| keeping package nfs-common: ") || strings.Contains(transcript, "keeping package rpcbind") {
				t.Errorf("it said\n%s", transcript)
			}
			s.wantFile("state/packages", "brought libnfsidmap1\nbrought nfs-common\nbrought open-iscsi\nbrought rpcbind\nwanted open-iscsi\n")
			s.wantLedgerFile("package libnfsidmap1 absent\npackage nfs-common absent\npackage open-iscsi absent\npackage rpcbind absent\n")
			s.write("needs", "")
			s.ran(c.script.Text(), "keep")
			s.wantFile("installed", "bash\nlibc6\ntheirs\n")
			s.wantFile("state/packages", "")
			s.wantLedgerFile("")
		})
	}
}

// What fairlead itself needs is no part of what goes, though it may have come along.
func TestPackagesBesideThatFairleadNeeds(t *testing.T) {
	for name, c := range managers() {
		s := c.host(t)
		s.ran(c.script.Text(), "add", "nfs-common")
		s.write("installed", "bash\nkubelet\nlibc6\nlibnfsidmap1\nnfs-common\nopenssh-server\nrpcbind\n")
		s.write("state/packages", "brought kubelet\nbrought nfs-common\nbrought openssh-server\nwanted nfs-common\n")
		s.write("state/ledger", framed("package kubelet absent\npackage nfs-common absent\npackage openssh-server absent\n"))
		s.ran(c.script.Text(), "keep", "kubelet")
		s.wantFile("installed", "bash\nkubelet\nlibc6\nlibnfsidmap1\nopenssh-server\nrpcbind\n")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// What came along with a package and is wanted for itself by now stays, and goes when that is over.
func TestPackagesBesideThatCameAlong(t *testing.T) {
	for name, c := range managers() {
		s := c.host(t)
		s.ran(c.script.Text(), "add", "nfs-common")
		s.ran(c.script.Text(), "keep", "rpcbind")
		s.wantFile("installed", "bash\nlibc6\nrpcbind\n")
		s.wantFile("state/packages", "brought rpcbind\nwanted rpcbind\n")
		s.wantLedgerFile("package rpcbind absent\n")
		s.ran(c.script.Text(), "keep")
		s.wantFile("installed", "bash\nlibc6\n")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// Only packages of exactly that name are installed: package managers take others for patterns, versions, or what another
// package offers.
func TestPackagesBesideByTheirNames(t *testing.T) {
	const refusal = "| no repository of this host has a package of the name nfs-client rpc.ind: names differ between distributions\n"
	for name, c := range managers() {
		t.Run(name, func(t *testing.T) {
			s := c.host(t)
			s.write("bin/apt-get", standInPrelude+`case $* in *--simulate*) echo "Inst nfs-common (1.0 a:1/b [amd64])" ;; *update* | *--download-only*) ;; *) add nfs-common ;; esac`)
			s.write("bin/dnf", standInPrelude+`case $* in *--assumeno*) printf 'Installing:\n nfs-common x86_64\nTransaction Summary\nInstall  1 Package\n'; exit 1 ;; *) add nfs-common ;; esac`)
			transcript := s.refused(c.script.Text(), "add", "nfs-client", "nfs-common", "rpc.ind")
			if !strings.Contains(transcript, refusal) || strings.Contains(transcript, "--download-only") {
				t.Errorf("it did\n%s", transcript)
			}
			s.wantFile("installed", "bash\nlibc6\n")
			s.wantNone("state/packages", "state/packages.pending", "state/ledger")
		})
	}
}

// Indexes that are not there, or too old, are read before names are refused.
func TestPackagesBesideWithoutIndexes(t *testing.T) {
	s := aptHost(t)
	s.write("outdated", "")
	transcript := s.ran(ScriptPackagesApt.Text(), "add", "nfs-common")
	s.wantFile("installed", "bash\nlibc6\nlibnfsidmap1\nnfs-common\nrpcbind\n")
	if strings.Count(transcript, " update\n") != 1 {
		t.Errorf("it did\n%s", transcript)
	}
	s.write("bin/apt-cache", standInPrelude+"exit 100")
	if transcript := s.refused(ScriptPackagesApt.Text(), "add", "nfs-ganesha"); strings.Contains(transcript, "no repository") {
		t.Errorf("it said\n%s", transcript)
	}
}

// An install that was cut off before the ledger had its packages: what it was for is known, and taking it back undoes it.
func TestPackagesBesideAfterACut(t *testing.T) {
	for name, c := range managers() {
		for _, next := range []string{"add", "keep", "reset"} {
			t.Run(name+", "+next, func(t *testing.T) {
				s := c.host(t)
				s.write("cut", "")
				s.refused(c.script.Text(), "add", "nfs-common", "open-iscsi")
				s.wantFile("state/packages", "brought libnfsidmap1\nbrought nfs-common\nbrought open-iscsi\nbrought rpcbind\nwanted nfs-common\nwanted open-iscsi\n")
				switch next {
				case "add":
					s.ran(c.script.Text(), "add", "open-iscsi")
					s.wantFile("installed", "bash\nlibc6\nlibnfsidmap1\nnfs-common\nopen-iscsi\nrpcbind\n")
					s.wantFile("state/packages", "brought libnfsidmap1\nbrought nfs-common\nbrought open-iscsi\nbrought rpcbind\nwanted nfs-common\nwanted open-iscsi\n")
					s.ran(c.script.Text(), "keep")
				case "keep":
					s.ran(c.script.Text(), "keep")
				case "reset":
					s.write("state/ledger", framed("file /etc/hosts absent\n"))
					s.ran(removePackages(t))
				}
				s.wantFile("installed", "bash\nlibc6\n")
			})
		}
	}
}

// What is cut off while packages go is gone on with by the next run.
func TestPackagesBesideThatAreHalfGone(t *testing.T) {
	for name, c := range managers() {
		s := c.host(t)
		s.ran(c.script.Text(), "add", "nfs-common", "open-iscsi")
		s.write("installed", "bash\nlibc6\nlibnfsidmap1\nopen-iscsi\n")
		s.write("state/entries", "of a run that was cut off")
		s.ran(c.script.Text(), "keep", "open-iscsi")
		s.wantFile("installed", "bash\nlibc6\nopen-iscsi\n")
		s.wantLedgerFile("package open-iscsi absent\n")
		s.ran(c.script.Text(), "keep", "open-iscsi")
		s.wantFile("installed", "bash\nlibc6\nopen-iscsi\n")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// Where nobody can tell what is installed, nothing goes.
func TestPackagesBesideWithoutAList(t *testing.T) {
	for name, c := range managers() {
		s := c.host(t)
		s.ran(c.script.Text(), "add", "nfs-common")
		before, added := s.read("installed"), s.read("state/packages")
		s.write("broken", "")
		if transcript := s.refused(c.script.Text(), "keep"); !strings.Contains(transcript, "| keeping all packages\n") {
			t.Errorf("%s: it did\n%s", name, transcript)
		}
		s.wantFile("installed", before)
		s.wantFile("state/packages", added)
	}
}

// A host on which nothing was added is left alone.
func TestPackagesBesideThatNeverCame(t *testing.T) {
	for name, c := range managers() {
		s := c.host(t)
		s.write("state/ledger", framed("package kubelet absent\n"))
		if transcript := s.ran(c.script.Text(), "keep"); strings.Contains(transcript, "|") {
			t.Errorf("%s: it did\n%s", name, transcript)
		}
	}
}
