//go:build cluster

package cluster

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"fairlead/e2e/lab"
)

// forwarded makes a port of this machine's loopback lead to a host's sshd until the test ends, as NAT and Vagrant do.
func (s *site) forwarded(host string) (port string) {
	s.t.Helper()
	listener, err := new(net.ListenConfig).Listen(s.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	to := net.JoinHostPort(s.address(host), "22")
	var pairs sync.WaitGroup
	pairs.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			pairs.Go(func() { splice(ctx, conn, to) })
		}
	})
	s.t.Cleanup(func() {
		cancel()
		if err := listener.Close(); err != nil {
			s.t.Error(err)
		}
		pairs.Wait()
	})
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port
}

// splice copies both ways between a connection and a new one until either ends.
func splice(ctx context.Context, conn net.Conn, to string) {
	defer conn.Close()
	other, err := new(net.Dialer).DialContext(ctx, "tcp", to)
	if err != nil {
		return // the other side sees that it is closed
	}
	defer other.Close()
	stop := context.AfterFunc(ctx, func() { _, _ = conn.Close(), other.Close() })
	defer stop()
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{conn, other}, {other, conn}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			done <- struct{}{}
		}()
	}
	<-done
	_, _ = conn.Close(), other.Close()
	<-done
}

// forwardedHost is what stands for the public and the private address of a document's machine: a port of this machine, and the host's address.
func (s *site) forwardedHost(public, private, host string) []string {
	s.t.Helper()
	port := s.forwarded(host)
	return []string{"ssh ubuntu@" + public, "ssh -p " + port + " " + lab.User + "@127.0.0.1", public, "127.0.0.1:" + port, private, s.address(host)}
}

// program puts a script into the laptop's PATH.
func (s *site) program(name, script string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.home, "bin", name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

// insertStick makes the folder that is the stick, and lets make find what it has built before.
func (s *site) insertStick() {
	s.t.Helper()
	if err := os.Mkdir(filepath.Join(s.home, "stick"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOTOOLCHAIN"} {
		value, err := exec.CommandContext(s.ctx, "go", "env", name).Output()
		if err != nil {
			s.t.Fatal(err)
		}
		s.env = append(s.env, name+"="+strings.TrimSpace(string(value)))
	}
	s.env = append(s.env, "FAIRLEAD_CACHE="+filepath.Dir(filepath.Dir(filepath.Dir(shared.bundle))))
}

// playVagrant puts a program into PATH that says of hosts what Vagrant would say of its machines.
func (s *site) playVagrant(hosts ...string) {
	s.t.Helper()
	status, ways, inside := "", "", ""
	for _, name := range hosts {
		host := s.labHost(name)
		status += fmt.Sprintf("echo 0,%s,state,running; ", name)
		ways += fmt.Sprintf("%q) printf '%%s\\n' 'Host %s' '  HostName 127.0.0.1' '  Port %s' '  User %s' '  IdentityFile \"%s\"' '  StrictHostKeyChecking no' ;;\n",
			"ssh-config "+name, name, s.forwarded(name), lab.User, s.lab.IdentityFile())
		inside += fmt.Sprintf("%q*) exec docker exec --user %s %s sh -c \"$4\" ;;\n", "ssh "+name+" -c ", lab.User, host.Container)
	}
	s.program("vagrant", "case $* in\nup) ;;\n'status --machine-readable') "+status+";;\n"+ways+inside+"*) echo \"unexpected: $*\" >&2; exit 1 ;;\nesac\n")
}

// playKind puts a program into PATH that knows a cluster of hosts, which are containers that are there already.
func (s *site) playKind(hosts ...string) {
	s.t.Helper()
	nodes := ""
	for _, name := range hosts {
		nodes += " " + s.labHost(name).Container
	}
	s.program("kind", "case $* in\n'create cluster --name lab --config nodes.yaml') ;;\n'get nodes --name lab') printf '%s\\n'"+nodes+" ;;\n*) echo \"unexpected: $*\" >&2; exit 1 ;;\nesac\n")
}

// haveCluster makes a cluster with kubeadm, and its kubeconfig the user's own.
func (s *site) haveCluster() {
	s.t.Helper()
	s.bareCluster("cp1", "w1", "w2")
	s.settled()
	folder := filepath.Join(s.home, ".kube")
	if err := os.Mkdir(folder, 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.write(filepath.Join(folder, "config"), s.shell("cp1", "cat /etc/kubernetes/admin.conf"))
	if err := os.Remove(s.file); err != nil {
		s.t.Fatal(err)
	}
}
