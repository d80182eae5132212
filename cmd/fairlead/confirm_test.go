package main

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision"
	"fairlead/provision/object"
	"fairlead/provision/plan"
)

// TestResetQuestion shows whose hosts are before anything is changed, and asks for a word that nobody types by habit.
func TestResetQuestion(t *testing.T) {
	since := time.Date(2026, 11, 25, 15, 54, 0, 0, time.UTC)
	ours := plan.Belonging{Host: "cp1", Verdict: plan.Ours, Cluster: "lab", Node: "cp1", CA: "sha256:0123456789ab", Since: since}
	vacant := plan.Belonging{Host: "w1", Verdict: plan.Vacant}
	unproven := plan.Belonging{Host: "w1", Verdict: plan.Unproven, Reason: "no other host has its CA", CA: "sha256:0123456789ab", Since: since}
	foreign := plan.Belonging{
		Host: "worker2", Verdict: plan.Foreign, Cluster: "prod\n  cp1", Node: "db 3", CA: "sha256:ba9876543210", Since: since,
		Reason: "fairlead has made it one of cluster prod\x1b[2J",
	}
	var out bytes.Buffer
	for _, c := range []struct {
		hosts []plan.Belonging
		word  string
	}{
		{[]plan.Belonging{ours, vacant}, "lab"},
		{[]plan.Belonging{unproven}, "lab"},
		{[]plan.Belonging{ours, foreign}, "foreign"},
	} {
		question, word := resetQuestion(exampleCluster(), c.hosts)
		if word != c.word {
			t.Errorf("the word is %q, want %q", word, c.word)
		}
		out.WriteString(printable(question) + word + "\n")
	}
	golden(t, "reset-question.txt", out.Bytes())
	if lines := strings.Count(out.String(), "\n"); lines != 13 {
		t.Errorf("%d lines: what a host says must not look like a line of ours", lines)
	}
}

// TestRemoveQuestion shows who leaves, what is done about it and what is lost, and how many control planes are left.
func TestRemoveQuestion(t *testing.T) {
	cluster := exampleCluster()
	cluster.ControlPlane.Hosts = append(cluster.ControlPlane.Hosts, inventory.Host{Name: "cp2", Role: inventory.RoleControlPlane, Address: netip.MustParseAddr("192.0.2.12")},
		inventory.Host{Name: "cp3", Role: inventory.RoleControlPlane, Address: netip.MustParseAddr("192.0.2.13")})
	question := removeQuestion(cluster, []provision.Leaving{
		{Name: "cp3", Host: true, Of: plan.Belonging{Host: "cp3", Verdict: plan.Ours, Cluster: "lab", Node: "cp3", CA: "sha256:0123456789ab"}, Steps: []string{"drain node cp3", "take cp3 out of etcd"}},
		{Name: "w1", Host: true, Steps: []string{"delete node w1"}, Load: object.Load{Volumes: []string{"pv-1 (claim app/db)"}, Bare: []string{"app/bare\n  cp1"}}},
		{Name: "w7", Steps: []string{"delete node w7"}, Load: object.Load{LocalData: []string{"app/cache (scratch)"}}},
	})
	golden(t, "remove-question.txt", []byte(printable(question)+"\n"))
	for line := range strings.Lines(question) {
		if strings.HasPrefix(line, "  cp1") {
			t.Error("what a cluster says must not look like a line of ours")
		}
	}
}
