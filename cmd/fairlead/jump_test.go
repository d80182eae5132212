package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fairlead/provision"
	"fairlead/provision/event"
	"fairlead/provision/remote"
	"fairlead/provision/remote/ssh"
)

// Sixty hosts behind one jump host that is in trouble are one trouble, whatever they were at.
func TestManyHostsBehindAJumpHost(t *testing.T) {
	cluster := clusterOf(60)
	bastion := ssh.Target{Name: "bastion", Address: "bastion", Port: 22, User: "ann"}
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"dead": {
			fmt.Errorf("%w: dial tcp 192.0.2.1:22: i/o timeout", remote.ErrUnreachable),
			"connect to the jump host bastion (ann@bastion:22): host is unreachable: dial tcp 192.0.2.1:22: i/o timeout\n" +
				"  hint: is the jump host up, and does a firewall let you through? Try to log in by hand: ssh -p 22 ann@bastion\n",
		},
		"lost": {
			fmt.Errorf("%w: no answer for 9s", remote.ErrLost),
			"the connection to the jump host bastion (ann@bastion:22) was lost: no answer for 9s\n  hint: a kubeadm",
		},
		"without forwarding": {
			fmt.Errorf("%w: open failed", remote.ErrForwarding), "the jump host bastion (ann@bastion:22) lets no connections through to ADDRESS:22; allow them there (",
		},
	} {
		t.Run(name, func(t *testing.T) {
			unreached := &provision.UnreachableError{}
			var errs []error
			var out bytes.Buffer
			v := eventView(newPlainRenderer(&out, cluster.Hosts(), false))
			for _, host := range cluster.Hosts() {
				jump := &ssh.JumpError{Host: bastion, To: host.Address.String() + ":22", Err: c.err}
				unreached.Hosts, unreached.Causes = append(unreached.Hosts, host.Name), append(unreached.Causes, jump)
				v.event(event.Event{Kind: event.Observed, Host: host.Name, Error: jump.Error()})
			}
			for i, host := range cluster.Hosts() {
				jump := &ssh.JumpError{Host: bastion, To: host.Address.String() + ":22", Err: c.err}
				title := []string{"join " + host.Name, "pull images"}[i%2]
				errs = append(errs, &event.StepError{Host: host.Name, Title: title, Err: fmt.Errorf("open session: %w", jump)})
				v.event(event.Event{Kind: event.Failed, Host: host.Name, Step: host.Name + "/x", Title: title, Error: jump.Error()})
			}
			if err := v.close(nil); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(out.String(), "the jump host bastion ("); n != 1 || strings.Count(out.String(), "\n") != 5 {
				t.Errorf("it is named %d times:\n%s", n, out.String())
			}
			out.Reset()
			writeFailures(&out, failures(errors.Join(append(errs, unreached)...), cluster.Hosts()), false, cluster)
			if !strings.HasPrefix(out.String(), "error: all 60 hosts: "+c.says) || strings.Count(out.String(), "error: ") != 1 {
				t.Errorf("it says:\n%s", out.String())
			}
		})
	}
}
