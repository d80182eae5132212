//go:build cluster

package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/e2e/lab"
)

// vagrantHosts are the machines, with what Vagrant has made of /etc/hosts in one guest or another.
func vagrantHosts() map[string]string {
	return map[string]string{
		"cp1": `127.0.2.1 cp1 cp1\n127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n`,
		"w1":  `127.0.0.1\tlocalhost\n127.0.1.1\tw1.example.org\tw1\n::1 localhost ip6-localhost\n`,
		"w2":  `127.0.0.1 w2 w2\n`,
	}
}

// testReachVagrant: Vagrant's machines become a cluster by what Vagrant and they themselves say.
func testReachVagrant(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := freshSite(t, hosts...)
	t.Cleanup(func() { shared.up = false })
	v := s.makeVagrants(vagrantHosts())
	v.install("w3")
	if err := os.Remove(s.file); err != nil { // which every site has
		t.Fatal(err)
	}
	v.initFromVagrant()
	before := s.snapshots(hosts...)

	t.Run("Check", func(t *testing.T) { s.sub(t).wantTrapsFound() })
	t.Run("Saved", func(t *testing.T) { v.of(t).wantSameFromSaved(hosts) })
	s.planned(3).says("initialise the first control plane")
	s.mustUp()
	s.settled()
	s.wantNodes(hosts...)
	t.Run("Addresses", func(t *testing.T) { s.sub(t).wantPrivateAddresses(hosts) })
	t.Run("Network", func(t *testing.T) { s.sub(t).wantNetwork() })
	t.Run("Kubeconfig", func(t *testing.T) { s.sub(t).wantKubeconfig() })
	t.Run("Kubectl", func(t *testing.T) {
		s := s.sub(t)
		if is := strings.Fields(s.throughSSH("get", "nodes", "--output", "name")); len(is) != len(hosts) {
			t.Errorf("fairlead kubectl sees the nodes %v", is)
		}
	})
	t.Run("Empty", func(t *testing.T) {
		s := s.sub(t)
		s.planned(0).says("plan is empty")
		s.fairlead("up").exits(0).says("nothing to do")
	})
	t.Run("Localhost", func(t *testing.T) { s.sub(t).wantLocalhostToMatter() })
	t.Run("Ports", func(t *testing.T) { v.of(t).wantPortsExchanged("cp1", "w1") })
	t.Run("Reset", func(t *testing.T) {
		s := s.sub(t)
		s.fairlead("reset", "--yes").exits(0)
		s.restoredBut(before, "/home/vagrant", "/var/lib/sudo") // what login shells and sudo keep for themselves
	})
}

// of is the machines for a subtest.
func (v *vagrants) of(t *testing.T) *vagrants {
	copied := *v
	copied.site = v.sub(t)
	return &copied
}

// initFromVagrant writes the inventory by Vagrant, with what any lab needs in its part of Kubernetes.
func (v *vagrants) initFromVagrant() {
	v.t.Helper()
	v.fairlead("init", "--from", "vagrant").exits(0).says("left out w3: it does not run (poweroff)")
	made := v.read(v.file)
	for _, want := range []string{"#   w3: left out: it does not run (poweroff)\n", "#   " + lab.NATAddress + ": is an address of cp1, w1, w2 alike"} {
		if !strings.Contains(made, want) {
			v.t.Errorf("no %q in\n%s", want, made)
		}
	}
	for name, f := range v.forwards {
		way := "ssh: {address: 127.0.0.1, "
		if !strings.Contains(made, "\n  port: "+f.port+"\n") { // which is that of all
			way += "port: " + f.port + ", "
		}
		line := "    - {name: " + name + ", address: " + v.address(name) + ", " + way + "identityFile: " + v.key(name) + `, hostKey: "ssh-ed25519 `
		if !strings.Contains(made, line) {
			v.t.Errorf("no %q in\n%s", line, made)
		}
	}
	needs, err := v.lab.Inventory(usual())
	if err != nil {
		v.t.Fatal(err)
	}
	_, needs, _ = strings.Cut(needs, "kubernetes:\n")
	needs, rest, _ := strings.Cut(needs, "ssh:\n")
	begin, after, found := strings.Cut(made, "kubernetes:\n")
	_, after, ends := strings.Cut(after, "\n\n")
	if !found || !ends {
		v.t.Fatalf("no part of Kubernetes in\n%s", made)
	}
	made = begin + "kubernetes:\n" + needs + "\n" + after
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "ignorePreflight:") {
			made += line
		}
	}
	v.write(v.file, made)
}

// wantPrivateAddresses looks at all that has the address of a node: kubelets, the API server, etcd and flannel.
func (s *site) wantPrivateAddresses(hosts []string) {
	s.t.Helper()
	for _, host := range hosts {
		want := s.address(host)
		for what, path := range map[string]string{
			"InternalIP":        `{.status.addresses[?(@.type=="InternalIP")].address}`,
			"flannel's address": `{.metadata.annotations.flannel\.alpha\.coreos\.com/public-ip}`,
		} {
			if is := s.kubectl("get", "node", host, "--output", "jsonpath="+path); is != want {
				s.t.Errorf("%s of node %s is %q, want %s", what, host, is, want)
			}
		}
		if is := s.shell(host, "grep -o 'node-ip=[0-9.]*' /var/lib/kubelet/kubeadm-flags.env"); is != "node-ip="+want {
			s.t.Errorf("%s: the kubelet has %q, want %s", host, is, want)
		}
		if is := s.shell(host, "ip -d link show flannel.1 | grep -o 'dev eth[0-9]'"); is != "dev eth1" {
			s.t.Errorf("%s: flannel goes by %q, want eth1", host, is)
		}
	}
	if is := s.kubectl("get", "endpoints", "kubernetes", "--output", "jsonpath={.subsets[*].addresses[*].ip}"); is != s.address("cp1") {
		s.t.Errorf("the API server is announced at %s", is)
	}
	if out := s.shell("cp1", "grep -rl '"+lab.NATAddress+"' /etc/kubernetes /var/lib/kubelet/*.* || :"); out != "" {
		s.t.Errorf("%s stands in %s", lab.NATAddress, out)
	}
}

// wantPortsExchanged: a port that leads to another machine now lets nobody do there what was meant for the former one, and the file that is
// written anew means the same cluster.
func (v *vagrants) wantPortsExchanged(a, b string) {
	v.t.Helper()
	v.swapPorts(a, b)
	v.planned(1).saysOf(a, "ssh.hostKey", "the key is that of "+b).saysOf(b, "ssh.hostKey", "the key is that of "+a)
	if err := os.Rename(v.file, filepath.Join(v.home, "before.yaml")); err != nil {
		v.t.Fatal(err)
	}
	v.initFromVagrant()
	v.planned(0).says("plan is empty")
}

// wantTrapsFound: what is Vagrant's of the machines is found by a check, and stops a run where the cluster would not work.
func (s *site) wantTrapsFound() {
	s.t.Helper()
	s.fairlead("check").exits(0).saysOf("cp1", "HostsFile", "127.0.2.1").saysOf("w1", "HostsFile", "w1.example.org", "127.0.1.1").saysOf("w2", "HostsFile", "127.0.0.1").
		saysOf("w2", "Localhost").saysOf("w2", "InsecureKey", "/home/vagrant/.ssh/authorized_keys").saysNot("SharedAddress", "/root/.ssh")
	right := s.read(s.file)
	s.edit("address: "+s.address("cp1")+",", "address: "+lab.NATAddress+",")
	s.fairlead("check").exits(1).saysOf("cp1", "SharedAddress", "also that of w1, w2", s.address("cp1")+" (eth1)")
	s.fairlead("up").exits(1).says("nothing was changed")
	s.write(s.file, right)
}

// wantSameFromSaved: of what `vagrant ssh-config` has printed come the same hosts, with their addresses from whoever knows them.
func (v *vagrants) wantSameFromSaved(hosts []string) {
	v.t.Helper()
	made := v.read(v.file)
	cmd := exec.CommandContext(v.ctx, filepath.Join(v.home, "vagrant", "vagrant"), "ssh-config", "")
	cmd.Dir = v.home
	saved, err := cmd.Output()
	if err != nil {
		v.t.Fatal(err)
	}
	v.write(filepath.Join(v.home, "saved"), string(saved))
	other := *v.site
	other.file = filepath.Join(v.home, "saved.yaml")
	args := []string{"init", "--from", "saved"}
	other.fairlead(args...).exits(2).says("--address")
	for _, host := range hosts {
		args = append(args, "--address", host+"="+v.address(host))
	}
	other.fairlead(args...).exits(0)
	text := v.read(other.file)
	for line := range strings.Lines(made) {
		if way, _, ok := strings.Cut(line, ", hostKey: "); ok && !strings.Contains(text, way+"}}\n") {
			v.t.Errorf("no %q in\n%s", way, text)
		}
	}
}

// wantLocalhostToMatter: ports are forwarded to pods of a host that knows localhost, and to no others.
func (s *site) wantLocalhostToMatter() {
	s.t.Helper()
	s.apply(probes)
	s.kubectl("wait", "--for=condition=Ready", "pod/probe-w1", "pod/probe-w2", "--timeout=60s")
	forwarded := func(pod string) string {
		out, err := s.tryShell("cp1", kubectl+" port-forward pod/"+pod+` 18080:8080 >/tmp/forward 2>&1 & forward=$!
trap 'kill $forward' EXIT
until grep -q Forwarding /tmp/forward; do kill -0 $forward; done
curl -m 20 -sS http://127.0.0.1:18080/`)
		return out + errorText(err)
	}
	if is := forwarded("probe-w1"); is != "probe-w1" {
		s.t.Errorf("a port forwarded to a pod of w1 says %q", is)
	}
	if is := forwarded("probe-w2"); is == "probe-w2" {
		s.t.Error("localhost is not needed: the finding says what is not so")
	}
	s.shell("w2", "cp -p /etc/hosts /tmp/hosts; echo '127.0.0.1 localhost' >>/etc/hosts")
	s.fairlead("check").exits(0).saysNot("Localhost:")
	s.eventually("a port of a pod of w2, with localhost", soon, func() string { // Go's resolver looks at the file each 5 s
		if is := forwarded("probe-w2"); is != "probe-w2" {
			return is
		}
		return ""
	})
	s.shell("w2", "cp -p /tmp/hosts /etc/hosts")
}
