package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision"
	"fairlead/provision/event"
	"fairlead/provision/plan"
	"fairlead/provision/remote"

	"github.com/vbauerster/mpb/v8"
)

// clusterOf has a control plane and n-1 workers.
func clusterOf(n int) *inventory.Cluster {
	cluster := &inventory.Cluster{Name: "lab"}
	for i := range n {
		host := inventory.Host{
			Name: fmt.Sprintf("w%d", i), Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + i)}), Role: inventory.RoleWorker,
			SSH: inventory.SSH{User: "ubuntu", Port: 22},
		}
		if i == 0 {
			host.Name, host.Role = "cp1", inventory.RoleControlPlane
			cluster.ControlPlane.Hosts = []inventory.Host{host}
			continue
		}
		cluster.Workers = append(cluster.Workers, host)
	}
	return cluster
}

// trouble is why a host cannot be looked at: most ask for a password, two are down, one shell runs nothing.
func trouble(host inventory.Host) error {
	switch host.Name {
	case "w10", "w20":
		return &remote.ConnectError{Login: "ubuntu@" + host.Address.String() + ":22", Err: fmt.Errorf("%w: dial it: timeout", remote.ErrUnreachable)}
	case "w30":
		return &remote.UserError{User: "ubuntu", Err: fmt.Errorf("%w for ubuntu: %s", remote.ErrShell, "This account is currently not available.")}
	}
	return &remote.SudoError{Reason: remote.SudoAsks, User: "ubuntu"}
}

// findingsOf are one that all hosts have, in words of their own, and one of the last host.
func findingsOf(hosts []inventory.Host) []plan.Finding {
	var all []plan.Finding
	for _, host := range hosts {
		all = append(all, plan.Finding{Host: host.Name, Name: "Swap", Message: "swap is on", Fix: "ssh " + host.Address.String() + " swapoff -a", Warning: true})
		if host.Name != "cp1" {
			all = append(all, plan.Finding{Host: host.Name, Name: "Hostname", Message: "another host is called " + host.Name, Fix: "rename " + host.Name})
		}
	}
	return append(all, plan.Finding{Host: hosts[len(hosts)-1].Name, Name: "Memory", Message: "512 MiB is too little"})
}

// badRun are the events and the error of a run in which everything goes wrong on all hosts. They answer from the last to the first.
func badRun(cluster *inventory.Cluster) ([]event.Event, error) {
	hosts := cluster.Hosts()
	unreached := &provision.UnreachableError{}
	events := []event.Event{{Kind: event.Observing, Message: fmt.Sprintf("%d hosts", len(hosts))}}
	var errs []error
	for _, host := range hosts {
		err := trouble(host)
		unreached.Hosts, unreached.Causes = append(unreached.Hosts, host.Name), append(unreached.Causes, err)
		events = slices.Insert(events, 1, event.Event{Kind: event.Observed, Host: host.Name, Error: err.Error(), Seconds: 1})
	}
	for _, finding := range findingsOf(hosts) {
		events = append(events, event.Event{Kind: event.Found, Host: finding.Host, Message: finding.Message, Finding: &finding})
	}
	for _, host := range hosts {
		events = append(events, event.Event{Kind: event.BlockedStep, Host: host.Name, Title: "prepare the host", Message: "the host cannot be looked at"})
	}
	for _, host := range hosts {
		exit := &remote.ExitError{Host: host.Name, Code: 1, Stderr: []byte(kubeadmSays + "node " + host.Name + " at " + host.Address.String() + "\n")}
		err := fmt.Errorf("kubeadm join: %w", exit)
		errs = append(errs, &event.StepError{Host: host.Name, Title: "join " + host.Name, Err: err})
		events = append(events, event.Event{Kind: event.Failed, Host: host.Name, Step: host.Name + "/join", Title: "join " + host.Name, Seconds: 72, Error: err.Error()})
	}
	for _, host := range hosts {
		events = append(events, event.Event{Kind: event.Skipped, Host: host.Name, Title: "label the node", Message: "it needs “join” on " + host.Name + ", which was not done"})
	}
	events = append(events, event.Event{Kind: event.Finished, Seconds: 75, Error: "all of it"})
	return events, errors.Join(append(errs, unreached)...)
}

// kubeadmSays is what kubeadm prints of a join that fails.
const kubeadmSays = `error execution phase kubelet-start: the kubelet is not healthy after 4m0s
Unfortunately, an error has occurred, likely caused by:
	- The kubelet is not running
	- The kubelet is unhealthy due to a misconfiguration of the node in some way (required cgroups disabled)

If you are on a systemd-powered system, you can try to troubleshoot the error with the following commands:
	- 'systemctl status kubelet'
	- 'journalctl -xeu kubelet'
To see the stack trace of this error execute with --v=5 or higher
`

func eventView(target renderer) *view { return newView(target, slog.New(slog.DiscardHandler), false) }

// TestManyHosts shows the same trouble of one, three and sixty hosts: each cause stands there once, whatever the number.
func TestManyHosts(t *testing.T) {
	for _, n := range []int{1, 3, 60} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			cluster := clusterOf(n)
			events, err := badRun(cluster)
			var out, live bytes.Buffer
			out.WriteString("=== line by line\n")
			plain := eventView(newPlainRenderer(&out, cluster.Hosts(), false))
			onTerminal := newLiveRenderer(&live, cluster.Hosts(), false, false, mpb.WithAutoRefresh())
			onTerminal.settled = true // so that what stays is all there is
			moving := eventView(onTerminal)
			for _, e := range events {
				plain.event(e)
				moving.event(e)
			}
			if err := errors.Join(plain.close(nil), moving.close(nil)); err != nil {
				t.Fatal(err)
			}
			out.WriteString("=== on a terminal\n" + live.String() + "=== failures\n")
			writeFailures(&out, failures(err, cluster.Hosts()), false, cluster)
			out.WriteString("=== check and plan\n")
			text := newPlanText(false, false)
			made := plan.Plan{Findings: findingsOf(cluster.Hosts())}
			for _, host := range cluster.Hosts() {
				made.Blocked = append(made.Blocked, plan.Blocked{Host: host.Name, Title: "prepare the host", Reason: "the host cannot be looked at"})
			}
			text.plan(made, cluster)
			if err := text.flush(&out); err != nil {
				t.Fatal(err)
			}
			golden(t, fmt.Sprintf("many-%d.txt", n), out.Bytes())
			if lines := bytes.Count(out.Bytes(), []byte("\n")); lines > 70 {
				t.Errorf("%d hosts take %d lines", n, lines)
			}
			for _, cause := range []string{"asks ubuntu for a password", "is currently not available", "host is unreachable"} {
				if times := strings.Count(out.String(), cause); times > 1 {
					t.Errorf("%q is said %d times", cause, times)
				}
			}
		})
	}
}

// TestManyHostsAsJSON: programs get one event for each host, with its own words.
func TestManyHostsAsJSON(t *testing.T) {
	cluster := clusterOf(60)
	events, _ := badRun(cluster)
	var out bytes.Buffer
	v := eventView(newJSONRenderer(&out, io.Discard))
	for _, e := range events {
		v.event(e)
	}
	if err := v.close(nil); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != len(events) {
		t.Errorf("%d lines for %d events", n, len(events))
	}
	if n := strings.Count(out.String(), `"error":"sudo refused: it asks ubuntu for a password"`); n != 57 {
		t.Errorf("%d hosts say that sudo is refused, want 57", n)
	}
	if strings.Contains(out.String(), "NAME") || strings.Contains(out.String(), "ADDRESS") {
		t.Error("an event is not in its host's words")
	}
}

func TestHeaded(t *testing.T) {
	names := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("w%d", i+1))
		}
		return all
	}
	for _, c := range []struct {
		hosts   []string
		cluster int
		heading string
		list    string
	}{
		{[]string{""}, 3, "cluster", ""},
		{[]string{"cp1", "w1", "w2"}, 3, "cp1, w1, w2", ""},
		{names(3), 60, "w1, w2, w3", ""},
		{names(4), 60, "w1–w4", ""},
		{append([]string{"cp1"}, names(57)...), 60, "cp1, w1–w57", ""},
		{names(6), 6, "all 6 hosts", ""},
		{[]string{"a", "c", "e", "w8", "w9", "w10", "w11", "x", "y"}, 60, "a, c, e and 6 more", "a, c, e, w8–w11, x, y"},
		{[]string{"n07", "n08", "n09", "n10"}, 9, "n07–n10", ""},
		{[]string{"n7", "n08", "n09", "n10"}, 9, "n7, n08, n09, n10", ""},
		{[]string{"w1", "w3", "w5", "w7", "w7"}, 9, "w1, w3, w5, w7, w7", ""},
	} {
		if heading, list := headed(c.hosts, c.cluster); heading != c.heading || list != c.list {
			t.Errorf("%v: %q, %q", c.hosts, heading, list)
		}
	}
}

func TestNeutral(t *testing.T) {
	host := inventory.Host{Name: "w1", Address: netip.MustParseAddr("192.0.2.1")}
	for text, want := range map[string]string{
		"w1": "NAME", "w1: w1 w1.": "NAME: NAME NAME.", "w10 xw1 a-w1 w1-a": "w10 xw1 a-w1 w1-a", "(w1)/w1": "(NAME)/NAME",
		"me@192.0.2.1:22": "me@ADDRESS:22", "192.0.2.11 1.192.0.2.1": "192.0.2.11 1.192.0.2.1", "": "",
	} {
		if got := neutral(text, host); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := neutral("cluster", inventory.Host{}); got != "cluster" {
		t.Error(got)
	}
}
