package main

import (
	"os"
	"testing"

	"fairlead/provision"
	"fairlead/provision/plan"
)

func examplePlan() plan.Plan {
	return plan.Plan{
		Findings: []plan.Finding{
			{Host: "w1", Name: "Swap", Message: "swap is on", Fix: "turn it off", Warning: true},
			{Name: "Bundle", Message: "the bundle holds Kubernetes 1.36.3"},
		},
		Steps: []plan.Step{
			{ID: "w1/kernel", Host: "w1", Title: "set kernel parameters", Reasons: []string{"net.ipv4.ip_forward is 0, want 1"}, Actions: []plan.Action{
				plan.PutFile{Path: "/etc/sysctl.d/k8s.conf", Mode: 0o644, Content: []byte("a = 1\nb = 2\n"), Before: []byte("a = 0\nb = 2\n")},
				plan.SetSysctls([]string{"net.ipv4.ip_forward=1"}),
			}},
			{ID: "cluster/token", Title: "create the bootstrap token", Reasons: []string{"w1 joins"}, Actions: []plan.Action{plan.MintToken{}}},
			{ID: "cp1/containerd", Host: "cp1", Title: "install containerd", Reasons: []string{"it is missing", "two\nlines"}, Actions: []plan.Action{
				plan.PutFile{Path: "/etc/containerd/config.toml", Mode: 0o600, Content: []byte("version = 3\n")},
			}},
		},
		Blocked: []plan.Blocked{{Host: "worker2", Title: "prepare the host", Reason: "it cannot be reached"}},
		More:    "the API server has to answer first",
	}
}

func TestPlanText(t *testing.T) {
	whole := examplePlan()
	whole.More, whole.Findings, whole.Blocked = "", nil, nil
	tests := []struct {
		name    string
		plan    plan.Plan
		diff    bool
		colours palette
	}{
		{"plan.txt", examplePlan(), false, false},
		{"plan-diff.txt", whole, true, false},
		{"plan-colours.txt", examplePlan(), true, true},
		{"plan-empty.txt", plan.Plan{}, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := newPlanText(test.colours, test.diff)
			text.plan(test.plan, exampleCluster())
			golden(t, test.name, text.out.Bytes())
		})
	}
}

func TestPlanTextReportsWriteErrors(t *testing.T) {
	text := newPlanText(false, false)
	text.line(0, "x")
	if err := text.flush(fullDisk{}); err == nil {
		t.Error("no error from a full disk")
	}
}

func TestChecked(t *testing.T) {
	made := examplePlan()
	unreached := &provision.UnreachableError{Hosts: []string{"w1"}, Causes: []error{os.ErrDeadlineExceeded}}
	tests := []struct {
		plan plan.Plan
		err  error
		want string
	}{
		{plan.Plan{}, nil, "3 hosts: no problems"},
		{made, nil, "3 hosts: 1 error, 1 warning, 1 blocked"},
		{made, unreached, "3 hosts: 1 error, 1 warning, 1 not looked at"},
		{plan.Plan{}, unreached, "3 hosts: 0 errors, 0 warnings, 1 not looked at"},
	}
	for _, test := range tests {
		if got := checked(test.plan, 3, test.err); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
