package ssh

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// throughProxy is a target behind a ProxyCommand, which a shell runs that writes its process id first.
func throughProxy(t *testing.T, srv server, command string) (target Target, pid func() int) {
	t.Helper()
	t.Setenv("SHELL", "/bin/sh")
	file := filepath.Join(t.TempDir(), "pid")
	target = srv.target(t)
	target.Address, target.Port = "web.lab", 0
	target.ProxyCommand = remote.Quote([]string{"sh", "-c", `echo $$ >"$1"; ` + command, "sh", file})
	return target, func() int {
		var pid int
		remotetest.Eventually(t, 10*time.Second, "the command writes its process id", func() bool {
			text, err := os.ReadFile(file)
			if err != nil {
				return false
			}
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
			return err == nil
		})
		return pid
	}
}

// gone says that a process group is.
func gone(pid int) bool { return errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) }

// TestProxyCommand logs in through a command, uses the connection, and leaves nothing behind.
func TestProxyCommand(t *testing.T) {
	srv := startSSHD(t)
	inetd := remote.Quote(srv.Inetd())
	for name, command := range map[string]string{
		"obedient":                   "exec " + inetd,
		"deaf":                       "trap '' HUP; " + inetd + "; :",
		"with something beside":      "sleep 600 & exec " + inetd,
		"with something deaf beside": "(trap '' HUP; exec sleep 600 </dev/null >/dev/null 2>&1) & exec " + inetd,
	} {
		t.Run(name, func(t *testing.T) {
			target, pid := throughProxy(t, srv, command)
			// It has the time of a login to get anywhere.
			h, err := reach(t.Context(), target, Options{DialTimeout: time.Microsecond, LoginTimeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			result, err := h.Run(t.Context(), remote.Command{Script: "head -c 300000 /dev/zero | wc -c; wc -c", Stdin: strings.NewReader(strings.Repeat("x", 300000))})
			if err != nil || strings.Join(strings.Fields(string(result.Stdout)), " ") != "300000 300000" {
				t.Errorf("%q, %v", result.Stdout, err)
			}
			leader := pid()
			if syscall.Getpgrp() == leader || gone(leader) {
				t.Error("the command is not in a group of its own")
			}
			closeHost(t, h)
			remotetest.Eventually(t, 10*time.Second, "the command and what it started are gone", func() bool { return gone(leader) })
		})
	}
}

// TestProxyCommandEnds loses the connection with its command.
func TestProxyCommandEnds(t *testing.T) {
	srv := startSSHD(t)
	target, pid := throughProxy(t, srv, "exec "+remote.Quote(srv.Inetd()))
	h, err := reach(t.Context(), target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeHost(t, h)
	if err := syscall.Kill(-pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-h.Done()
	if err := h.Alive(); !errors.Is(err, remote.ErrLost) {
		t.Errorf("the end of the command is %v", err)
	}
}

// TestProxyCommandIsSilent gives a command up that leads nowhere.
func TestProxyCommandIsSilent(t *testing.T) {
	srv := startSSHD(t)
	target, pid := throughProxy(t, srv, "echo still trying >&2; exec sleep 600")
	_, err := reach(t.Context(), target, Options{DialTimeout: time.Millisecond, LoginTimeout: 200 * time.Millisecond})
	if !errors.Is(err, remote.ErrUnreachable) || !strings.Contains(fmt.Sprint(err), "ProxyCommand says: still trying") {
		t.Errorf("got %v", err)
	}
	if leader := pid(); !gone(leader) {
		t.Error("the command is still there")
	}
}
