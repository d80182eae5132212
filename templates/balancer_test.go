package templates

import (
	"net/netip"
	"os"
	"strings"
	"testing"
)

func balancerOf(vip string, own int, addresses ...string) Balancer {
	b := Balancer{VIP: netip.MustParseAddr(vip), Port: 8443, HealthPort: 18443, Interface: "eth0"}
	for i, address := range addresses {
		b.Hosts = append(b.Hosts, BalancerHost{Name: "cp" + string(rune('1'+i)), Address: netip.MustParseAddr(address)})
	}
	b.Own = b.Hosts[own]
	return b
}

func TestBalancerFiles(t *testing.T) {
	for name, b := range map[string]Balancer{
		"three": balancerOf("192.0.2.10", 1, "192.0.2.11", "192.0.2.12", "192.0.2.13"),
		"alone": balancerOf("192.0.2.10", 0, "192.0.2.11"),
		"ipv6":  balancerOf("2001:db8::10", 0, "2001:db8::11", "2001:db8::12"),
	} {
		config, _ := HAProxyFiles(b)
		golden(t, "balancer/haproxy-"+name+".cfg", config.Content)
		config, _ = KeepalivedFiles(b)
		golden(t, "balancer/keepalived-"+name+".conf", config.Content)
	}
	b := balancerOf("192.0.2.10", 0, "192.0.2.11")
	_, proxy := HAProxyFiles(b)
	_, keepalived := KeepalivedFiles(b)
	known := strings.Join(BalancerPaths(), "\n")
	for _, file := range append(proxy, keepalived...) {
		if !strings.Contains(known, file.Path) || strings.Contains(string(file.Content), "{{") {
			t.Errorf("%s: among all paths %v, content\n%s", file.Path, strings.Contains(known, file.Path), file.Content)
		}
	}
}

// Every control plane has a priority of its own, and all others for peers.
func TestBalancersDiffer(t *testing.T) {
	seen := map[string]bool{}
	for own := range 3 {
		config, _ := KeepalivedFiles(balancerOf("192.0.2.10", own, "192.0.2.11", "192.0.2.12", "192.0.2.13"))
		_, after, _ := strings.Cut(string(config.Content), "\tpriority ")
		priority, _, _ := strings.Cut(after, "\n")
		if seen[priority] || strings.Count(string(config.Content), "\t\t192.0.2.1") != 3 { // two peers and the shared address
			t.Errorf("host %d has the priority %s and the configuration\n%s", own, priority, config.Content)
		}
		seen[priority] = true
	}
}

// A configuration that is refused takes nobody's place; a service that runs reads anew, another one starts.
func TestBalancerScript(t *testing.T) {
	const (
		next    = HAProxyConfigFile + BalancerNext
		check   = "haproxy -c -q -f " + next + "\n"
		ready   = "kubectl --kubeconfig /etc/kubernetes/admin.conf --server https://192.0.2.10:8443 --tls-server-name kubernetes --request-timeout 3s get --raw /readyz\n"
		enabled = "systemctl enable --quiet haproxy.service\nsystemctl --quiet is-active haproxy.service\n"
	)
	host := func(t *testing.T, programs map[string]string) *standIns {
		t.Helper()
		all := map[string]string{"systemctl": "", "haproxy": "", "kubectl": "", "journalctl": "echo its last words"}
		for name, text := range programs {
			all[name] = text
		}
		s := newHost(t, all)
		s.put(HAProxyConfigFile, "former")
		s.put(next, "next")
		return s
	}
	t.Run("runs", func(t *testing.T) {
		s := host(t, nil)
		s.wantRun("systemctl daemon-reload\n"+check+enabled+"systemctl reload haproxy.service\n"+ready, ScriptBalancer.Text(), "192.0.2.10:8443", "haproxy")
		s.wantText(HAProxyConfigFile, "next")
		s.wantGone(next)
	})
	t.Run("refused", func(t *testing.T) {
		s := host(t, map[string]string{"haproxy": "echo 'unknown keyword' >&2; exit 1"})
		transcript, ok := s.onHost(ScriptBalancer.Text(), "192.0.2.10:8443", "haproxy")
		if ok || !strings.Contains(transcript, "unknown keyword") || strings.Contains(transcript, "systemctl reload") {
			t.Errorf("ended well %v:\n%s", ok, transcript)
		}
		s.wantText(HAProxyConfigFile, "former")
	})
	t.Run("stopped, and cut off before", func(t *testing.T) {
		s := host(t, map[string]string{"systemctl": `case $* in *is-active*) exit 3 ;; esac`})
		s.remove(next)
		transcript, ok := s.onHost(ScriptBalancer.Text(), "192.0.2.10:8443", "haproxy", "keepalived")
		if !ok || strings.Contains(transcript, "haproxy -c") || !strings.Contains(transcript, "systemctl start haproxy.service\n") || !strings.Contains(transcript, "systemctl start keepalived.service\n") {
			t.Errorf("ended well %v:\n%s", ok, transcript)
		}
	})
	t.Run("does not start", func(t *testing.T) {
		s := host(t, map[string]string{"systemctl": `case $* in *is-active* | start*) exit 3 ;; esac`})
		transcript, ok := s.onHost(ScriptBalancer.Text(), "192.0.2.10:8443", "haproxy")
		if ok || !strings.Contains(transcript, "its last words") || strings.Contains(transcript, "kubectl") {
			t.Errorf("ended well %v:\n%s", ok, transcript)
		}
	})
}

// A reload that left the former process ends the script: the host would go on with a configuration that nobody sees.
func TestBalancerScriptWaitsForReading(t *testing.T) {
	config, _ := HAProxyFiles(balancerOf("192.0.2.10", 0, "192.0.2.11"))
	for answers, ok := range map[string]bool{`grep -o ' string "[0-9a-f]*"' "$S/host/etc/haproxy/haproxy.cfg"`: true, "echo former": false, "exit 124": false} {
		s := newHost(t, map[string]string{
			"systemctl": "", "haproxy": "", "kubectl": "", "journalctl": "echo its last words", "timeout": answers,
			"date": `now=$(($(cat "$S/clock" 2>/dev/null || echo 0) + 9)); echo "$now" >"$S/clock"; echo "$now"`,
		})
		s.put(HAProxyConfigFile+BalancerNext, string(config.Content))
		transcript, ended := s.onHost(ScriptBalancer.Text(), "192.0.2.10:8443", "haproxy")
		if ended != ok || strings.Contains(transcript, "goes on with the former configuration") == ok || strings.Contains(transcript, "kubectl") != ok {
			t.Errorf("%s: ended well %v:\n%s", answers, ended, transcript)
		}
	}
}

// The secret is the same where the key is the same, and tells nothing of it.
func TestBalancerPassword(t *testing.T) {
	secret := func(key string) string {
		s := newHost(t, nil)
		s.put("/etc/kubernetes/pki/ca.key", key)
		s.mkdir("/run/fairlead-balancer")
		if transcript, ok := s.onHost(balancerPasswordScript); !ok || transcript != "$ \n" {
			t.Errorf("ended well %v: %q", ok, transcript)
		}
		s.wantMode("/run/fairlead-balancer/authentication.conf", 0o600)
		return s.text("/run/fairlead-balancer/authentication.conf")
	}
	one := secret("a key\n")
	if lines := strings.Split(one, "\n"); len(lines) != 5 || len(strings.TrimPrefix(lines[2], "\tauth_pass ")) != 8 {
		t.Errorf("it is\n%s", one)
	}
	if one != secret("a key\n") || one == secret("another key\n") {
		t.Error("it is not what the key makes of it")
	}
	s := newHost(t, nil)
	s.mkdir("/run/fairlead-balancer")
	if transcript, ok := s.onHost(balancerPasswordScript); ok {
		t.Errorf("it makes one without a key: %s", transcript)
	}
	if _, err := os.Stat(s.at("/run/fairlead-balancer/authentication.conf")); err == nil {
		t.Error("there is a secret without a key")
	}
}
