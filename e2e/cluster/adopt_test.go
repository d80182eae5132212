//go:build cluster

package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/e2e/lab"
)

// testAdopt makes a cluster by hand, with ssh and kubeadm, and hands it to fairlead.
func testAdopt(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := freshSite(t, append(hosts, "w3")...)
	t.Cleanup(func() { shared.up = false })
	s.bareCluster(hosts...)
	s.wantNodes(hosts...)
	s.settled()
	// Somebody has a setting and a label of his own.
	s.kubectl("label", "node", "w1", "theirs=1")

	s.fairlead("check").exits(0)
	plan := s.planned(3).says("ClusterConfiguration.controlPlaneEndpoint is absent",
		"/etc/containerd/config.toml differs from line").saysNot("initialise the first control plane", "join as", "image ", "init phase control-plane")
	boots, containers, files := s.boots(hosts...), s.containers(hosts...), s.hashes(hosts...)

	s.fairlead("join", "w3", "--address", s.address("w3")).exits(0)
	s.wantNodes("cp1", "w1", "w2", "w3")
	for host, boot := range s.boots(hosts...) {
		if boot != boots[host] {
			t.Errorf("host %s was rebooted", host)
		}
	}
	is := s.containers(hosts...)
	for _, id := range containers {
		if !slices.Contains(is, id) {
			t.Errorf("container %s is gone", id)
		}
	}
	for host, was := range files {
		named := strings.Join(plan.said(host), "\n")
		for _, change := range changes(was, s.hashes(host)[host]) {
			path := strings.Fields(change)[2] // "changed: file PATH …"
			if !strings.HasPrefix(path, "/var/lib/fairlead/") && !strings.Contains(named, path) {
				t.Errorf("host %s: the plan has not named it: %s", host, change)
			}
		}
	}
	if label := s.kubectl("get", "node", "w1", "--output", "jsonpath={.metadata.labels.theirs}"); label != "1" {
		t.Errorf("the label of somebody else is %q", label)
	}
	s.wantNetwork()
	s.planned(0).says("plan is empty")
}

// bareCluster makes a cluster of hosts with the plain script that the benchmark has.
func (s *site) bareCluster(hosts ...string) {
	s.t.Helper()
	s.inventory(lab.InventoryOptions{ControlPlanes: hosts[:1], Workers: hosts[1:], Bundle: shared.bundle})
	config, err := os.ReadFile("../bench/kubeadm.yaml")
	if err != nil {
		s.t.Fatal(err)
	}
	kubeadm, network := filepath.Join(s.home, "kubeadm.yaml"), filepath.Join(s.home, "network.yaml")
	s.write(kubeadm, strings.NewReplacer("@ADDRESS@", s.address(hosts[0]), "@VERSION@", lab.DefaultVersion).Replace(string(config)))
	s.write(network, s.fairlead("addons", "render").exits(0).stdout)
	argv := []string{"../bench/plain.sh"}
	for _, host := range hosts {
		argv = append(argv, s.address(host))
	}
	command := exec.CommandContext(s.ctx, "bash", argv...)
	command.Env = append(os.Environ(), "BUNDLE="+shared.bundle, "FLANNEL="+network, "KUBEADM="+kubeadm,
		"KEY="+s.lab.IdentityFile(), "KNOWN_HOSTS="+s.lab.KnownHosts(), "LOGIN="+lab.User)
	if out, err := command.CombinedOutput(); err != nil {
		s.t.Fatalf("make a bare cluster: %v\n%s", err, lastLines(string(out)))
	}
}

// boots are the boot ids of hosts.
func (s *site) boots(hosts ...string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for _, host := range hosts {
		// All lab hosts share one kernel and its boot id: the start of their first process is theirs.
		all[host] = s.shell(host, "cut -d ' ' -f 22 /proc/1/stat")
	}
	return all
}

// hashes are those of all files that a run could write, one a line.
func (s *site) hashes(hosts ...string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for _, host := range hosts {
		all[host] = s.shell(host, `find /etc /opt /usr /root /home /var/lib/fairlead /var/lib/kubelet/config.yaml -xdev -type f -exec cksum {} + | awk '{ print "file " $3 "\t" $1 " " $2 }'`)
	}
	return all
}
