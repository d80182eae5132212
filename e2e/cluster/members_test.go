//go:build cluster

package cluster

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"fairlead/e2e/lab"
)

// etcdctl is run in the etcd pod of cp1.
func etcdctl() []string {
	const pki = "/etc/kubernetes/pki/etcd/"
	return []string{
		"exec", "--namespace", "kube-system", "etcd-cp1", "--", "etcdctl", "--endpoints", "https://127.0.0.1:2379",
		"--cacert", pki + "ca.crt", "--cert", pki + "server.crt", "--key", pki + "server.key",
	}
}

func testThreeControlPlanes(t *testing.T) {
	hosts := []string{"cp1", "cp2", "cp3"}
	s := freshSite(t, hosts...)
	t.Cleanup(func() { shared.up = false })
	s.inventory(lab.InventoryOptions{ControlPlanes: hosts, Bundle: shared.bundle})
	s.markHosts(hosts)
	before := s.snapshots("cp3")
	stop := sample(s)
	cut := s.upWith(moment{"second etcd member", secondMember, killKubeadm}).exits(1)
	whole := s.mustUp()
	seen := stop()
	if err := overlap(cut.events(), "cp2/join", "cp3/join"); err != nil {
		t.Error(err)
	}
	if again := s.joinedAgain(whole); len(again) != 1 || again[0] == "cp1" {
		t.Errorf("joins that were gone on with are those of %q, want the second one's", again)
	}
	s.wantNodes(hosts...)
	s.wantMembers(hosts...)
	s.wantNoTokens()
	s.planned(0)

	t.Run("Secrets", func(t *testing.T) {
		s := s.sub(t)
		seen.wantForRootOnly(t)
		s.wantKeysForRootOnly(hosts...)
		s.scan(hosts, seen, cut, whole)
	})
	t.Run("Settings", func(t *testing.T) { s.sub(t).wantSettingsOneByOne(hosts...) })

	s.fairlead("reset", "cp3", "--yes").exits(0)
	s.restored(before)
	s.wantMembers("cp1", "cp2")
	s.wantNodes("cp1", "cp2")
	s.inventory(lab.InventoryOptions{ControlPlanes: []string{"cp1", "cp2"}, Bundle: shared.bundle})
	s.edit(settingsBegin, settingsBegin+settingsOfMany)
	s.planned(0)
}

// secondMember is true when the second of two joining control planes has announced itself to etcd,
// which then waits for a member that nobody starts.
func secondMember(events []event) bool {
	e := events[len(events)-1]
	if e.Kind != "output" || !strings.Contains(e.Message, "[etcd] Announced new etcd member") {
		return false
	}
	return e.Step == "cp2/join" && ended(events, "cp3/join") || e.Step == "cp3/join" && ended(events, "cp2/join")
}

// joinedAgain are the hosts whose joins had not finished before.
func (s *site) joinedAgain(o outcome) (hosts []string) {
	s.t.Helper()
	for _, e := range o.events() {
		if e.Kind == "started" && slices.Contains(e.Reasons, "an earlier join has not finished") {
			hosts = append(hosts, e.Host)
		}
	}
	return hosts
}

// wantKeysForRootOnly fails the test unless the keys that came to the hosts are for root alone.
func (s *site) wantKeysForRootOnly(hosts ...string) {
	s.t.Helper()
	for _, host := range hosts {
		modes := s.look(host, `find /etc/kubernetes -name '*.key' -printf '%m %U:%G %P\n' -o -name '*.conf' -printf '%m %U:%G %P\n'`)
		if n := len(strings.Split(modes, "\n")); n < 12 { // nine keys, and kubeconfigs
			s.t.Errorf("host %s: there are only %d keys:\n%s", host, n, modes)
		}
		for line := range strings.Lines(modes) {
			if !strings.HasPrefix(line, "600 0:0 ") {
				s.t.Errorf("host %s: key with mode, owner and path %s", host, line)
			}
		}
	}
}

// settingsOfMany are arguments of an API server and of a controller manager, as they stand in an
// inventory.
const settingsOfMany = syncPeriod + `      apiServer: {extraArgs: [{name: event-ttl, value: 2h0m0s}]}
`

// wantSettingsOneByOne changes settings on one control plane after another, while two of the
// three API servers answer at any time.
func (s *site) wantSettingsOneByOne(hosts ...string) {
	s.edit(settingsBegin, settingsBegin+settingsOfMany)
	before := map[string]string{}
	for _, host := range hosts {
		before[host] = s.startOf("kube-apiserver-" + host)
	}
	probe := s.probeAPI(1, hosts...)
	events := s.mustUp().events()
	probe.wantNoFailure()
	for i, host := range hosts {
		s.wantArgument("kube-controller-manager-"+host, "--horizontal-pod-autoscaler-sync-period=10s")
		s.wantArgument("kube-apiserver-"+host, "--event-ttl=2h0m0s")
		if s.startOf("kube-apiserver-"+host) == before[host] {
			s.t.Errorf("the API server of %s was not started anew", host)
		}
		for _, other := range hosts[i+1:] {
			if err := overlap(events, host+"/settings", other+"/settings"); err != nil {
				s.t.Error(err)
			}
		}
	}
	s.planned(0)
}

// startOf is when the container of a static pod started.
func (s *site) startOf(pod string) string {
	s.t.Helper()
	return s.kubectl("get", "pod", "--namespace", "kube-system", pod, "--output", "jsonpath={.status.containerStatuses[0].state.running.startedAt}")
}

// wantMembers fails the test unless etcd's members are exactly these, started and with a
// vote, and each of their control planes answers.
func (s *site) wantMembers(names ...string) {
	s.t.Helper()
	var list struct {
		Members []struct {
			Name       string   `json:"name"`
			IsLearner  bool     `json:"isLearner"`
			ClientURLs []string `json:"clientURLs"`
		} `json:"members"`
	}
	out := s.kubectl(append(etcdctl(), "member", "list", "--write-out", "json")...)
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	voters := map[string]bool{}
	for _, m := range list.Members {
		voters[m.Name] = !m.IsLearner && len(m.ClientURLs) > 0
	}
	if len(list.Members) != len(names) {
		s.t.Errorf("etcd has %d members, want %v: %s", len(list.Members), names, out)
	}
	for _, name := range names {
		if !voters[name] {
			s.t.Errorf("%s is no started member with a vote: %s", name, out)
		}
		ready, err := s.tryShell(name, kubectl+" --server https://"+s.address(name)+":6443 get --raw /readyz")
		if err != nil || ready != "ok" {
			s.t.Errorf("API server of %s: %q, %v", name, ready, err)
		}
	}
}
