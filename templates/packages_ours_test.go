package templates

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// managers are the two kinds of package managers: hosts of them, their scripts and what they are asked to install.
func managers() map[string]struct {
	host   func(*testing.T) *standIns
	script Script
	specs  []string
} {
	return map[string]struct {
		host   func(*testing.T) *standIns
		script Script
		specs  []string
	}{
		"apt": {aptHost, ScriptPackagesApt, []string{"install", "kubelet=1.37.2-*", "kubeadm=1.37.2-*"}},
		"dnf": {dnfHost, ScriptPackagesDnf, []string{"install", "kubelet-1.37.2", "kubeadm-1.37.2"}},
	}
}

// A package manager that does not answer, or not with all packages, is an error before anything is installed: what it leaves
// out would be fairlead's by the next run.
func TestPackagesRefuseAListThatFails(t *testing.T) {
	for name, c := range managers() {
		for problem, lay := range map[string]func(*standIns){
			"it fails":         func(s *standIns) { s.write("broken", "") },
			"it names nothing": func(s *standIns) { s.write("bin/dpkg-query", "#!/bin/sh\n"); s.write("bin/rpm", "#!/bin/sh\n") },
			"it names only others": func(s *standIns) {
				s.write("bin/dpkg-query", "#!/bin/sh\necho 'ii  bash'\n")
				s.write("bin/rpm", "#!/bin/sh\necho bash\n")
			},
			"it fails at the end": func(s *standIns) {
				s.write("bin/dpkg-query", "#!/bin/sh\necho 'ii  dpkg'\nexit 2\n")
				s.write("bin/rpm", "#!/bin/sh\necho rpm\nexit 1\n")
			},
		} {
			t.Run(name+", "+problem, func(t *testing.T) {
				s := c.host(t)
				s.write("installed", "bash\nlibc6\npostgresql\n")
				whole := map[string]string{"bin/dpkg-query": s.read("bin/dpkg-query"), "bin/rpm": s.read("bin/rpm")}
				lay(s)
				transcript := s.refused(c.script.Text(), c.specs...)
				if !strings.Contains(transcript, "| cannot list the packages: ") {
					t.Errorf("it did\n%s", transcript)
				}
				s.wantFile("installed", "bash\nlibc6\npostgresql\n")
				s.wantNone("state/ledger", "state/packages.pending")
				if exists(s.path("broken")) {
					if err := os.Remove(s.path("broken")); err != nil {
						t.Fatal(err)
					}
				}
				for program, text := range whole {
					s.write(program, text)
				}
				s.ran(c.script.Text(), c.specs...)
				s.wantLedgerFile("package cri-tools absent\npackage kubeadm absent\npackage kubelet absent\npackage kubernetes-cni absent\n")
			})
		}
	}
}

// What others install between an install that was cut off and the next run, or reset, is theirs.
func TestPackagesOfOthersAfterACut(t *testing.T) {
	for name, c := range managers() {
		for _, next := range []string{"install", "account", "reset"} {
			t.Run(name+", "+next, func(t *testing.T) {
				s := c.host(t)
				s.write("cut", "")
				s.refused(c.script.Text(), c.specs...)
				s.write("installed", s.read("installed")+"postgresql\n")
				want := "package kubelet absent\npackage kubernetes-cni absent\n"
				switch next {
				case "install":
					s.ran(c.script.Text(), c.specs...)
					want += "package cri-tools absent\npackage kubeadm absent\n"
				case "account":
					s.ran(c.script.Text(), "account")
				case "reset":
					s.write("state/ledger", framed("file /etc/hosts absent\n"))
					s.ran(removePackages(t))
					want = "file /etc/hosts absent\n" + want
					s.wantFile("installed", "bash\nlibc6\npostgresql\n")
				}
				s.wantLedgerFile(want)
			})
		}
	}
}

// Where nobody can tell what would be installed, nothing is.
func TestPackagesRefuseATransactionThatCannotBeRead(t *testing.T) {
	for name, c := range managers() {
		t.Run(name, func(t *testing.T) {
			s := c.host(t)
			s.write("bin/apt-get", standInPrelude+`case $* in *--simulate*) echo "2 upgraded, 4 newly installed, 0 to remove and 1 not upgraded." ;; *--download-only*) ;; *) add kubelet ;; esac`)
			s.write("bin/dnf", standInPrelude+`case $* in *--assumeno*) printf 'Installing:\nkubelet\nTransaction Summary\nInstall  4 Packages\n'; exit 1 ;; *versionlock*) exit 1 ;; *) add kubelet ;; esac`)
			if transcript := s.refused(c.script.Text(), c.specs...); !strings.Contains(transcript, "| cannot tell what ") {
				t.Errorf("it did\n%s", transcript)
			}
			s.wantFile("installed", "bash\nlibc6\n")
			s.wantNone("state/packages.pending")
		})
	}
}

// A package of another architecture is never ours: one of its name may be the host's.
func TestPackagesAptOfAnotherArchitecture(t *testing.T) {
	s := aptHost(t)
	s.write("bin/apt-get", standInPrelude+`case $* in *--simulate*) printf 'Inst libc6:i386 (1.0 a:1/b [i386])\nInst kubectl (1.0 a:1/b [amd64])\nConf kubectl (1.0 a:1/b [amd64])\n' ;; *--download-only*) ;; *) add kubectl ;; esac`)
	s.ran(ScriptPackagesApt.Text(), "install", "kubectl=1.37.2-*")
	s.wantLedgerFile("package kubectl absent\n")
}

// The tables of dnf 4 and 5, as they print them where nobody looks.
func TestPackagesDnfTables(t *testing.T) {
	const (
		four = `Last metadata expiration check: 0:00:05 ago on Wed Nov 25 19:00:00 2026.
Dependencies resolved.
================================================================================
 Package                        Arch    Version              Repository    Size
================================================================================
Installing:
 kubelet                        x86_64  1.37.2-150500.1.1    kubernetes    13 M
 python3-dnf-plugin-versionlock-of-a-long-name
                                noarch  4.3.0-13.el9         baseos        11 k
Installing dependencies:
 kubernetes-cni                 x86_64  1.8.0-150500.1.1     kubernetes   7.2 M
Upgrading:
 bash                           x86_64  5.1.8-9.el9          baseos       1.7 M
     replacing  libc6.x86_64 2.0-1
Enabling module streams:
 container-tools                        rhel8

Transaction Summary
================================================================================
Install  3 Packages
Upgrade  1 Package

Total download size: 22 M
Operation aborted.
`
		five = `Package                                       Arch   Version           Repository      Size
Installing:
 kubelet                                      x86_64 1.37.2-150500.1.1 kubernetes  58.2 MiB
 python3-dnf-plugin-versionlock-of-a-long-name noarch 4.3.0-13.el9     baseos      11.0 KiB
Installing dependencies:
 kubernetes-cni                               x86_64 1.8.0-150500.1.1  kubernetes  31.4 MiB
Upgrading:
 bash                                         x86_64 5.1.8-9.el9       baseos       1.7 MiB
   replacing libc6                            x86_64 2.0-1             <unknown>    1.7 MiB

Transaction Summary:
 Installing:         3 packages
 Upgrading:          1 package
 Replacing:          1 package

Total size of inbound packages is 22 MiB. Need to download 22 MiB.
Operation aborted by the user.
`
	)
	for name, table := range map[string]string{"4": four, "5": five} {
		t.Run(name, func(t *testing.T) {
			s := dnfHost(t)
			s.write("table", table)
			s.write("bin/dnf", standInPrelude+`case $* in *versionlock*) exit 1 ;; *--assumeno*) cat "$S/table"; exit 1 ;; esac; add bash container-tools kubelet kubernetes-cni nginx python3-dnf-plugin-versionlock-of-a-long-name`)
			s.ran(ScriptPackagesDnf.Text(), "install", "kubelet-1.37.2")
			s.wantLedgerFile("package kubelet absent\npackage kubernetes-cni absent\npackage python3-dnf-plugin-versionlock-of-a-long-name absent\n")
		})
	}
}

// What the host needs stays, whatever the ledger says, and it is told.
func TestResetKeepsPackagesThatTheHostNeeds(t *testing.T) {
	kernel := map[string]string{
		"apt": "linux-image-6.1.0-28-amd64: /boot/vmlinuz-6.1.0-28-amd64\nlinux-base, linux-modules-6.1.0-28-amd64:amd64: /lib/modules/6.1.0-28-amd64\n",
		"dnf": "linux-image-6.1.0-28-amd64\nlinux-base\nlinux-modules-6.1.0-28-amd64\nerror: file /boot/vmlinuz: No such file or directory\n",
	}
	for name, c := range systems(t) {
		t.Run(name, func(t *testing.T) {
			s := c.host(t)
			needed := []string{"apt", "dnf", "linux-base", "linux-image-6.1.0-28-amd64", "linux-modules-6.1.0-28-amd64", "openssh-server", "rpm", "sudo"}
			if name == "apt" {
				needed = append(needed, "essential", "protected", "required", "dpkg")
			}
			s.write("essential", "bash yes  required\nessential yes  optional\nprotected  yes optional\nrequired   required\nkubelet   optional\n")
			s.write("kernel", kernel[name])
			s.write("installed", "bash\nkubelet\nlibc6\n"+strings.Join(needed, "\n")+"\n")
			var ledger strings.Builder
			for _, kept := range append(needed, "kubelet") {
				ledger.WriteString("package " + kept + " absent\n")
			}
			s.write("state/ledger", framed(ledger.String()))
			transcript := s.ran(removePackages(t))
			if !strings.Contains(transcript, "\n"+c.erase+"kubelet\n") {
				t.Errorf("it did\n%s", transcript)
			}
			for _, kept := range needed {
				if !strings.Contains(transcript, "| keeping package "+kept+", which the host needs\n") || !strings.Contains(s.read("installed"), kept+"\n") {
					t.Errorf("%s: it did\n%s", kept, transcript)
				}
			}
		})
	}
}

// Reset removes nothing where it cannot tell what is installed, or what the host needs.
func TestResetWithoutAListOfPackages(t *testing.T) {
	for problem, stand := range map[string]string{
		"fails": "exit 2", "names nothing": "", "names only others": "echo 'ii  kubelet'",
		"does not say what is needed": `case $* in *Essential*) exit 2 ;; esac; printf 'ii  dpkg\nii  kubelet\n'`,
	} {
		s := aptHost(t)
		s.write("installed", "bash\nkubelet\nlibc6\n")
		s.write("state/ledger", framed("package kubelet absent\n"))
		s.write("bin/dpkg-query", standInPrelude+stand)
		if transcript := s.refused(removePackages(t)); !strings.Contains(transcript, "| keeping all packages\n") || strings.Contains(transcript, "--purge") {
			t.Errorf("%s: it did\n%s", problem, transcript)
		}
		s.wantFile("installed", "bash\nkubelet\nlibc6\n")
	}
}

// Of a package that its owner had removed, the configuration is the owner's: it goes as it had gone, and is not purged.
func TestPackagesThatHadBeenRemoved(t *testing.T) {
	s := aptHost(t)
	s.write("removed", "kubernetes-cni\n")
	s.ran(ScriptPackagesApt.Text(), "install", "kubelet=1.37.2-*")
	s.wantLedgerFile("package kubelet absent\npackage kubernetes-cni removed\n")
	s.write("bin/dpkg", standInPrelude+`case $1 in --remove | --purge) shift; drop "$@" ;; esac`)
	transcript := s.ran(removePackages(t))
	if !strings.Contains(transcript, "\ndpkg --remove kubelet kubernetes-cni\ndpkg --purge kubelet\n") {
		t.Errorf("it did\n%s", transcript)
	}
}

// A container has files of the same names, and what has them open there works with its packages, not with the host's. Who has
// the host's open has it, by whatever path.
func TestPackagesTellWhoseLockItIs(t *testing.T) {
	if os.Geteuid() != 0 || exec.Command("unshare", "--mount", "true").Run() != nil {
		t.Skip("needs root and a mount namespace")
	}
	for name, c := range map[string]struct {
		lay    string // in the namespace of a program that has opened "$1" then
		waited bool
	}{
		"a container's": {"mount --bind \"$2/theirs\" \"$1\"", false},
		"the host's":    {":", true},
		"the host's, by another path": {"mkdir -p \"$2/root/dpkg\"; : >\"$2/root/dpkg/lock\"; mount --bind \"$1\" \"$2/root/dpkg/lock\"; set -- \"$2/root/dpkg/lock\"",
			true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIns(t, nil)
			s.write("dpkg/lock", "")
			s.write("theirs", "")
			command := exec.CommandContext(t.Context(), "unshare", "--mount", "sh", "-c", c.lay+"\nexec 7<\"$1\"; echo ready; exec cat", "sh", s.path("dpkg/lock"), s.folder)
			in, err := command.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			defer command.Wait()
			defer in.Close()
			if _, err := out.Read(make([]byte, 6)); err != nil {
				t.Fatal(err)
			}
			transcript := s.ran(Script("open-files").Text() + Script("installed").Text() + "\nlocks() { echo " + quoted(s.path("dpkg/lock")) + "; }\nholder")
			if waited := strings.Contains(transcript, "| "); waited != c.waited {
				t.Errorf("it is waited for: %v\n%s", waited, transcript)
			}
		})
	}
}
