package templates

import (
	"regexp"
	"strings"
	"testing"
)

func TestContainerdConfig(t *testing.T) {
	for _, tt := range []struct {
		file string
		in   Containerd
	}{
		{"containerd.toml", Containerd{SandboxImage: "registry.k8s.io/pause:3.10.2"}},
		{"containerd-restricted.toml", Containerd{SandboxImage: "registry.lab:5000/k8s/pause:3.10.2", RestrictOOMScoreAdj: true, DisableAppArmor: true}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			got := ContainerdConfig(tt.in)
			golden(t, tt.file, got)
			checkTOML(t, string(got))
		})
	}
}

// checkTOML checks the few forms of lines that the file uses, and that no table
// and no key of a table occurs twice.
func checkTOML(t *testing.T, text string) {
	t.Helper()
	table := regexp.MustCompile(`^\[([a-z_]+|'[a-z0-9.]+')(\.([a-z_]+|'[a-z0-9.]+'))*\]$`)
	pair := regexp.MustCompile(`^ *([A-Za-z_]+) = (true|false|[0-9]+|'[^']*'|"([^"\\]|\\["\\]|\\u[0-9A-F]{4})*")$`)
	seen, current := map[string]bool{}, ""
	for i, line := range strings.Split(text, "\n") {
		key := line
		switch m := pair.FindStringSubmatch(line); {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case table.MatchString(line):
			current = line
		case m != nil:
			key = current + m[1]
		default:
			t.Errorf("line %d is no TOML that is known here: %s", i+1, line)
		}
		if seen[key] {
			t.Errorf("line %d occurs twice: %s", i+1, line)
		}
		seen[key] = true
	}
}

func TestContainerdConfigQuotes(t *testing.T) {
	got := string(ContainerdConfig(Containerd{SandboxImage: "a\"b\\c\nd\x7f@DISABLE_APPARMOR@"}))
	if want := `sandbox = "a\"b\\c\u000Ad\u007F@DISABLE_APPARMOR@"` + "\n"; !strings.Contains(got, want) {
		t.Errorf("no %s in\n%s", want, got)
	}
	checkTOML(t, got)
}

func TestHostFiles(t *testing.T) {
	kubelet := KubeletUnit()
	if len(kubelet) != 2 {
		t.Fatalf("%d files for the kubelet, want 2", len(kubelet))
	}
	for _, tt := range []struct {
		golden, path string
		file         HostFile
	}{
		{"containerd.service", "/etc/systemd/system/containerd.service", ContainerdUnit(Containerd{})},
		{"containerd-restricted.service", "/etc/systemd/system/containerd.service", ContainerdUnit(Containerd{RestrictOOMScoreAdj: true})},
		{"kubelet.service", "/etc/systemd/system/kubelet.service", kubelet[0]},
		{"10-kubeadm.conf", "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf", kubelet[1]},
		{"modules.conf", "/etc/modules-load.d/fairlead.conf", ModulesFile()},
		{"sysctl.conf", "/etc/sysctl.d/99-fairlead.conf", SysctlFile(false)},
		{"sysctl-ipv6.conf", "/etc/sysctl.d/99-fairlead.conf", SysctlFile(true)},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			golden(t, tt.golden, tt.file.Content)
			if tt.file.Path != tt.path || tt.file.Mode != 0o644 {
				t.Errorf("file is %s with mode %o, want %s with 644", tt.file.Path, tt.file.Mode, tt.path)
			}
		})
	}
}
