package connect

import (
	"errors"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
	"fairlead/provision/remote/sshconfig"
)

// configured has hosts looked up in a configuration.
func configured(t *testing.T, config string) targets {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	remotetest.WriteText(t, path, config)
	return targets{sshconfig.New(sshconfig.Options{Config: path})}
}

// TestInventoryWins: what the inventory says counts, and the rest is ssh's configuration's.
func TestInventoryWins(t *testing.T) {
	where := configured(t, "Host web\nHostName 198.51.100.7\nUser admin\nPort 2200\nIdentityFile /c/id\nCertificateFile /c/cert\nIdentityAgent /c/agent\nIdentitiesOnly yes\n"+
		"HostKeyAlias webby\nUserKnownHostsFile /c/known\nGlobalKnownHostsFile none\nRevokedHostKeys /c/revoked\nAddressFamily inet\n"+
		"Host 192.0.2.1\nUser direct\nHost *\nIdentityFile /all/id\nUserKnownHostsFile /all/known\nGlobalKnownHostsFile none\n")
	web := ssh.Target{
		Name: "w1", Alias: "web", Address: "198.51.100.7", Port: 2200, User: "admin", Network: "tcp4", IdentityFiles: []string{"/c/id", "/all/id"},
		CertificateFiles: []string{"/c/cert"}, Agent: "/c/agent", IdentitiesOnly: true, HostKeyAlias: "webby", KnownHosts: []string{"/c/known"}, RevokedKeys: []string{"/c/revoked"},
	}
	for name, c := range map[string]struct {
		ssh    inventory.SSH
		change func(*ssh.Target)
	}{
		"nothing":  {inventory.SSH{Address: "web"}, func(*ssh.Target) {}},
		"user":     {inventory.SSH{Address: "web", User: "ann"}, func(w *ssh.Target) { w.User = "ann" }},
		"port":     {inventory.SSH{Address: "web", Port: 22}, func(w *ssh.Target) { w.Port = 22 }},
		"key":      {inventory.SSH{Address: "web", IdentityFile: "/i/id"}, func(w *ssh.Target) { w.IdentityFiles = []string{"/i/id"} }},
		"known":    {inventory.SSH{Address: "web", KnownHosts: "/i/known"}, func(w *ssh.Target) { w.KnownHosts = []string{"/i/known"} }},
		"host key": {inventory.SSH{Address: "web", HostKey: "SHA256:x"}, func(w *ssh.Target) { w.HostKey = "SHA256:x" }},
		"no way of its own": {inventory.SSH{}, func(w *ssh.Target) {
			*w = ssh.Target{
				Name: "w1", Alias: "192.0.2.1", Address: "192.0.2.1", Port: 22, User: "direct", IdentityFiles: []string{"/all/id"}, CertificateFiles: []string{},
				KnownHosts: []string{"/all/known"},
			}
		}},
	} {
		want := web
		c.change(&want)
		got, _, err := where.of(t.Context(), inventory.Host{Name: "w1", Address: netip.MustParseAddr("192.0.2.1"), SSH: c.ssh})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, got, want)
		}
	}
}

// TestWithoutSSH: where there is no ssh, the inventory's keys are all there is.
func TestWithoutSSH(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	where := targets{sshconfig.New(sshconfig.Options{})}
	got, _, err := where.of(t.Context(), inventory.Host{Name: "w1", Address: netip.MustParseAddr("192.0.2.1"), SSH: inventory.SSH{Address: "web", IdentityFile: "/id", Jump: []string{"ann@gate"}}})
	gate := ssh.Target{Name: "gate", Alias: "gate", Address: "gate", User: "ann", IdentityFiles: []string{"/id"}, IdentitiesOnly: true}
	if want := (ssh.Target{Name: "w1", Alias: "web", Address: "web", IdentityFiles: []string{"/id"}, IdentitiesOnly: true, Jump: []ssh.Target{gate}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestJumpHosts: the hosts of ProxyJump, each by its own configuration, and the first one's jump hosts before it.
func TestJumpHosts(t *testing.T) {
	where := configured(t, "Host web\nProxyJump one,ann@two:2222,[2001:db8::3]:2203,ssh://four:2204\nHost one\nHostName one.example\nUser gate\nProxyJump zero\n"+
		"Host two\nHostName two.example\nUser other\nPort 22\nProxyJump nowhere\nProxyCommand false\nHost zero\nProxyCommand nc %h %p\nHost chain\nProxyJump web\n"+
		"Host circle\nProxyJump round\nHost round\nProxyJump circle\nHost self\nProxyJump self\nHost bad\nProxyJump wrong\nHost wrong\nPreferredAuthentications password\n"+
		"Host numeric\nProxyJump 192.0.2.9:2209\nHost none\nProxyJump none\n")
	for name, want := range map[string]string{
		"web":     "zero:22 `nc zero 22` gate@one.example:22 ann@two.example:2222 2001:db8::3:2203 four:2204",
		"none":    "",
		"numeric": "192.0.2.9:2209",
		"chain":   "zero:22 `nc zero 22` gate@one.example:22 ann@two.example:2222 2001:db8::3:2203 four:2204 web:22",
		"circle":  "!in a circle",
		"self":    "!loop",
		"bad":     "!jump host wrong: ssh's configuration of wrong has PreferredAuthentications password",
	} {
		target, _, err := where.of(t.Context(), inventory.Host{Name: "w1", SSH: inventory.SSH{Address: name}})
		if problem, fails := strings.CutPrefix(want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), problem) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var hops []string
		for _, hop := range target.Jump {
			text := sshconfig.Question{Name: hop.Address, Port: hop.Port}.String()
			text = strings.NewReplacer("[", "", "]", "").Replace(text)
			if hop.User == "gate" || hop.User == "ann" {
				text = hop.User + "@" + text
			}
			if hop.ProxyCommand != "" {
				text += " `" + hop.ProxyCommand + "`"
			}
			hops = append(hops, text)
		}
		if got := strings.Join(hops, " "); err != nil || got != want || len(hops) > 0 && target.ProxyCommand != "" {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, got, want)
		}
	}
}

// TestGivenJumpHosts: the inventory's key and known hosts count for the jump hosts that it names, a key that ssh's configuration names for one
// comes before that, and nothing of it counts for those that ssh's configuration names.
func TestGivenJumpHosts(t *testing.T) {
	const config = "Host *\nUserKnownHostsFile /c/known\nGlobalKnownHostsFile none\nUser me\n"
	key, known := []string{"/i/id"}, []string{"/i/known"}
	gate := ssh.Target{Name: "gate", Alias: "gate", Address: "gate.example", Port: 2222, User: "bob", KnownHosts: known, IdentityFiles: key, IdentitiesOnly: true, CertificateFiles: []string{}}
	change := func(of ssh.Target, by func(*ssh.Target)) ssh.Target { by(&of); return of }
	inner := change(gate, func(j *ssh.Target) {
		j.Name, j.Alias, j.Address, j.Port, j.User = "fd00::1", "fd00::1", "fd00::1", 22, "me"
	})
	for name, c := range map[string]struct {
		config string
		jump   []string
		want   []ssh.Target
	}{
		"no key named": {"Host gate\nHostName gate.example\nPort 1\n", []string{"bob@gate:2222", "[fd00::1]"}, []ssh.Target{gate, inner}},
		"another named": {"Host gate\nHostName gate.example\nPort 2222\nIdentityFile /c/id\n", []string{"bob@gate"}, []ssh.Target{change(gate, func(j *ssh.Target) {
			j.IdentityFiles, j.IdentitiesOnly = []string{"/c/id"}, false
		})}},
		"before the first": {"Host gate\nHostName gate.example\nProxyJump outer\nHost outer\nIdentityFile /c/id\n", []string{"bob@gate:2222"}, []ssh.Target{change(gate, func(j *ssh.Target) {
			j.Name, j.Alias, j.Address, j.Port, j.User, j.KnownHosts, j.IdentityFiles, j.IdentitiesOnly = "outer", "outer", "outer", 22, "me", []string{"/c/known"}, []string{"/c/id"}, false
		}), gate}},
		"of the configuration": {"Host web\nProxyJump bob@gate\nHost gate\nHostName gate.example\nPort 2222\nIdentityFile /c/id\n", nil, []ssh.Target{change(gate, func(j *ssh.Target) {
			j.KnownHosts, j.IdentityFiles, j.IdentitiesOnly = []string{"/c/known"}, []string{"/c/id"}, false
		})}},
		"none": {"Host web\nProxyJump bob@gate\n", []string{}, nil},
	} {
		host := inventory.Host{Name: "w1", SSH: inventory.SSH{Address: "web", IdentityFile: "/i/id", KnownHosts: "/i/known", Jump: c.jump}}
		got, _, err := configured(t, c.config+config).of(t.Context(), host)
		if err != nil || !reflect.DeepEqual(got.Jump, c.want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, got.Jump, c.want)
		}
	}
}

// TestErrorsOfTheConfiguration are errors of the host that they are about.
func TestErrorsOfTheConfiguration(t *testing.T) {
	where := configured(t, "Nonsense 1\n")
	_, _, err := where.of(t.Context(), inventory.Host{Name: "w1", SSH: inventory.SSH{Address: "web", User: "ann", Port: 2222}})
	var failed *remote.ConnectError
	if !errors.As(err, &failed) || failed.Login != "ann@web:2222" || !strings.HasPrefix(err.Error(), "connect to ann@web:2222: ask ssh for its configuration of web: ") {
		t.Errorf("got %v", err)
	}
}
