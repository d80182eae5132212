package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision"
	"fairlead/provision/bundle"
	"fairlead/provision/engine"
	"fairlead/provision/event"
	"fairlead/provision/lock"
	"fairlead/provision/plan"
	"fairlead/provision/registry"
	"fairlead/provision/remote"
	"fairlead/provision/remote/container"
	"fairlead/provision/remote/ssh"
)

func manyLines(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "line %d\n\n", i+1)
	}
	return b.Bytes()
}

func TestFailures(t *testing.T) {
	exit := &remote.ExitError{Host: "w1", Command: "script of 900 bytes", Code: 1, Stdout: []byte("said on stdout\n"), Stderr: manyLines(12)}
	silent := &remote.ExitError{Host: "worker2", Command: "systemctl restart kubelet.service", Code: 137, Signal: "KILL", Stdout: []byte("said on stdout\n")}
	hostKey := &ssh.HostKeyError{Host: "cp1", Address: "192.0.2.11:22", KeyType: "ssh-ed25519", Fingerprint: "SHA256:abc", Files: []string{"/kh"}}
	err := errors.Join(
		engine.ErrPreflight,
		&plan.RefusedError{Cluster: "lab", Hosts: []plan.Belonging{
			{Host: "worker2", Verdict: plan.Foreign, Reason: "fairlead has made it one of cluster prod", Fix: "correct the host's address; or: fairlead reset worker2 --foreign"},
			{Host: "w1", Verdict: plan.Unproven, Reason: "no other host has its CA\nerror: w2: x", Fix: "run fairlead up"},
		}},
		&event.StepError{Host: "", Step: "cluster/network", Title: "apply flannel", Err: fmt.Errorf("reach the API server: %w", errors.Join(errors.New("one"), errors.New("two")))},
		&event.StepError{Host: "worker2", Step: "worker2/join", Title: "restart the kubelet", Err: fmt.Errorf("restart: %w", silent)},
		&event.StepError{Host: "w1", Step: "w1/join", Title: "join as worker", Err: fmt.Errorf("kubeadm join: %w", exit)},
		&event.StepError{Host: "w1", Step: "w1/ready", Title: "wait for the node", Err: context.Canceled},
		&provision.UnreachableError{
			Hosts:  []string{"cp1", "w1"},
			Causes: []error{fmt.Errorf("connect to ubuntu@192.0.2.11: %w", hostKey), fmt.Errorf("connect to ubuntu@192.0.2.21: %w: %w", remote.ErrUnreachable, errors.New("refused"))},
		},
	)
	cluster := exampleCluster()
	var out bytes.Buffer
	writeFailures(&out, withoutCancelled(failures(err, cluster.Hosts())), false, cluster)
	golden(t, "failures.txt", out.Bytes())
}

// jumpTrouble is trouble with the last of three jump hosts.
func jumpTrouble(err error) error {
	return fmt.Errorf("x: %w", &ssh.JumpError{To: "192.0.2.21:22", Err: err, Host: ssh.Target{
		Name: "bastion", Alias: "bastion", Address: "192.0.2.1", Port: 2222, User: "ann", IdentityFiles: []string{"/home/ann/.ssh/id key"}, Jump: []ssh.Target{{Address: "gate"}, {Address: "fd00::1", User: "ann", Port: 24}},
	}})
}

// The command to log in by hand goes through the jump hosts that the inventory names, or through none.
func TestHintThroughJumpHosts(t *testing.T) {
	cluster := exampleCluster()
	host := cluster.Workers[0]
	host.SSH.Jump = []string{"ann@bastion:2222", "[fd00::1]"}
	const want = " -J 'ann@bastion:2222,[fd00::1]' ubuntu@192.0.2.21"
	for _, err := range []error{remote.ErrAuth, remote.ErrUnreachable} {
		if got := hintFor(err, cluster, host); !strings.HasSuffix(got, want) {
			t.Errorf("%v: got %q", err, got)
		}
	}
	host.SSH.Jump = []string{}
	if got := hintFor(remote.ErrAuth, cluster, host); !strings.HasSuffix(got, " -J none ubuntu@192.0.2.21") {
		t.Errorf("got %q", got)
	}
}

func TestHints(t *testing.T) {
	cluster := exampleCluster()
	host := cluster.Workers[0]
	tests := []struct {
		name string
		err  error
		want string // "" is no hint at all
	}{
		{"unknown", errors.New("something"), ""},
		{"host key says it itself", &ssh.HostKeyError{Pin: "SHA256:x"}, ""},
		{"certificate says it itself", &ssh.HostKeyError{Host: host.Name, Cause: errors.New("it has expired")}, ""},
		{"unknown host key", fmt.Errorf("x: %w", &ssh.HostKeyError{Host: host.Name, Files: []string{"/kh"}}), "fairlead trust"},
		{"unknown host key that is kept nowhere", &ssh.HostKeyError{Host: host.Name, Files: []string{os.DevNull}}, ""},
		{"unknown host key of a jump host", &ssh.HostKeyError{Host: "bastion"}, ""},
		{"a container says it itself", fmt.Errorf("x: %w", errors.Join(remote.ErrUnreachable, &container.Error{})), ""},
		{"auth", fmt.Errorf("x: %w", remote.ErrAuth), "ssh -p 22 -i '/home/ann/.ssh/id key' ubuntu@192.0.2.21"},
		{"unreachable by another name", fmt.Errorf("x: %w", &remote.ConnectError{Login: "ubuntu@203.0.113.1:2203 (web1)", Err: remote.ErrUnreachable}), "listen on 203.0.113.1:2203 (web1), "},
		{"sudo of another user", fmt.Errorf("x: %w", &remote.UserError{User: "vagrant", Err: remote.ErrSudo}), "'vagrant ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/vagrant &&"},
		{"sudo", fmt.Errorf("x: %w", remote.ErrSudo), "'ubuntu ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ubuntu &&"},
		{"sudo asks", &remote.SudoError{Reason: remote.SudoAsks, User: "john.doe"}, "set ssh.sudo.password (prompt, {file: …} or {env: …}) in the cluster file, or let john.doe become root without a password; as root on the host: echo 'john.doe ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/john_doe &&"},
		{"sudo refuses a password", &remote.SudoError{Reason: remote.SudoWrong, User: "ann"}, "correct what ssh.sudo.password names; a host with another password gets an ssh.sudo of its own"},
		{"another host does", &remote.SudoError{Reason: remote.SudoUntried, User: "ann", By: "cp1"}, "correct what ssh.sudo.password names"},
		{"requiretty", &remote.SudoError{Reason: remote.SudoTerminal, User: "ann"}, "echo 'Defaults:ann !requiretty' >/etc/sudoers.d/ann-tty &&"},
		{"sudoers", &remote.SudoError{Reason: remote.SudoRules, User: "ann", Said: "ann is not in the sudoers file."}, "'ann ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ann &&"},
		{"doas asks", &remote.SudoError{Reason: remote.DoasAsks, User: "ann"}, "echo 'permit nopass ann' >>/etc/doas.conf; or install sudo"},
		{"doas has no rule", &remote.SudoError{Reason: remote.SudoRules, User: "ann", Said: "doas: Operation not permitted"}, "echo 'permit nopass ann' >>/etc/doas.conf; or install sudo"},
		{"no sudo", &remote.SudoError{Reason: remote.SudoMissing, User: "ann"}, "install sudo on the host, or log in as root"},
		{"sudo somehow", &remote.SudoError{Reason: remote.SudoOther, User: "ann", Said: "x"}, "'ann ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ann &&"},
		{"shell", fmt.Errorf("x: %w", remote.ErrShell), "usermod --shell /bin/sh ubuntu"},
		{"unreachable", fmt.Errorf("x: %w", remote.ErrUnreachable), "192.0.2.21:22"},
		{"lost", fmt.Errorf("x: %w", remote.ErrLost), "run the same command again"},
		{"jump host lets nobody in", jumpTrouble(remote.ErrAuth), "log in to the jump host by hand: ssh -p 2222 -i '/home/ann/.ssh/id key' -J 'gate,ann@[fd00::1]:24' ann@bastion"},
		{"jump host is unreachable", jumpTrouble(remote.ErrUnreachable), "is the jump host up, and does a firewall let you through? Try to log in by hand: ssh -p 2222 "},
		{"jump host is lost", jumpTrouble(remote.ErrLost), "run the same command again"},
		{"jump host's key", jumpTrouble(&ssh.HostKeyError{}), ""},
		{"jump host does not forward", jumpTrouble(remote.ErrForwarding), ""},
		{"corrupt", fmt.Errorf("x: %w", bundle.ErrCorrupt), "the bundle is damaged"},
		{"no bundle", &fs.PathError{Op: "stat", Path: "/srv/bundle.tar", Err: fs.ErrNotExist}, "kubernetes.bundle names /srv/bundle.tar"},
		{"another file", &fs.PathError{Op: "stat", Path: "/srv/other", Err: fs.ErrNotExist}, ""},
		{"no space", &remote.ExitError{Stderr: []byte("cp: write error: No space left on device\n")}, "df -h"},
		{"another exit", &remote.ExitError{Stderr: []byte("no such file\n")}, ""},
		{"preflight", engine.ErrPreflight, "ignorePreflight"},
		{"sparse index", fmt.Errorf("x: %w", &registry.SparseError{Has: []string{"linux/amd64", "unknown/unknown", "linux/arm/v7"}}), "with --platform linux/amd64 --platform linux/arm/v7"},
		{"sparse index of a pinned image", &registry.SparseError{Has: []string{"linux/amd64"}, Pinned: true}, "name it by its tag alone"},
		{"empty index", &registry.SparseError{Has: []string{"unknown/unknown"}}, "no platform is there"},
		{"another run", fmt.Errorf("take the lock: %w", &lock.HeldError{}), "wait until that run is over"},
		{"the lock is lost", fmt.Errorf("x: %w", &lock.LostError{}), "gave no sign of life"},
		{"not converged", fmt.Errorf("x: %w", &engine.NotConvergedError{}), "fairlead plan --diff"},
		{"leftovers", &provision.LeftoverError{}, "run reset again"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := hintFor(test.err, cluster, host)
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("hint is %q, want one with %q", got, test.want)
			}
			if nowhere := hintFor(test.err, cluster, inventory.Host{}); strings.Contains(nowhere, "invalid") || strings.Contains(nowhere, ":0") {
				t.Errorf("without a host the hint is %q", nowhere)
			}
		})
	}
}

// TestHintOfSwappedWays: a host that shows the pinned key of another one is told by that one's name.
func TestHintOfSwappedWays(t *testing.T) {
	const fingerprint, key = "SHA256:2bIBJ", "ssh-ed25519 AAAA"
	for name, test := range map[string]struct {
		pin     string // of another host
		refused ssh.HostKeyError
		told    bool
	}{
		"by its fingerprint":     {fingerprint, ssh.HostKeyError{Pin: "SHA256:x", Fingerprint: fingerprint, Key: key}, true},
		"by its key":             {key + " root@cp1", ssh.HostKeyError{Pin: "SHA256:x", Fingerprint: fingerprint, Key: key}, true},
		"where nothing is known": {key, ssh.HostKeyError{Host: "w1", Files: []string{"/kh"}, Fingerprint: fingerprint, Key: key}, false},
		"another key":            {"ssh-ed25519 BBBB", ssh.HostKeyError{Pin: "SHA256:x", Fingerprint: fingerprint, Key: key}, false},
		"without a pin":          {"", ssh.HostKeyError{Pin: "SHA256:x"}, false},
		"a jump host":            {key, ssh.HostKeyError{Jump: true, Fingerprint: fingerprint, Key: key}, false},
		"a key that is revoked":  {key, ssh.HostKeyError{Revoked: true, Fingerprint: fingerprint, Key: key}, false},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := exampleCluster()
			cluster.ControlPlane.Hosts[0].SSH.HostKey = test.pin
			own := cluster.Workers[0]
			own.SSH.HostKey = "SHA256:x"
			got := hintFor(&test.refused, cluster, own)
			if want := "the key is that of " + cluster.ControlPlane.Hosts[0].Name + ": the way to " + own.Name; strings.HasPrefix(got, want) != test.told {
				t.Errorf("hint is %q", got)
			}
			if got := hintFor(&test.refused, cluster, inventory.Host{}); strings.Contains(got, "the way to ") {
				t.Errorf("without a host the hint is %q", got)
			}
		})
	}
}

// TestNeutralAlias: words about a host that fit others, by whatever name or address it was reached.
func TestNeutralAlias(t *testing.T) {
	host := exampleCluster().Workers[0]
	host.SSH.Address = "web-1.lab"
	const text = "w1 at 192.0.2.21: dial web-1.lab:22, not web-1.lab-2"
	if got := neutral(text, host); got != "NAME at ADDRESS: dial ADDRESS:22, not web-1.lab-2" {
		t.Errorf("got %q", got)
	}
}

// TestHintsOfAliases: what the inventory leaves to ssh's configuration, a command for people leaves to it as well.
func TestHintsOfAliases(t *testing.T) {
	for _, c := range []struct {
		ssh  inventory.SSH
		want string
	}{
		{inventory.SSH{}, "ssh 192.0.2.21"},
		{inventory.SSH{Address: "web1"}, "ssh web1"},
		{inventory.SSH{Address: "127.0.0.1", Port: 2222, User: "vagrant", IdentityFile: "/k y"}, "ssh -p 2222 -i '/k y' vagrant@127.0.0.1"},
	} {
		host := exampleCluster().Workers[0]
		host.SSH = c.ssh
		if got := hintFor(remote.ErrAuth, nil, host); !strings.HasSuffix(got, ": "+c.want) {
			t.Errorf("%q does not end in %q", got, c.want)
		}
	}
}

func TestConclude(t *testing.T) {
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	late, over := context.WithCancelCause(t.Context())
	over(&timeoutError{duration{time.Minute, "1m"}})
	unknown := &provision.UnreachableError{Hosts: []string{"cp1"}, Causes: []error{&ssh.HostKeyError{Host: "cp1", Files: []string{"/kh"}}}}
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want int
		says string
	}{
		{"done", t.Context(), nil, exitDone, ""},
		{"changes", t.Context(), errChanges, exitChanges, ""},
		{"problems", t.Context(), errIncomplete, exitFailed, "  log: /log\n"},
		{"failed", t.Context(), engine.ErrPreflight, exitFailed, "error: preflight checks failed\n  hint: "},
		{"stopped", stopped, context.Canceled, exitFailed, "stopped after 1 step; run the same command again to go on\n  log: /log\n"},
		{"out of time", late, context.Canceled, exitFailed, "error: --timeout 1m is over\nstopped after 1 step; run the same command again to go on\n  log: /log\n"},
		{"out of time with the cause", late, context.Cause(late), exitFailed, "error: --timeout 1m is over\nstopped after"},
		{"next after unknown keys", t.Context(), unknown, exitFailed, "error: cp1: the SSH host key is not known here yet\n  hint: see the keys of all hosts, " +
			"compare them, and have them written down: fairlead trust\n  log: /log\nnext: fairlead trust -f 'my lab.yaml'\n"},
		{"usage", t.Context(), &usageError{err: errors.New("bad")}, exitUsage, "error: bad\n"},
		{"next", t.Context(), nil, exitDone, "next: fairlead up -f 'my lab.yaml'\n"},
		{"next after changes", t.Context(), errChanges, exitChanges, "next: fairlead up -f 'my lab.yaml'\n"},
		{"next after problems", t.Context(), errIncomplete, exitFailed, "  log: /log\nnext: mend what is said above, then: fairlead check -f 'my lab.yaml'\n"},
		{"next after a stop", stopped, context.Canceled, exitFailed, "stopped after 1 step; run the same command again to go on\n  log: /log\n"},
		{"next of JSON", t.Context(), nil, exitDone, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			p := &program{stderr: &out, env: func(string) string { return "" }}
			log := &debugLog{Logger: slog.New(slog.DiscardHandler), path: "/log"}
			v := newView(newPlainRenderer(&bytes.Buffer{}, nil, false), log.Logger, false)
			v.event(event.Event{Kind: event.Done})
			r := &invocation{program: p, cluster: exampleCluster(), log: log, view: v}
			if strings.HasPrefix(test.name, "next") {
				r.following, r.file, r.json = followings()["check"], "my lab.yaml", strings.HasSuffix(test.name, "JSON")
			}
			if got := p.exit(r.conclude(test.ctx, test.err)); got != test.want {
				t.Errorf("exit code %d, want %d", got, test.want)
			}
			if !strings.HasPrefix(out.String(), test.says) || (test.says == "" || strings.HasPrefix(test.name, "next")) && out.String() != test.says {
				t.Errorf("said %q, want %q", out.String(), test.says)
			}
		})
	}
}
