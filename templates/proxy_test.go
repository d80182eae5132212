package templates

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestProxyFiles(t *testing.T) {
	for _, c := range []struct {
		name  string
		proxy Proxy
	}{
		{"both", Proxy{HTTP: "http://proxy.lab:3128", HTTPS: "http://proxy.lab:3129", No: []string{"localhost", "10.96.0.0/12", ".svc"}}},
		{"https", Proxy{HTTPS: "https://[2001:db8::1]:3128"}},
		{"percent", Proxy{HTTP: "http://proxy%2elab:3128", No: []string{"100%.lab"}}},
	} {
		for _, file := range []HostFile{ProxyEnvironment(c.proxy), ProxyDropIn("containerd.service", c.proxy)} {
			golden(t, "packages/proxy-"+c.name+filepath.Ext(file.Path), file.Content)
			if file.Mode != 0o644 || file.Secret {
				t.Errorf("%s has mode %o, secret: %v", file.Path, file.Mode, file.Secret)
			}
		}
	}
	if is := ProxyEnvironment(Proxy{}).Path; is != ProxyFile {
		t.Errorf("the environment lies in %s", is)
	}
	if is, want := ProxyDropIn("docker.service", Proxy{}).Path, "/etc/systemd/system/docker.service.d/50-fairlead-proxy.conf"; is != want || ProxyDropInPath("docker.service") != want {
		t.Errorf("the drop-in lies in %s, want %s", is, want)
	}
}

// The script of the package manager reads ProxyFile by a line of sed. It gets what was meant.
func TestProxyEnvironmentIsRead(t *testing.T) {
	_, line, found := strings.Cut(Packages(Apt).Text(), "export $(")
	line, _, _ = strings.Cut(line, " /etc/fairlead/proxy.env)")
	if !found {
		t.Fatal("there is no such line")
	}
	proxy := Proxy{HTTP: "http://a.lab:3128", HTTPS: "http://b%2elab:3128", No: []string{"localhost", "::1", "10.0.0.0/8", ".lab"}}
	command := exec.CommandContext(t.Context(), "/bin/sh", "-c", line)
	command.Stdin = strings.NewReader(string(ProxyEnvironment(proxy).Content))
	got, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"HTTP_PROXY=http://a.lab:3128", "HTTPS_PROXY=http://b%2elab:3128", "NO_PROXY=localhost,::1,10.0.0.0/8,.lab"}
	if lines := strings.Fields(string(got)); !slices.Equal(lines, want) {
		t.Errorf("read as %q, want %q", lines, want)
	}
}

func TestContainerDropIn(t *testing.T) {
	file := ContainerDropIn("docker.service")
	if file.Path != "/etc/systemd/system/docker.service.d/50-fairlead-oom.conf" || file.Mode != 0o644 {
		t.Errorf("file is %s with mode %o", file.Path, file.Mode)
	}
	golden(t, "packages/oom.conf", file.Content)
}
