package ssh

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// Whatever is wrong with a jump host, or between it and the target, is said of the right one of both.
func TestJumpHostsThatDoNotHelp(t *testing.T) {
	bastion, last := startSSHD(t), startSSHD(t)
	unforwarding, strict := startSSHD(t, "AllowTcpForwarding no"), startSSHD(t, "PermitOpen 192.0.2.7:22")
	stranger := filepath.Join(t.TempDir(), "stranger")
	remotetest.WriteKey(t, stranger, remotetest.NewEd25519(t), "")
	closed := remotetest.RefusingPort(t)
	silentPort := stub(t, silent)
	nowhere := Target{Name: "w1", Address: "127.0.0.1", Port: closed, User: "ann", IdentityFiles: []string{stranger}, IdentitiesOnly: true, HostKey: "SHA256:x"}
	changed := func(s server, change func(*Target)) Target {
		target := s.bastion(t, "bastion")
		change(&target)
		return target
	}
	known := filepath.Join(t.TempDir(), "known_hosts")
	remotetest.WriteText(t, known, fmt.Sprintf("[127.0.0.1]:%d %s\n", bastion.Port, remotetest.KeyText(remotetest.NewPublic(t))))
	behindUnforwarding := unforwarding.bastion(t, "bastion")
	for name, tt := range map[string]struct {
		way  []Target
		to   Target
		is   error
		jump string // the jump host that is to blame; empty when it is the target
		says []string
		not  string
	}{
		"jump host refuses the login": {
			way: []Target{changed(bastion, func(t *Target) { t.IdentityFiles = []string{stranger} })}, to: last.target(t), is: remote.ErrAuth, jump: "bastion",
			says: []string{"connect to the jump host bastion (", "login refused: tried ", "name another user in ssh.jump"}, not: "ssh.user",
		},
		"no key for the jump host": {
			way: []Target{changed(bastion, func(t *Target) { t.IdentityFiles = []string{"/none"} })}, to: last.target(t), is: remote.ErrAuth, jump: "bastion",
			says: []string{"connect to the jump host bastion (", "/none does not exist"},
		},
		"jump host has another key": {
			way: []Target{changed(bastion, func(t *Target) { t.HostKey = "SHA256:x" })}, to: last.target(t), is: remote.ErrHostKey, jump: "bastion",
			says: []string{"connect to the jump host bastion (", "host key of bastion ("},
		},
		"known_hosts has another key": {
			way: []Target{changed(bastion, func(t *Target) { t.HostKey, t.KnownHosts = "", []string{known} })}, to: last.target(t), is: remote.ErrHostKey, jump: "bastion",
			says: []string{known + ":1", "ssh-keygen -R"},
		},
		"jump host is unknown": {
			way: []Target{changed(bastion, func(t *Target) { t.HostKey, t.KnownHosts = "", []string{"/none"} })}, to: last.target(t), is: remote.ErrHostKey, jump: "bastion",
			says: []string{"no known key", fmt.Sprintf("add this line to /none:\n[127.0.0.1]:%d ssh-ed25519 ", bastion.Port)}, not: "ssh.hostKey",
		},
		"jump host is not there": {
			way: []Target{changed(bastion, func(t *Target) { t.Port = closed })}, to: last.target(t), is: remote.ErrUnreachable, jump: "bastion",
			says: []string{"connect to the jump host bastion (", "connection refused"},
		},
		"second jump host is not there": {
			way: []Target{bastion.bastion(t, "bastion"), changed(bastion, func(t *Target) { t.Name, t.Port = "inner", closed })}, to: last.target(t), is: remote.ErrUnreachable, jump: "inner",
			says: []string{"connect to the jump host inner (", "the jump host bastion (", "cannot connect to 127.0.0.1:" + strconv.Itoa(closed)},
		},
		"jump host does not forward": {
			way: []Target{behindUnforwarding}, to: last.target(t), is: remote.ErrForwarding, jump: "bastion",
			says: []string{"the jump host bastion (" + behindUnforwarding.login() + ") lets no connections through to " + last.target(t).addr(), "AllowTcpForwarding"},
		},
		"jump host does not forward there": {
			way: []Target{strict.bastion(t, "bastion")}, to: last.target(t), is: remote.ErrForwarding, jump: "bastion", says: []string{"PermitOpen"},
		},
		"target refuses connections": {
			way: []Target{bastion.bastion(t, "bastion")}, to: nowhere, is: syscall.ECONNREFUSED,
			says: []string{"connect to " + nowhere.login() + ": host is unreachable: the jump host bastion (", ") cannot connect to " + nowhere.addr() + ": connection refused"},
		},
		"target does not greet": {
			way: []Target{bastion.bastion(t, "bastion")}, to: changed(last, func(t *Target) { t.Port = silentPort }), is: remote.ErrUnreachable,
			says: []string{"no SSH server answers there"},
		},
		"target has another key": {
			way: []Target{bastion.bastion(t, "bastion")}, to: changed(last, func(t *Target) { t.HostKey = "SHA256:x" }), is: remote.ErrHostKey,
			says: []string{"connect to " + last.target(t).login() + ": host key of"},
		},
		"target refuses the login": {
			way: []Target{bastion.bastion(t, "bastion")}, to: changed(last, func(t *Target) { t.IdentityFiles = []string{stranger} }), is: remote.ErrAuth,
			says: []string{"connect to " + last.target(t).login() + ": login refused", "set ssh.user"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, Options{DialTimeout: time.Second})
			tt.to.Jump = tt.way
			_, err := d.Dial(t.Context(), tt.to)
			var jump *JumpError
			blamed := ""
			if errors.As(err, &jump) {
				blamed = jump.Host.Name
			}
			if !errors.Is(err, tt.is) || blamed != tt.jump {
				t.Fatalf("blames %q: %v", blamed, err)
			}
			for _, want := range tt.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
			if tt.not != "" && strings.Contains(err.Error(), tt.not) {
				t.Errorf("error says %q:\n%v", tt.not, err)
			}
		})
	}
}
