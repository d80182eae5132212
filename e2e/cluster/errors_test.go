//go:build cluster

package cluster

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// noticed is how soon a host that does not answer must be reported: fairlead waits four seconds for it. The rest is for a machine
// that has other labs to do with.
const noticed = 8 * time.Second

func testErrors(t *testing.T) {
	s := clusterSite(t)
	for _, c := range []struct {
		name string
		test func(*site)
	}{
		{"Inventory", (*site).wrongInventory},
		{"Frozen", (*site).frozenHost},
		{"WrongAddress", (*site).wrongAddress},
		{"WrongKey", (*site).wrongKey},
		{"SudoRefused", (*site).sudoRefused},
		{"HostileLogins", (*site).hostileLogins},
		{"UnknownHostKey", (*site).unknownHostKey},
		{"ChangedHostKey", (*site).changedHostKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.sub(t)
			s.inventory(usual())
			c.test(s)
		})
	}
	// What follows happens on a host of its own, as its only control plane.
	s.add("x1")
	for _, c := range []struct {
		name string
		test func(*site)
	}{
		{"Sessions", (*site).tooFewSessions},
		{"Forwarding", (*site).noWayToTheAPI},
		{"UnsupportedOS", (*site).unsupportedOS},
		{"DiskTooSmall", (*site).diskTooSmall},
		{"WrongArchitecture", (*site).wrongArchitecture},
		{"CorruptBundle", (*site).corruptBundle},
		{"NoSpaceLeft", (*site).noSpaceLeft},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.sub(t)
			options := usual()
			options.ControlPlanes, options.Workers = []string{"x1"}, nil
			s.inventory(options)
			c.test(s)
		})
	}
}

// wrongInventory: everything that is wrong is reported at once with its place, and the
// code is that of a wrong file.
func (s *site) wrongInventory() {
	s.edit("schedulable: false", "schedulabel: false", "podSubnet: 10.244.0.0/16", "podSubnet: 10.244.0.0/33")
	for _, command := range []string{"up", "plan", "check"} {
		s.fairlead(command).exits(2).says(s.file+":", "schedulabel", "podSubnet", "2 problems")
	}
}

// othersGoOn runs up while w2 cannot be used and w1 has drifted: w2 is reported soon, w1 is
// repaired all the same. It returns the run in text form.
func (s *site) othersGoOn() outcome {
	s.t.Helper()
	s.shell("w1", "echo 0 >/proc/sys/net/ipv4/ip_forward")
	o := s.fairlead("up", "--output", "json").exits(1)
	var reported time.Time
	for _, e := range o.events() {
		if e.Kind == "observed" && e.Host == "w2" && e.Error != "" && reported.IsZero() {
			reported = e.Time
		}
	}
	if reported.IsZero() || reported.Sub(o.begin) > noticed {
		s.t.Errorf("w2 was reported after %v (event at %v)", reported.Sub(o.begin), reported)
	}
	if is := s.shell("w1", "cat /proc/sys/net/ipv4/ip_forward"); is != "1" {
		s.t.Errorf("w1 was not repaired: ip_forward is %s", is)
	}
	return o
}

// frozenHost: w2 takes connections and never says a word.
func (s *site) frozenHost() {
	if err := s.lab.Pause(s.ctx, "w2"); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := s.lab.Unpause(s.ctx, "w2"); err != nil {
			s.t.Error(err)
		}
		s.eventually("w2 Ready again", 2*time.Minute, func() string {
			if !s.nodes()["w2"].ready() {
				return "it is not"
			}
			return ""
		})
	})
	s.othersGoOn().saysOf("w2", "error: w2", s.address("w2"), "hint: is the host up")
}

// wrongAddress: nothing has the address of the inventory.
func (s *site) wrongAddress() {
	nowhere := s.address("w2")[:strings.LastIndex(s.address("w2"), ".")] + ".251"
	s.edit("address: "+s.address("w2"), "address: "+nowhere)
	s.othersGoOn().saysOf("w2", "error: w2", nowhere, "hint: is the host up")
}

func (s *site) wrongKey() {
	key := filepath.Join(s.home, "other_key")
	if out, err := exec.CommandContext(s.ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	s.edit(strconv.Quote(s.lab.IdentityFile()), strconv.Quote(key))
	s.fairlead("up").exits(1).saysOf("cp1", "error: cp1, w1, w2: login refused", key, "hint: for cp1: try to log in by hand: ssh")
}

// sudoRefused: the login of w1 may not become root.
func (s *site) sudoRefused() {
	s.shell("w1", `id powerless >/dev/null 2>&1 || useradd --create-home powerless
		install -d -m 700 -o powerless /home/powerless/.ssh
		install -m 600 -o powerless /home/fairlead/.ssh/authorized_keys /home/powerless/.ssh/authorized_keys`)
	s.t.Cleanup(func() { s.shell("w1", "userdel --remove powerless 2>/dev/null") })
	s.edit("{name: w1, address: "+s.address("w1")+"}", "{name: w1, address: "+s.address("w1")+", ssh: {user: powerless}}")
	s.fairlead("up").exits(1).saysOf("w1", "error: w1", "sudo", "hint: set ssh.sudo.password", "let powerless become root without a password", "/etc/sudoers.d/")
}

func (s *site) unknownHostKey() {
	known := filepath.Join(s.home, "known_hosts")
	s.write(known, "")
	s.edit(strconv.Quote(s.lab.KnownHosts()), strconv.Quote(known))
	fingerprint := s.shell("w1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2")
	s.fairlead("up").exits(1).saysOf("cp1", "error: cp1, w1, w2: the SSH host key is not known here yet", "fairlead trust")
	s.fairlead("trust", "w1").exits(1).saysOf("w1", fingerprint, "  new")
	if text := s.read(known); text != "" {
		s.t.Errorf("fairlead wrote into known_hosts: %s", text)
	}
	s.fairlead("trust", "--yes").exits(0).saysOf("w1", fingerprint, "  new")
	s.fairlead("trust").exits(0).saysOf("w1", fingerprint, "known ("+known+":")
}

// changedHostKey: known_hosts has w2's keys for w1.
func (s *site) changedHostKey() {
	known := filepath.Join(s.home, "known_hosts")
	var text strings.Builder
	text.WriteString("# two keys are wrong\n")
	line := 0
	for entry := range strings.Lines(s.read(s.lab.KnownHosts())) {
		address, key, _ := strings.Cut(entry, " ")
		switch address {
		case s.address("w1"):
			continue
		case s.address("w2"):
			text.WriteString(s.address("w1") + " " + key)
			if strings.HasPrefix(key, "ssh-ed25519") {
				line = strings.Count(text.String(), "\n")
			}
		}
		text.WriteString(entry)
	}
	s.write(known, text.String())
	s.edit(strconv.Quote(s.lab.KnownHosts()), strconv.Quote(known))
	fingerprint := s.shell("w1", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2")
	s.fairlead("up").exits(1).saysOf("w1", "error: w1", fingerprint, known+":"+strconv.Itoa(line), "ssh-keygen -R", "somebody may be in between").
		saysNot("error: w2", "error: cp1")
}
