package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/event"
	"fairlead/provision/plan"

	"github.com/rogpeppe/go-internal/diff"
)

// golden compares got with a file below testdata, or writes that with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff.Diff(path, want, "got", got); d != nil {
		t.Errorf("%s", d)
	}
}

// exampleCluster has one control plane and two workers.
func exampleCluster() *inventory.Cluster {
	host := func(name, address string, role inventory.Role) inventory.Host {
		return inventory.Host{
			Name: name, Address: netip.MustParseAddr(address), Role: role,
			SSH: inventory.SSH{User: "ubuntu", Port: 22, IdentityFile: "/home/ann/.ssh/id key"},
		}
	}
	return &inventory.Cluster{
		Name:         "lab",
		Kubernetes:   inventory.Kubernetes{Bundle: "/srv/bundle.tar"},
		ControlPlane: inventory.ControlPlane{Hosts: []inventory.Host{host("cp1", "192.0.2.11", inventory.RoleControlPlane)}},
		Workers: []inventory.Host{
			host("w1", "192.0.2.21", inventory.RoleWorker), host("worker2", "2001:db8::22", inventory.RoleWorker),
		},
	}
}

func clock(seconds int) time.Time { return time.Date(2026, 11, 22, 10, 0, seconds, 0, time.UTC) }

// exampleEvents are a run with every kind of event.
func exampleEvents() []event.Event {
	swap := plan.Finding{Host: "w1", Name: "Swap", Message: "swap is on", Fix: "turn it off", Warning: true}
	memory := plan.Finding{Host: "w1", Name: "Memory", Message: "512 MiB is too little"}
	return []event.Event{
		{Time: clock(0), Kind: event.Observing, Message: "3 hosts"},
		{Time: clock(1), Kind: event.Waiting, Host: "worker2", Message: "connection refused", Limit: 600},
		{Time: clock(1), Kind: event.Waiting, Host: "worker2", Message: "connection refused", Seconds: 8.2, Limit: 600},
		{Time: clock(1), Kind: event.Waiting, Host: "worker2", Message: "no SSH server answers yet", Seconds: 13, Limit: 600},
		{Time: clock(1), Kind: event.HostKey, Host: "cp1", Seconds: 0.1, Key: &event.Key{
			Address: "192.0.2.11:22", Type: "ssh-ed25519", Fingerprint: "SHA256:abc", Public: "ssh-ed25519 AAAA", State: event.KeyKnown, Place: "/kh:7",
		}},
		{Time: clock(1), Kind: event.Observed, Host: "cp1", Seconds: 0.31},
		{Time: clock(1), Kind: event.Observed, Host: "worker2", Seconds: 5, Error: "connect to ubuntu@h: host is unreachable\nsecond line"},
		{Time: clock(2), Kind: event.Found, Host: "w1", Message: swap.Message, Finding: &swap},
		{Time: clock(2), Kind: event.Found, Host: "w1", Message: memory.Message, Finding: &memory},
		{Time: clock(2), Kind: event.Found, Host: "w1", Message: swap.Message, Finding: &swap},
		{Time: clock(2), Kind: event.BlockedStep, Host: "worker2", Title: "prepare the host", Message: "it cannot be reached"},
		{Time: clock(2), Kind: event.Planned, Host: "w1", Step: "w1/join", Title: "join as worker", Reasons: []string{"there is no kubelet.conf", "no node"}},
		{Time: clock(3), Kind: event.Started, Host: "cp1", Step: "cp1/images", Title: "import images"},
		{Time: clock(3), Kind: event.Started, Host: "w1", Step: "w1/join", Title: "join as worker"},
		{Time: clock(4), Kind: event.Progress, Host: "cp1", Step: "cp1/images", Title: "import images", Bytes: 12 << 20, Total: 40 << 20},
		{Time: clock(4), Kind: event.Progress, Host: "w1", Step: "w1/join", Title: "join as worker", Message: "node is NotReady"},
		{Time: clock(5), Kind: event.Progress, Host: "w1", Step: "w1/join", Title: "join as worker", Message: "node is NotReady"},
		{Time: clock(5), Kind: event.Output, Host: "w1", Step: "w1/join", Title: "join as worker", Message: "[kubelet-start] Starting"},
		{Time: clock(6), Kind: event.Done, Host: "cp1", Step: "cp1/images", Title: "import images", Seconds: 2.44},
		{Time: clock(75), Kind: event.Failed, Host: "w1", Step: "w1/join", Title: "join as worker", Seconds: 72, Error: "kubeadm join: exit 1\nlast words"},
		{Time: clock(75), Kind: event.Skipped, Host: "", Step: "cluster/network", Title: "apply flannel", Message: "it needs “join as worker” on w1, which was not done"},
		{Time: clock(75), Kind: event.Finished, Message: "1 steps", Seconds: 75, Error: "w1: join as worker: <kubeadm join>: exit 1"},
	}
}

// named are hosts of which only the names are known.
func named(names ...string) []inventory.Host {
	var hosts []inventory.Host
	for _, name := range names {
		hosts = append(hosts, inventory.Host{Name: name})
	}
	return hosts
}
