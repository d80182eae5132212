//go:build cluster

package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fairlead/e2e/lab"
)

// reach is how one host of a cluster is reached: what is done to it as root, and the ssh of its line in the inventory. BASTION is the
// address of the host through which others are reached, HOME the folder of the inventory, FORWARDED a port of this machine that leads to the host.
type reach struct {
	host, how    string
	prepare, ssh string
}

// reachPassword is what sudo asks for on one of the hosts, reachPassphrase what the key of another one is locked with.
const reachPassword, reachPassphrase = "correct horse 'battery\" $staple", "a phrase, twice"

// reaches are ways to hosts that differ in one thing of each kind: the way itself, the login shell, the key, root's rights, sshd's limits.
func reaches() []reach {
	const onlyThroughBastion = "iptables -w -A INPUT -p tcp --dport 22 ! -s BASTION -j DROP; "
	return []reach{
		{"cp1", "sshd forwards nothing, and the API server is reached straight", "echo 'AllowTcpForwarding no' >/etc/ssh/sshd_config.d/a.conf", ""},
		{
			"w1", "ssh.jump, fish, sudo with a password",
			onlyThroughBastion + "usermod -s /usr/bin/fish fairlead; printf '%s\n' 'fairlead:" + strings.ReplaceAll(reachPassword, "'", `'\''`) + "' | chpasswd; " +
				"echo 'fairlead ALL=(ALL) ALL' >/etc/sudoers.d/fairlead",
			"jump: fairlead@BASTION, sudo: {password: {file: HOME/password}}",
		},
		{
			"w2", "an alias with ProxyJump, tcsh, a certificate",
			onlyThroughBastion + "usermod -s /usr/bin/tcsh fairlead; rm /home/fairlead/.ssh/authorized_keys; " +
				"echo 'TrustedUserCAKeys /etc/ssh/users.pub' >/etc/ssh/sshd_config.d/a.conf",
			"address: inner, identityFile: HOME/certified",
		},
		{
			"w3", "no sftp, doas",
			"sed -i 's/^Subsystem/#&/' /etc/ssh/sshd_config; mv /usr/bin/sudo /usr/bin/sudo.away; printf 'permit nopass fairlead\n' >/etc/doas.conf",
			"",
		},
		{
			"w4", "a forwarded port of this machine, few sessions, an encrypted key", "echo 'MaxSessions 4' >/etc/ssh/sshd_config.d/a.conf",
			"address: 127.0.0.1, port: FORWARDED, identityFile: HOME/locked",
		},
	}
}

// testReach makes a cluster of hosts each of which is reached in a way of its own, and takes it away again.
func testReach(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2", "w3", "w4"}
	s := freshSite(t, append(hosts, "bastion")...)
	s.inventory(lab.InventoryOptions{ControlPlanes: hosts[:1], Workers: hosts[1:], Bundle: shared.bundle})
	s.reachKeys()
	s.edit(strconv.Quote(s.lab.KnownHosts()), strconv.Quote(filepath.Join(s.home, "known_hosts")))
	places := strings.NewReplacer("BASTION", s.address("bastion"), "HOME", s.home, "FORWARDED", s.forwarded("w4"))
	for _, r := range reaches() {
		t.Logf("%s: %s", r.host, r.how)
		s.shell(r.host, places.Replace(r.prepare)+"; sshd -t; systemctl reload ssh")
		if r.ssh != "" {
			line := "{name: " + r.host + ", address: " + s.address(r.host)
			s.edit(line+"}", line+", ssh: {"+places.Replace(r.ssh)+"}}")
		}
	}
	before := s.snapshots(hosts...)
	t.Run("Trust", func(t *testing.T) { s.sub(t).trustThroughBastion() })
	t.Run("Prompt", func(t *testing.T) { s.sub(t).wantPassphraseAskedOnce() })
	s.env = append(s.env, "SSH_AUTH_SOCK="+s.agentWith("unlocked"))
	t.Run("Sessions", func(t *testing.T) {
		s := s.sub(t)
		s.shell("w4", "sed -i 's/4/1/' /etc/ssh/sshd_config.d/a.conf; systemctl reload ssh")
		s.fairlead("check").exits(1).saysOf("w4", "MaxSessions", "sshd allows 1 session")
		s.shell("w4", "sed -i 's/1/4/' /etc/ssh/sshd_config.d/a.conf; systemctl reload ssh")
	})
	t.Run("Up", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("check").exits(0)
		s.mustUp()
		s.wantNodes(hosts...)
		s.planned(0)
	})
	t.Run("BastionGone", func(t *testing.T) { s.sub(t).wantBastionNamedOnce() })
	t.Run("Reset", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("reset", "--yes").exits(0)
		s.restoredBut(before, "/home/fairlead", "/var/lib/sudo") // what login shells and sudo keep for themselves
	})
	for _, secret := range []string{reachPassword, reachPassphrase} {
		s.notOnLaptop(secret)
	}
}

// reachKeys makes the keys of those who log in, gives them to the hosts, and writes the laptop's configuration of ssh.
func (s *site) reachKeys() {
	s.t.Helper()
	key := func(args ...string) {
		s.t.Helper()
		if out, err := exec.CommandContext(s.ctx, "ssh-keygen", append([]string{"-q"}, args...)...).CombinedOutput(); err != nil {
			s.t.Fatalf("ssh-keygen %v: %v: %s", args, err, out)
		}
	}
	path := func(name string) string { return filepath.Join(s.home, name) }
	key("-t", "ed25519", "-N", "", "-f", path("users"))
	key("-t", "ed25519", "-N", "", "-f", path("certified"))
	key("-s", path("users"), "-I", "reach", "-n", lab.User, path("certified.pub"))
	key("-t", "ed25519", "-N", "", "-f", path("unlocked"))
	s.write(path("locked"), s.read(path("unlocked")))
	key("-p", "-P", "", "-N", reachPassphrase, "-f", path("locked"))
	s.write(path("locked.pub"), s.read(path("unlocked.pub")))
	s.write(path("password"), reachPassword+"\n")
	s.put("w2", "/etc/ssh/users.pub", strings.NewReader(s.read(path("users.pub"))))
	s.put("w4", "/home/fairlead/.ssh/authorized_keys", strings.NewReader(s.read(path("unlocked.pub"))))

	known := strconv.Quote(path("known_hosts"))
	s.write(path("ssh_config"), "Host inner\n  HostName "+s.address("w2")+"\n  ProxyJump bastion\n"+
		"Host bastion\n  HostName "+s.address("bastion")+"\n  User "+lab.User+"\n  IdentityFile "+strconv.Quote(s.lab.IdentityFile())+"\n"+
		"Host *\n  UserKnownHostsFile "+known+"\n")
	s.configureSSH(path("ssh_config"))
}

// configureSSH has the ssh that fairlead finds read that configuration: it takes no home folder from the environment.
func (s *site) configureSSH(config string) {
	s.t.Helper()
	real, err := exec.LookPath("ssh")
	if err != nil {
		s.t.Fatal(err)
	}
	folder := filepath.Join(s.home, "bin")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		s.t.Fatal(err)
	}
	script := "#!/bin/sh\nexec " + real + " -F '" + config + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(folder, "ssh"), []byte(script), 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.env = append(s.env, "PATH="+folder+":"+os.Getenv("PATH"))
}

// agentWith starts an agent that holds a key of the site until the test ends.
func (s *site) agentWith(key string) (socket string) {
	s.t.Helper()
	socket = filepath.Join(s.home, "agent")
	agent := exec.CommandContext(s.ctx, "ssh-agent", "-D", "-a", socket)
	if err := agent.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := agent.Process.Kill(); err != nil {
			s.t.Error(err)
		}
		_ = agent.Wait() // it was killed
	})
	s.eventually("agent", agentTime, func() string {
		add := exec.CommandContext(s.ctx, "ssh-add", "-q", filepath.Join(s.home, key))
		add.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
		out, err := add.CombinedOutput()
		return string(out) + errorText(err)
	})
	return socket
}

// trustThroughBastion makes hosts known of which nobody knows a key yet: first the bastion and those that need none, and then those behind it.
func (s *site) trustThroughBastion() {
	s.t.Helper()
	known := filepath.Join(s.home, "known_hosts")
	s.fairlead("check").exits(1).says("fairlead trust")
	s.fairlead("trust").exits(1) // there is no terminal
	if _, err := os.Stat(known); err == nil {
		s.t.Fatalf("keys were written that nobody has confirmed:\n%s", s.read(known))
	}
	s.fairlead("trust", "--yes").exits(1).says(s.address("bastion"), "127.0.0.1:", "fairlead trust")
	s.fairlead("trust", "--yes").exits(0)
	// Each key is that of the host itself, whichever way it was read.
	text := s.read(known)
	for _, host := range []string{"cp1", "w1", "w2", "w3", "w4", "bastion"} {
		key := strings.Fields(s.shell(host, "cat /etc/ssh/ssh_host_ed25519_key.pub"))[1]
		if strings.Count(text, key) != 1 {
			s.t.Errorf("the key of %s, %s, stands in known_hosts %d times:\n%s", host, key, strings.Count(text, key), text)
		}
	}
	o := s.fairlead("trust").exits(0)
	if strings.Count(o.stdout, " known (") < 5 {
		s.t.Errorf("not all are known:\n%s", o.stdout)
	}
	s.t.Log(o.stdout)
}

// wantPassphraseAskedOnce looks at all hosts on a terminal, without an agent.
func (s *site) wantPassphraseAskedOnce() {
	s.t.Helper()
	const question = "assphrase"
	screen, code := s.onTerminal(question, reachPassphrase+"\n", "check")
	if code != 0 || strings.Count(strings.ToLower(screen), question) != 1 || strings.Contains(screen, reachPassphrase) {
		s.t.Errorf("check: exit %d; the screen:\n%s", code, screen)
	}
	s.fairlead("check").exits(1).saysOf("w4", "locked is encrypted", "ssh-add") // there is no terminal
}

// wantBastionNamedOnce: a bastion that is away is one cause, and those behind it are named with it.
func (s *site) wantBastionNamedOnce() {
	s.t.Helper()
	if err := s.lab.Pause(s.ctx, "bastion"); err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := s.lab.Unpause(s.ctx, "bastion"); err != nil {
			s.t.Fatal(err)
		}
	}()
	o := s.fairlead("check").exits(1).says("jump host", s.address("bastion"), "w1", "w2")
	if o.took > hostileTime {
		s.t.Errorf("check took %s", o.took)
	}
}
