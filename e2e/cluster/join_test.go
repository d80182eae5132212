//go:build cluster

package cluster

import (
	"strings"
	"testing"
	"time"
)

// movable is a Deployment whose pod prefers w3 and may run elsewhere.
const movable = `apiVersion: apps/v1
kind: Deployment
metadata: {name: movable}
spec:
  selector: {matchLabels: {app: movable}}
  template:
    metadata: {labels: {app: movable}}
    spec:
      terminationGracePeriodSeconds: 1
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [w3]}]}
      containers: [{name: probe, image: "lab.fairlead.example/probe:v1", args: [serve, ":8080"]}]
`

func testJoin(t *testing.T) {
	s := clusterSite(t)
	w3 := s.add("w3")
	comment := "# the workers\nworkers: # two so far\n  hosts:\n    # the first one\n"
	s.edit("workers:\n  hosts:\n", comment)
	text := s.read(s.file)
	clean := s.snapshots("w3")
	before := s.list("cp1", "w1", "w2")

	s.fairlead("join", "w3", "--address", w3.Address.String()).exits(0)
	s.untouched(before)
	s.wantNodes("cp1", "w1", "w2", "w3")
	s.keptLines(text, w3.Address.String())
	s.planned(0)

	s.apply(movable)
	s.eventually("a pod on w3", 2*time.Minute, func() string { return s.podElsewhere("w3", true) })
	s.fairlead("reset", "w3", "--yes").exits(0)
	s.wantNodes("cp1", "w1", "w2")
	s.eventually("the pod on another node", 2*time.Minute, func() string { return s.podElsewhere("w3", false) })
	s.untouchedBut(before, "container ", "file /var/lib/cni", "file /var/lib/kubelet")
	s.restored(clean)
}

// keptLines fails the test unless the inventory is what it was with one host more.
func (s *site) keptLines(before, address string) {
	s.t.Helper()
	after := s.read(s.file)
	rest := strings.Split(after, "\n")
	for line := range strings.SplitSeq(before, "\n") {
		i := 0
		for i < len(rest) && rest[i] != line {
			i++
		}
		if i == len(rest) {
			s.t.Fatalf("the inventory has lost %q:\n%s", line, after)
		}
		rest = rest[i+1:]
	}
	if strings.Count(after, address) != 1 || strings.Count(after, "\n") > strings.Count(before, "\n")+3 {
		s.t.Errorf("the inventory is:\n%s", after)
	}
}

// podElsewhere returns why there is no running pod of the Deployment movable on the node,
// or, if on is false, on another one.
func (s *site) podElsewhere(node string, on bool) string {
	out, err := s.tryKubectl("get", "pods", "--selector", "app=movable", "--field-selector", "status.phase=Running",
		"--output", "jsonpath={.items[*].spec.nodeName}")
	if err != nil || out == "" || (out == node) != on {
		return "nodes of the pods: " + out + " " + errorText(err)
	}
	return ""
}
