//go:build cluster

package cluster

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const (
	// kubectl asks the API server from a control-plane host. What it caches lies where no
	// listing looks.
	kubectl = "kubectl --kubeconfig /etc/kubernetes/admin.conf --cache-dir /tmp/kubectl-cache"
	// pollInterval is the pause between two looks at a condition.
	pollInterval = 200 * time.Millisecond
)

// shell runs a script as root on the host, around SSH, and returns what it prints, trimmed.
func (s *site) shell(host, script string, args ...string) string {
	s.t.Helper()
	out, err := s.lab.Exec(s.ctx, host, append([]string{"sh", "-euc", script, "sh"}, args...)...)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, script)
	}
	return strings.TrimSpace(out)
}

// look runs a script that reads much of the host, in bash, where the failure of any program in it
// is the script's. Files that go away under its eyes are none: what it runs through "lasting" may
// miss such.
func (s *site) look(host, script string, args ...string) string {
	s.t.Helper()
	out, err := s.lab.Exec(s.ctx, host, append([]string{"bash", "-euo", "pipefail", "-c", lasting + script, "bash"}, args...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// lasting runs a program, whose failure is one unless all that it complains of is that files are
// no longer there.
const lasting = `
lasting() {
	if "$@" 2>/tmp/complaints; then return 0; fi
	[ -s /tmp/complaints ] && ! grep -v ': No such file or directory$' /tmp/complaints >&2
}
`

// tryShell is shell for a script that may fail.
func (s *site) tryShell(host, script string) (string, error) {
	out, err := s.lab.Exec(s.ctx, host, "sh", "-euc", script)
	return strings.TrimSpace(out), err
}

// kubectl runs kubectl on cp1.
func (s *site) kubectl(args ...string) string {
	s.t.Helper()
	out, err := s.tryKubectl(args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *site) tryKubectl(args ...string) (string, error) {
	out, err := s.lab.Exec(s.ctx, "cp1", append(strings.Fields(kubectl), args...)...)
	return strings.TrimSpace(out), err
}

// apply applies a manifest and deletes it when the test is over.
func (s *site) apply(manifest string) {
	s.t.Helper()
	run := func(verb ...string) error {
		argv := append(append(strings.Fields(kubectl), verb...), "-f", "-")
		_, err := s.lab.ExecInput(s.ctx, "cp1", strings.NewReader(manifest), argv...)
		return err
	}
	if err := run("apply"); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := run("delete", "--ignore-not-found", "--now"); err != nil {
			s.t.Error(err)
		}
	})
}

// node is what the tests want to know of a Node.
type node struct {
	Metadata struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		Taints []struct{ Key, Value, Effect string } `json:"taints"`
	} `json:"spec"`
	Status struct {
		Conditions []struct{ Type, Status string } `json:"conditions"`
		NodeInfo   struct {
			KubeletVersion string `json:"kubeletVersion"`
		} `json:"nodeInfo"`
	} `json:"status"`
}

func (n node) ready() bool {
	for _, c := range n.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status == "True"
		}
	}
	return false
}

// tainted says whether the node has the taint KEY[=VALUE]:EFFECT.
func (n node) tainted(taint string) bool {
	for _, t := range n.Spec.Taints {
		text := t.Key + ":" + t.Effect
		if t.Value != "" {
			text = t.Key + "=" + t.Value + ":" + t.Effect
		}
		if text == taint {
			return true
		}
	}
	return false
}

// nodes are all Nodes, by name.
func (s *site) nodes() map[string]node {
	s.t.Helper()
	var list struct{ Items []node }
	if err := json.Unmarshal([]byte(s.kubectl("get", "nodes", "--output", "json")), &list); err != nil {
		s.t.Fatal(err)
	}
	all := map[string]node{}
	for _, n := range list.Items {
		all[n.Metadata.Name] = n
	}
	return all
}

// wantNodes fails the test unless exactly the named nodes are there, Ready and of the
// inventory's version.
func (s *site) wantNodes(names ...string) {
	s.t.Helper()
	all := s.nodes()
	if len(all) != len(names) {
		s.t.Errorf("there are %d nodes, want %v", len(all), names)
	}
	for _, name := range names {
		n, exists := all[name]
		if !exists || !n.ready() || n.Status.NodeInfo.KubeletVersion != "v1.37.2" {
			s.t.Errorf("node %s: exists %v, ready %v, kubelet %s", name, exists, n.ready(), n.Status.NodeInfo.KubeletVersion)
		}
	}
}

// eventually looks at once and then again until check returns no reason to wait.
func eventually(ctx context.Context, t *testing.T, what string, limit time.Duration, check func() (reason string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		reason := check()
		if reason == "" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("wait for %s: %v: %s", what, ctx.Err(), reason)
		case <-ticker.C:
		}
	}
}

func (s *site) eventually(what string, limit time.Duration, check func() (reason string)) {
	s.t.Helper()
	eventually(s.ctx, s.t, what, limit, check)
}
