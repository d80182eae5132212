//go:build cluster

package cluster

import (
	"encoding/json"
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
	events := s.mustUp().events()
	if err := overlap(events, "cp2/join", "cp3/join"); err != nil {
		t.Error(err)
	}
	s.wantNodes(hosts...)
	s.wantMembers(hosts...)
	s.wantNoTokens()
	s.planned(0)

	t.Run("Settings", func(t *testing.T) { s.sub(t).wantSettingsOneByOne(hosts...) })

	s.fairlead("reset", "cp3", "--yes").exits(0)
	s.wantMembers("cp1", "cp2")
	s.wantNodes("cp1", "cp2")
	s.inventory(lab.InventoryOptions{ControlPlanes: []string{"cp1", "cp2"}, Bundle: shared.bundle})
	s.edit(settingsBegin, settingsBegin+syncPeriod)
	s.planned(0)
}

// wantSettingsOneByOne changes a setting on one control plane after another, while all API
// servers answer.
func (s *site) wantSettingsOneByOne(hosts ...string) {
	s.edit(settingsBegin, settingsBegin+syncPeriod)
	probe := s.probeAPI(hosts...)
	events := s.mustUp().events()
	probe.wantNoFailure()
	for i, host := range hosts {
		s.wantArgument("kube-controller-manager-"+host, "--horizontal-pod-autoscaler-sync-period=10s")
		for _, other := range hosts[i+1:] {
			if err := overlap(events, host+"/settings", other+"/settings"); err != nil {
				s.t.Error(err)
			}
		}
	}
	s.planned(0)
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
