//go:build cluster

package cluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"time"
)

// kubeadmUnit is the transient unit in which kubeadm runs on a host.
const kubeadmUnit = "fairlead-kubeadm.service"

// moment is when something happens in the middle of a run, and what.
type moment struct {
	name string
	at   func(events []event) bool // true of what the run has said up to now
	then func(*site, *os.Process, event) error
}

// upWith runs fairlead up to its end, and lets each of the moments come once, in any order.
// It is a failure if the run ends before all of them have come.
func (s *site) upWith(moments ...moment) outcome {
	s.t.Helper()
	cmd := s.command("up", "--output", "json", "--verbose")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	o := outcome{t: s.t, line: "fairlead up --output json --verbose", begin: time.Now()}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var events []event
	var said strings.Builder
	came := make([]bool, len(moments))
	scanner := bufio.NewScanner(stdout)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		said.WriteString(scanner.Text() + "\n")
		var e event
		if err := json.Unmarshal(scanner.Bytes(), &e); err != nil {
			s.t.Errorf("event %q: %v", scanner.Text(), err)
			continue
		}
		events = append(events, e)
		for i, m := range moments {
			if came[i] || !m.at(events) {
				continue
			}
			came[i] = true
			s.t.Logf("%s: after %.1fs, at %s %s", m.name, time.Since(o.begin).Seconds(), e.Step, e.Message)
			if err := m.then(s, cmd.Process, e); err != nil {
				s.t.Errorf("%s: %v", m.name, err)
			}
		}
	}
	waited := cmd.Wait()
	o.code, o.stdout, o.stderr, o.took = cmd.ProcessState.ExitCode(), said.String(), stderr.String(), time.Since(o.begin)
	s.t.Logf("%s: exit %d after %.1fs", o.line, o.code, o.took.Seconds())
	for i, m := range moments {
		if !came[i] {
			s.t.Fatalf("%s: the run ended before: %v\n%s\nstderr: %s", m.name, waited, lastLines(o.stdout), lastLines(o.stderr))
		}
	}
	return o
}

// killAt runs fairlead up and kills it, as the kernel does when memory is short, at the first
// event of which at is true.
func (s *site) killAt(name string, at func(event) bool) {
	s.t.Helper()
	s.upWith(moment{name, last(at), func(_ *site, p *os.Process, _ event) error { return p.Kill() }}).exits(-1)
}

// last is true if at is true of the last event.
func last(at func(event) bool) func([]event) bool {
	return func(events []event) bool { return at(events[len(events)-1]) }
}

// printed is true when a step's program prints a line with the text.
func printed(step, text string) func([]event) bool {
	return last(func(e event) bool { return e.Kind == "output" && e.Step == step && strings.Contains(e.Message, text) })
}

// killKubeadm ends kubeadm on the host of the event, as the kernel does when memory is short.
func killKubeadm(s *site, _ *os.Process, e event) error {
	return s.signalKubeadm(e.Host, "KILL")
}

// signalKubeadm sends a signal to the kubeadm that is at work on a host.
func (s *site) signalKubeadm(host, signal string) error {
	_, err := s.lab.Exec(s.ctx, host, "systemctl", "kill", "--signal="+signal, kubeadmUnit)
	return err
}

// interrupt is Ctrl-C.
func interrupt(_ *site, p *os.Process, _ event) error { return p.Signal(os.Interrupt) }

// ended says that a step is over in the events, well or not.
func ended(events []event, step string) bool {
	_, done := find(events, "done", step)
	_, failed := find(events, "failed", step)
	return done || failed
}
