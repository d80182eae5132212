package connect

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
	"fairlead/provision/remote/sshconfig"
)

// toSSHD makes a host of the inventory one that sshd lets in.
func toSSHD(t *testing.T, host *inventory.Host, sshd *remotetest.Server) {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	host.SSH = inventory.SSH{User: u.Username, Port: sshd.Port, IdentityFile: sshd.Identity, HostKey: remotetest.KeyText(sshd.HostKeys["ed25519"])}
}

// nothing is what ssh's configuration says in these tests, whoever runs them.
func nothing() sshconfig.Options { return sshconfig.Options{Config: "none"} }

// Two hosts are reached as the inventory says, each by one login, and left at the end.
func TestRealHosts(t *testing.T) {
	cluster := lab("cp1", "cp2", "here")
	hosts := cluster.ControlPlane.Hosts
	servers := map[string]*remotetest.Server{"cp1": remotetest.StartSSHD(t, "SetEnv WHO=first"), "cp2": remotetest.StartSSHD(t, "SetEnv WHO=second")}
	toSSHD(t, &hosts[0], servers["cp1"])
	toSSHD(t, &hosts[1], servers["cp2"])
	known := filepath.Join(t.TempDir(), "known")
	remotetest.WriteText(t, known, "* "+hosts[1].SSH.HostKey+"\n")
	hosts[1].SSH.HostKey, hosts[1].SSH.KnownHosts = "", known
	hosts[2].SSH.Transport = inventory.TransportLocal
	t.Setenv("WHO", "not told")

	log, logged := remotetest.DebugLog()
	c := New(cluster, ssh.Options{Log: log}, nothing())
	var all []*remote.Host
	for range 2 {
		for name, want := range map[string]string{"cp1": "first", "cp2": "second", "here": ""} {
			host := get(t, c, name)
			result, err := host.Run(t.Context(), remote.Command{Script: `printf %s "${WHO:-}"`})
			if err != nil || string(result.Stdout) != want || host.Name() != name {
				t.Errorf("%s (%s) says %q, %v", name, host.Name(), result.Stdout, err)
			}
			all = append(all, host)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	for _, host := range all {
		if host.Alive() == nil {
			t.Errorf("%s is still connected", host.Name())
		}
	}
	for name, server := range servers {
		if n := strings.Count(server.Log.String(), "Accepted publickey"); n != 1 {
			t.Errorf("%s had %d logins", name, n)
		}
	}
	if text := logged.String(); !strings.Contains(text, "host=cp1") || !strings.Contains(text, "host=here") {
		t.Errorf("the log does not name the hosts: %s", text)
	}
}

// A host that is not let in, or does not answer, is an error of its kind and nothing that is kept.
func TestHostsThatAreNotReached(t *testing.T) {
	sshd := remotetest.StartSSHD(t)
	stranger := remotetest.KeyText(remotetest.NewPublic(t))
	for _, c := range []struct {
		name   string
		change func(*inventory.SSH)
		want   error
	}{
		{"another key", func(s *inventory.SSH) { s.HostKey = stranger }, remote.ErrHostKey},
		{"no known key", func(s *inventory.SSH) { s.HostKey, s.KnownHosts = "", "/nonexistent" }, remote.ErrHostKey},
		{"another user", func(s *inventory.SSH) { s.User = "nobody-of-that-name" }, remote.ErrAuth},
		{"nobody listens", func(s *inventory.SSH) { s.Port = remotetest.RefusingPort(t) }, remote.ErrUnreachable},
	} {
		cluster := lab("cp1", "cp2")
		for i := range cluster.ControlPlane.Hosts {
			toSSHD(t, &cluster.ControlPlane.Hosts[i], sshd)
		}
		c.change(&cluster.ControlPlane.Hosts[0].SSH)
		connections := New(cluster, ssh.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, nothing())
		if host, err := connections.Host(t.Context(), "cp1"); host != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		get(t, connections, "cp2") // which the other does not keep from being reached
		if err := connections.Close(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	cluster := lab("cp1")
	toSSHD(t, &cluster.ControlPlane.Hosts[0], sshd)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(cluster, ssh.Options{Log: slog.New(slog.DiscardHandler)}, nothing()).Host(ctx, "cp1"); !errors.Is(err, context.Canceled) {
		t.Errorf("dialled after the end of the run: %v", err)
	}
}

// A host that is a container is reached through its engine's client, in the context that the inventory says; after it was replaced it is
// another host.
func TestContainers(t *testing.T) {
	engine := remotetest.NewEngine(t, inventory.TransportPodman, "--connection", "")
	engine.Run("node-1", strings.Repeat("0123456789abcdef", 4), nil)
	t.Setenv("PATH", engine.Path+":"+os.Getenv("PATH"))
	cluster := lab("cp1")
	cluster.ControlPlane.Hosts[0].SSH = inventory.SSH{Transport: inventory.TransportPodman, Container: "node-1", Context: "lab"}
	c := New(cluster, ssh.Options{Log: slog.New(slog.DiscardHandler)}, nothing())
	host := get(t, c, "cp1")
	if result, err := host.Run(t.Context(), remote.Command{Argv: []string{"echo", "here"}}); err != nil || string(result.Stdout) != "here\n" || host.Name() != "cp1" || host.User() != "root" {
		t.Errorf("%s as %s says %q, %v", host.Name(), host.User(), result.Stdout, err)
	}
	for _, call := range engine.Calls() {
		if !strings.HasPrefix(call, "--connection lab ") {
			t.Errorf("podman %s", call)
		}
	}
	engine.Remove("node-1", strings.Repeat("fedcba9876543210", 4))
	<-host.Done()
	if _, err := c.Host(t.Context(), "cp1"); !errors.Is(err, remote.ErrHostKey) {
		t.Errorf("another container of that name: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
