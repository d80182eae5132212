//go:build cluster

package cluster

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func testKill(t *testing.T) {
	hosts := []string{"cp1", "w1", "w2"}
	s := freshSite(t, hosts...)
	for _, kill := range []struct {
		name string
		at   func(event) bool
		then func(*site) // right after the kill
		next func(*site, []event)
	}{
		{"Import", func(e event) bool {
			return e.Kind == "progress" && strings.HasSuffix(e.Step, "/images") && e.Bytes > 1<<20
		}, nil, nil},
		{"Init", func(e event) bool { return e.Kind == "output" && e.Step == "cp1/init" }, (*site).kubeadmGoesOn, (*site).waitedForKubeadm},
		{"Join", func(e event) bool { return e.Kind == "output" && e.Step == "w1/join" }, nil, nil},
	} {
		t.Run(kill.name, func(t *testing.T) {
			s := s.sub(t)
			s.killAt(kill.name, kill.at)
			if kill.then != nil {
				kill.then(s)
			}
			o := s.mustUp()
			if kill.next != nil {
				kill.next(s, o.events())
			}
			s.wantNodes(hosts...)
			s.wantNoTokens()
			s.planned(0)
			s.fairlead("reset", "--yes").exits(0)
		})
	}
}

// killAt runs fairlead up and kills it, as the kernel does when memory is short, at the first
// event of which at is true.
func (s *site) killAt(name string, at func(event) bool) {
	s.t.Helper()
	cmd := s.command("up", "--output", "json")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	reached := false
	var last string
	scanner := bufio.NewScanner(stdout)
	scanner.Buffer(nil, 1<<20)
	for !reached && scanner.Scan() {
		var e event
		last = scanner.Text()
		if err := json.Unmarshal(scanner.Bytes(), &e); err != nil {
			s.t.Errorf("event %q: %v", last, err)
			break
		}
		reached = at(e)
	}
	killed := cmd.Process.Kill()
	waited := cmd.Wait()
	if !reached {
		s.t.Fatalf("%s: the run ended before it could be killed: %v, %v; last event: %s", name, waited, killed, last)
	}
}

// kubeadmGoesOn fails the test unless kubeadm still runs on cp1, with nobody to watch it.
func (s *site) kubeadmGoesOn() {
	s.t.Helper()
	if state := s.shell("cp1", "systemctl show fairlead-kubeadm.service -p ActiveState --value"); state != "active" {
		s.t.Errorf("after the kill the unit of kubeadm is %s", state)
	}
}

// waitedForKubeadm fails the test unless the run waited for the kubeadm of the one before
// instead of starting another.
func (s *site) waitedForKubeadm(events []event) {
	s.t.Helper()
	if _, waited := find(events, "done", "cp1/await-kubeadm"); !waited {
		s.t.Error("the second run did not wait for the kubeadm that still ran")
	}
	if e, again := find(events, "started", "cp1/init"); again {
		s.t.Errorf("the second run started kubeadm init again: %+v", e)
	}
}

// wantNoTokens fails the test if the cluster has a bootstrap token: the tests make none,
// so any would be fairlead's or kubeadm's.
func (s *site) wantNoTokens() {
	s.t.Helper()
	out := s.kubectl("get", "secrets", "--namespace", "kube-system", "--field-selector", "type=bootstrap.kubernetes.io/token",
		"--output", `jsonpath={range .items[*]}{.metadata.name}: {.data.description}{"\n"}{end}`)
	if out != "" {
		s.t.Errorf("bootstrap tokens are left (descriptions in base64):\n%s", out)
	}
}

// overlap returns an error if two steps ran at the same time.
func overlap(events []event, a, b string) error {
	begin, end := map[string]time.Time{}, map[string]time.Time{}
	for _, step := range []string{a, b} {
		started, hasStarted := find(events, "started", step)
		done, isDone := find(events, "done", step)
		if !hasStarted || !isDone {
			return fmt.Errorf("step %s: started %v, done %v", step, hasStarted, isDone)
		}
		begin[step], end[step] = started.Time, done.Time
	}
	if begin[a].Before(end[b]) && begin[b].Before(end[a]) {
		return fmt.Errorf("steps %s and %s ran at the same time", a, b)
	}
	return nil
}
