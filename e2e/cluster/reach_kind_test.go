//go:build cluster

package cluster

import (
	"context"
	"testing"
	"time"

	"fairlead/e2e/lab"
)

// TestReachKind: the nodes of a lab of kind are taken over: reset to no cluster, made another one, which lives on when the containers start
// anew, with another address, too, and reset to what they were without a cluster. What stands for kind here is a STAND-IN, made from what is
// known of kindest/node: no image of kind's is to be had where these tests run.
func TestReachKind(t *testing.T) {
	s := freshSite(t)
	kind := s.kind()
	if err := s.lab.ClusterKind(s.ctx, kind); err != nil {
		t.Fatal(err)
	}
	s.nodesOfKind(kind)
}

// kind makes the containers of a cluster of kind, until the test ends.
func (s *site) kind() lab.Kind {
	s.t.Helper()
	kind := s.lab.KindCluster()
	s.t.Cleanup(func() {
		if *keep {
			return
		}
		if err := s.lab.DownKind(context.WithoutCancel(s.ctx), kind); err != nil {
			s.t.Error(err)
		}
	})
	if err := s.lab.UpKind(s.ctx, kind, shared.bundle); err != nil {
		s.t.Fatal(err)
	}
	return kind
}

// nodesOfKind waits until all nodes are Ready, and their pods run.
func (s *site) nodesOfKind(kind lab.Kind) {
	s.t.Helper()
	s.eventually("nodes of kind", 3*time.Minute, func() string {
		_, err := s.tryShell(kind.ControlPlane[0], kubectl+" wait --for=condition=Ready nodes --all --timeout=5s && "+
			kubectl+" wait --for=condition=Ready pods --all --all-namespaces --timeout=5s")
		if err != nil {
			return err.Error()
		}
		return ""
	})
}
