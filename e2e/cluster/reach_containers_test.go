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

// testReachContainers: hosts are reached as containers of an engine, without SSH: found, made a cluster, joined to, reset and made again.
func testReachContainers(t *testing.T, engine string) {
	hosts := []string{"cp1", "w1", "w2"}
	s := engineSite(t, engine, hosts...)
	for _, host := range hosts {
		s.shell(host, "systemctl stop ssh") // which nobody needs
	}
	t.Run("Way", func(t *testing.T) { s.sub(t).wayIntoContainer(engine, "w2") })
	t.Run("Found", func(t *testing.T) { s.sub(t).findContainers(engine, hosts...) })

	s.inContainers(engine, "cp1", "w1")
	before := s.snapshots(hosts...)
	s.planned(3).says("initialise the first control plane")
	s.mustUp()
	s.settled()
	s.wantNodes("cp1", "w1")
	s.fairlead("up").exits(0).says("nothing to do")
	s.planned(0)

	s.fairlead("join", "w2", "--container", s.labHost("w2").Container).exits(0).says("added w2 (worker, " + s.address("w2") + ")")
	s.wantNodes("cp1", "w1", "w2")
	s.planned(0)

	s.fairlead("reset", "--yes").exits(0)
	s.restored(before)
	s.mustUp()
	s.wantNodes("cp1", "w1", "w2")
	s.planned(0)
	for _, host := range hosts {
		if out := s.shell(host, "grep -c Accepted /var/log/sshd.log || :"); out != "0" {
			t.Errorf("%s: %s logins by SSH, want none", host, out)
		}
	}
}

// engineSite makes new hosts that are containers of an engine, until the test ends.
func engineSite(t *testing.T, engine string, hosts ...string) *site {
	t.Helper()
	if engine == container.Docker { // as all labs' are
		s := freshSite(t, hosts...)
		t.Cleanup(func() { shared.up = false })
		return s
	}
	if err := lab.Down(shared.ctx, shared.options); err != nil { // of Docker's, which has the same network
		t.Fatal(err)
	}
	return otherSite(t, func(options *lab.Options) { options.Client = engine }, hosts...)
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
func (s *site) inContainers(engine, controlPlane, worker string) {
	s.t.Helper()
	s.inventory(lab.InventoryOptions{ControlPlanes: []string{controlPlane}, Workers: []string{worker}, Bundle: shared.bundle})
	begin, rest, _ := strings.Cut(s.read(s.file), "ssh:\n")
	for strings.HasPrefix(rest, "  ") {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	s.write(s.file, begin+"ssh: {transport: "+engine+"}\n"+rest)
	for _, name := range []string{controlPlane, worker} {
		host := s.labHost(name)
		line := "{name: " + name + ", address: " + host.Address.String()
		s.edit(line+"}", line+", ssh: {container: "+host.Container+"}}")
	}
}

// findContainers has init write what containers with a label there are.
func (s *site) findContainers(engine string, hosts ...string) {
	s.t.Helper()
	if err := os.Remove(s.file); err != nil {
		s.t.Fatal(err)
	}
	s.fairlead("init", "--from", engine+":label=fairlead.lab="+shared.options.Name).exits(0)
	text := s.read(s.file)
	for _, name := range hosts {
		host := s.labHost(name)
		if line := "    - {name: " + host.Container + ", address: " + host.Address.String() + "}\n"; !strings.Contains(text, line) {
			s.t.Errorf("%q is missing in\n%s", line, text)
		}
	}
	if !strings.Contains(text, "\n  transport: "+engine+"\n") {
		s.t.Errorf("no transport in\n%s", text)
	}
}

// wayIntoContainer holds the real client to what its stand-in is held to by the tests of packages: outputs and exit codes, the end of a command that is
// given up, connections by bash, and the loss of a container that starts anew.
func (s *site) wayIntoContainer(engine, name string) {
	s.t.Helper()
	host := s.labHost(name)
	dialer, target := container.NewDialer(container.Options{}), container.Target{Name: name, Engine: engine, Container: host.Container}
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
	if err := h.Alive(); !errors.Is(err, remote.ErrLost) || !strings.Contains(err.Error(), engine+" container "+host.Container) {
		s.t.Errorf("a container that stops: %v", err)
	}
	if _, err := dialer.Dial(s.ctx, target); !errors.Is(err, remote.ErrUnreachable) || !strings.Contains(err.Error(), "start it: "+engine+" start "+host.Container) {
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
