//go:build cluster

package cluster

import (
	"bufio"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/lab"
	"fairlead/provision/remote"
	"fairlead/provision/remote/container"
)

// TestReachContainers: hosts are reached as containers of Docker's, without SSH: found, made a cluster, joined to, reset and made again.
func TestReachContainers(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := freshSite(t, hosts...)
	t.Cleanup(func() { shared.up = false })
	for _, host := range hosts {
		s.shell(host, "systemctl stop ssh") // which nobody needs
	}
	t.Run("Way", func(t *testing.T) { s.sub(t).wayIntoContainer("w2") })
	t.Run("Found", func(t *testing.T) { s.sub(t).findContainers(hosts...) })

	s.inContainers("cp1", "w1")
	before := s.snapshots(hosts...)
	s.planned(3).says("initialise the first control plane")
	s.mustUp()
	s.settled()
	s.wantNodes("cp1", "w1")
	s.fairlead("up").exits(0).says("nothing to do")
	s.planned(0)

	// The container's name is the host's where nothing else is said.
	w2 := s.labHost("w2")
	s.fairlead("join", w2.Container, "--address", w2.Address.String()).exits(0)
	s.wantNodes("cp1", "w1", w2.Container)
	s.planned(0)

	s.fairlead("reset", "--yes").exits(0)
	s.restored(before)
	s.mustUp()
	s.wantNodes("cp1", "w1", w2.Container)
	s.planned(0)
	for _, host := range hosts {
		if out := s.shell(host, "grep -c Accepted /var/log/sshd.log || :"); out != "0" {
			t.Errorf("%s: %s logins by SSH, want none", host, out)
		}
	}
}

// labHost is a host of the lab.
func (s *site) labHost(name string) lab.Host {
	s.t.Helper()
	host, err := s.lab.Host(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return host
}

// inContainers writes the inventory of a control plane and a worker, which are containers.
func (s *site) inContainers(controlPlane, worker string) {
	s.t.Helper()
	s.inventory(lab.InventoryOptions{ControlPlanes: []string{controlPlane}, Workers: []string{worker}, Bundle: shared.bundle})
	begin, rest, _ := strings.Cut(s.read(s.file), "ssh:\n")
	for strings.HasPrefix(rest, "  ") {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	s.write(s.file, begin+"ssh: {transport: docker}\n"+rest)
	for _, name := range []string{controlPlane, worker} {
		host := s.labHost(name)
		line := "{name: " + name + ", address: " + host.Address.String()
		s.edit(line+"}", line+", ssh: {container: "+host.Container+"}}")
	}
}

// findContainers has init write what containers with a label there are.
func (s *site) findContainers(hosts ...string) {
	s.t.Helper()
	if err := os.Remove(s.file); err != nil {
		s.t.Fatal(err)
	}
	s.fairlead("init", "--from", "docker:label=fairlead.lab="+shared.options.Name).exits(0)
	text := s.read(s.file)
	for _, name := range hosts {
		host := s.labHost(name)
		if line := "    - {name: " + host.Container + ", address: " + host.Address.String() + "}\n"; !strings.Contains(text, line) {
			s.t.Errorf("%q is missing in\n%s", line, text)
		}
	}
	if !strings.Contains(text, "\n  transport: docker\n") {
		s.t.Errorf("no transport in\n%s", text)
	}
}

// wayIntoContainer holds the real client to what its stand-in is held to by the tests of packages: outputs and exit codes, the end of a command that is
// given up, connections by bash, and the loss of a container that starts anew.
func (s *site) wayIntoContainer(name string) {
	s.t.Helper()
	host := s.labHost(name)
	dialer, target := container.NewDialer(container.Options{}), container.Target{Name: name, Engine: container.Docker, Container: host.Container}
	h, err := dialer.Dial(s.ctx, target)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	r, err := h.Run(s.ctx, remote.Command{Script: "id -u; hostname; echo bad >&2; exit $1", Argv: []string{"137"}, Root: true})
	var exit *remote.ExitError
	if !errors.As(err, &exit) || exit.Code != 137 || string(r.Stdout) != "0\n"+name+"\n" || string(r.Stderr) != "bad\n" {
		s.t.Errorf("%q, %q, %v", r.Stdout, r.Stderr, err)
	}
	if err := h.Alive(); err != nil {
		s.t.Fatalf("a command that ends with 137: %v", err)
	}

	ctx, cancel := context.WithCancel(s.ctx)
	if _, err := h.Run(ctx, remote.Command{Script: "echo here; sleep 98765; sleep 98765", OnLine: func(string) { cancel() }}); !errors.Is(err, context.Canceled) {
		s.t.Errorf("a command that is given up: %v", err)
	}
	if out := s.shell(name, "pgrep -x -f 'sleep 98765' || echo none"); out != "none" {
		s.t.Errorf("processes %s of a command that was given up go on", out)
	}

	s.shell(name, "systemd-run --unit greeter /bin/sh -c 'while :; do echo hello | socat -u STDIN TCP-LISTEN:7777,bind=127.0.0.1; done'")
	s.eventually("a connection by bash", 2*time.Minute, func() string {
		conn, err := h.DialContext(s.ctx, "tcp", "127.0.0.1:7777")
		if err != nil {
			return err.Error()
		}
		defer conn.Close()
		if line, err := bufio.NewReader(conn).ReadString('\n'); line != "hello\n" {
			s.t.Errorf("it says %q, %v", line, err)
		}
		return ""
	})
	s.shell(name, "systemctl stop greeter")

	if err := s.lab.Stop(s.ctx, name); err != nil {
		s.t.Fatal(err)
	}
	<-h.Done()
	// Its processes end before the engine calls it stopped, so that either may be said.
	if err := h.Alive(); !errors.Is(err, remote.ErrLost) || !strings.Contains(err.Error(), "docker container "+host.Container) {
		s.t.Errorf("a container that stops: %v", err)
	}
	if _, err := dialer.Dial(s.ctx, target); !errors.Is(err, remote.ErrUnreachable) || !strings.Contains(err.Error(), "start it: docker start "+host.Container) {
		s.t.Errorf("a container that has stopped: %v", err)
	}
	if err := s.lab.Start(s.ctx, name); err != nil {
		s.t.Fatal(err)
	}
	again, err := dialer.Dial(s.ctx, target)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		s.t.Error(err)
	}
	s.shell(name, "systemctl stop ssh")
}
