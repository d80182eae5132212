package templates

import (
	"fmt"
	"strings"
	"testing"
)

// probeFunctions are those of the probe, without what calls them.
func probeFunctions(t *testing.T) string {
	t.Helper()
	functions, _, found := strings.Cut(ScriptProbe.Text(), "\nmachine\ntools ")
	if !found {
		t.Fatal("the script has another form")
	}
	return functions
}

// probeOf is the part of the probe that asks for packages and proxies.
func probeOf(t *testing.T, s *standIns) string {
	t.Helper()
	return strings.ReplaceAll(probeFunctions(t), "/etc/dnf/", s.path("dnf")+"/") + "\npackages \"$@\"\nenvironment\n"
}

// packagesAsked asks for packages, and for those that could be installed.
func packagesAsked(candidates ...string) []string {
	var asked []string
	for _, name := range strings.Fields("kubelet kubeadm kubectl cri-tools containerd containerd.io docker.io docker-ce moby-engine docker") {
		asked = append(asked, "package:"+name)
	}
	for _, name := range candidates {
		asked = append(asked, "candidate:"+name)
	}
	return asked
}

func wantProbe(t *testing.T, transcript string, want ...string) {
	t.Helper()
	var is []string
	for line := range strings.Lines(transcript) {
		if fact, found := strings.CutPrefix(line, "| "); found {
			is = append(is, strings.ReplaceAll(strings.TrimSuffix(fact, "\n"), "\t", " "))
		}
	}
	if strings.Join(is, "\n") != strings.Join(want, "\n") {
		t.Errorf("the probe says\n%s\ninstead of\n%s", strings.Join(is, "\n"), strings.Join(want, "\n"))
	}
}

const dpkgPrints = `printf '%s\n' 'hi 	kubelet	1.37.2-1.1' 'ii 	kubeadm	1.37.2-1.1' 'iU 	kubectl	1.37.2-1.1' 'rc 	docker.io	20.10' 'iF 	containerd	1.6.20~ds1-1' 'ii 	docker-ce	5:29.1.3-1'
echo "dpkg-query: no packages found matching moby-engine" >&2
exit 1
`

const aptCachePrints = `cat <<'EOT'
containerd:
  Installed: (none)
  Candidate: 1.6.20~ds1-1+deb12u1
  Version table:
     1.6.20~ds1-1+deb12u1 500
docker.io:
  Installed: (none)
  Candidate: (none)
EOT
`

const environmentPrints = `case $* in *show-environment*) printf '%s\n' 'LANG=C' 'https_proxy=http://a.lab:3128/?a=b' 'NO_PROXY=a,b' 'MY_HTTP_PROXY=x' ;; esac
`

func TestProbeOfPackagesByApt(t *testing.T) {
	s := newStandIns(t, map[string]string{"dpkg-query": dpkgPrints, "apt-cache": aptCachePrints, "systemctl": environmentPrints})
	facts := []string{"package kubelet 1.37.2-1.1 held", "package kubeadm 1.37.2-1.1 -", "package docker-ce 5:29.1.3-1 -"}
	proxies := []string{"environment https_proxy http://a.lab:3128/?a=b", "environment NO_PROXY a,b"}
	transcript := s.ran(probeOf(t, s), packagesAsked("containerd", "docker.io")...)
	wantProbe(t, transcript, append(append(append([]string{}, facts...), "candidate containerd 1.6.20~ds1-1+deb12u1"), proxies...)...)
	if !strings.Contains(transcript, "apt-cache --option Dir::Cache::pkgcache= --option Dir::Cache::srcpkgcache= policy dpkg containerd docker.io\n") {
		t.Errorf("it did\n%s", transcript)
	}
	transcript = s.ran(probeOf(t, s), packagesAsked()...)
	wantProbe(t, transcript, append(append([]string{}, facts...), proxies...)...)
	if strings.Contains(transcript, "apt-cache") {
		t.Errorf("it asked for candidates:\n%s", transcript)
	}
}

// What could be installed takes seconds to find out, and matters only where there is none.
func TestProbeOfPackagesThatAreThere(t *testing.T) {
	for _, name := range []string{"containerd", "containerd.io"} {
		s := newStandIns(t, map[string]string{"dpkg-query": "echo 'ii \t" + name + "\t2.2.1-1'", "apt-cache": aptCachePrints, "systemctl": ""})
		wantProbe(t, s.ran(probeOf(t, s), packagesAsked("containerd", "docker.io")...), "package "+name+" 2.2.1-1 -")
	}
	for name, prints := range map[string]string{"no packages": "exit 1", "kubelet": "echo 'ii \tkubelet\t1.37.2-1.1'"} {
		s := newStandIns(t, map[string]string{"dpkg-query": prints, "apt-cache": aptCachePrints, "systemctl": ""})
		if transcript := s.ran(probeOf(t, s), packagesAsked("containerd", "docker.io")...); !strings.Contains(transcript, "| candidate\tcontainerd\t1.6.20~ds1-1+deb12u1\n") {
			t.Errorf("%s: it says\n%s", name, transcript)
		}
	}
}

// That the repositories do not have a package is said where their indexes are there: they have dpkg itself then. It is asked for
// what is not installed, and only under the very names.
func TestProbeOfPackagesThatNobodyOffers(t *testing.T) {
	const (
		installed = "dpkg:\n  Installed: 1.21.22\n  Candidate: 1.21.22\n  Version table:\n *** 1.21.22 500\n        100 /var/lib/dpkg/status\n"
		indexed   = installed + "        500 http://deb.debian.org/debian bookworm/main amd64 Packages\n"
		pattern   = "nfs-common:\n  Installed: (none)\n  Candidate: 1:2.6.2-4\n  Version table:\n     1:2.6.2-4 500\n        500 http://deb.debian.org/debian bookworm/main amd64 Packages\n"
	)
	for name, c := range map[string]struct {
		prints string
		want   []string
	}{
		"they have it":       {"cat <<'EOT'\n" + indexed + pattern + "EOT", []string{"candidate nfs-common 1:2.6.2-4", "candidate nfs-commo. "}},
		"they do not":        {"cat <<'EOT'\n" + indexed + "EOT", []string{"candidate nfs-common ", "candidate nfs-commo. "}},
		"no index":           {"cat <<'EOT'\n" + installed + "EOT", nil},
		"an index of others": {"cat <<'EOT'\n" + installed + pattern + "EOT", []string{"candidate nfs-common 1:2.6.2-4"}},
		"it fails":           {"cat <<'EOT'\n" + indexed + "EOT\nexit 100", nil},
		"it says nothing":    {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIns(t, map[string]string{"dpkg-query": "echo 'ii \tless\t590-2'", "apt-cache": c.prints, "systemctl": ""})
			transcript := s.ran(probeOf(t, s), "package:nfs-common", "package:less", "candidate:nfs-common", "candidate:less", "candidate:nfs-commo.")
			wantProbe(t, transcript, append([]string{"package less 590-2 -"}, c.want...)...)
			if !strings.Contains(transcript, " policy dpkg nfs-common nfs-commo.\n") {
				t.Errorf("it did\n%s", transcript)
			}
		})
	}
}

// Locks of dnf 4 are lines with the epoch in them, those of dnf 5 a file of TOML.
func TestProbeOfPackagesByDnf(t *testing.T) {
	const rpmPrints = `printf '%s\n' 'kubelet	1.37.2' 'kubeadm	1.37.2' 'package kubectl is not installed' 'containerd.io	2.2.1' 'kubernetes-cni	1.8.0'
exit 3
`
	const toml = "version = '1.0'\n\n[[packages]]\nname = \"%s\"\ncomment = \"Added by 'versionlock add' command\"\n[[packages.conditions]]\nkey = \"evr\"\n\n[[packages]]\nname = \"%s\"\n"
	for name, c := range map[string]struct {
		path, text string
		held       string
	}{
		"none":                 {held: "-"},
		"version 4":            {"dnf/plugins/versionlock.list", "\n# Added lock on Tue\nkubelet-0:1.37.2-150500.1.1.*\n!kubeadm-0:1.36.0-1.*\nkubernetes-cni-0:1.8.0-1.1.x86_64\n", "held"},
		"version 4, of others": {"dnf/plugins/versionlock.list", "#kubelet-0:1.37.2-150500.1.1.*\nkubelet-extras-0:1.0-1.*\n", "-"},
		"version 5":            {"dnf/versionlock.toml", fmt.Sprintf(toml, "kubelet", "kubernetes-cni"), "held"},
		"version 5, of others": {"dnf/versionlock.toml", fmt.Sprintf(toml, "kubelet-extras", "nginx"), "-"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIns(t, map[string]string{"rpm": rpmPrints, "systemctl": ""})
			if c.path != "" {
				s.write(c.path, c.text)
			}
			transcript := s.ran(probeOf(t, s), packagesAsked("containerd")...)
			wantProbe(t, transcript, "package kubelet 1.37.2 "+c.held, "package kubeadm 1.37.2 -", "package containerd.io 2.2.1 -", "package kubernetes-cni 1.8.0 "+c.held)
		})
	}
}
