//go:build cluster

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"fairlead/e2e/lab"
)

// vagrantBox makes a machine of a lab host, as Vagrant's boxes are: $1 is its user, standard input the one key that lets in, $2 its lines of /etc/hosts.
const vagrantBox = `set -eu
id "$1" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$1"
echo "$1 ALL=(ALL) NOPASSWD: ALL" >"/etc/sudoers.d/$1"
install -d -m 700 -o "$1" -g "$1" "/home/$1/.ssh"
install -m 600 -o "$1" -g "$1" /dev/stdin "/home/$1/.ssh/authorized_keys"
rm -rf /home/fairlead/.ssh
printf "$2" >/etc/hosts`

// insecureKey is the public one of the pair with which Vagrant's boxes come, and which everybody has.
const insecureKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN1YdxBpNlzxDqfJyw/QKow1F+wvG9hXGoqiysfJOn5Y vagrant insecure public key\n"

// vagrantStandIn is Vagrant's program as far as fairlead asks it: $STATE has a line for each machine, NAME STATE PORT KEY.
const vagrantStandIn = `#!/bin/sh
set -eu
STATE='%s'
[ -f Vagrantfile ] || { echo "1764500000,,error-exit,Vagrant::Errors::NoEnvironmentError,A Vagrant environment is required"; exit 1; }
of() { awk -v name="$1" '$1 == name' "$STATE"; }
config() {
	set -- $(of "$1")
	[ "$2" = running ] || { echo "The provider for this Vagrant-managed machine is reporting that it is not yet ready for SSH." >&2; exit 1; }
	printf 'Host %%s\n  HostName 127.0.0.1\n  User vagrant\n  Port %%s\n  UserKnownHostsFile /dev/null\n  StrictHostKeyChecking no\n' "$1" "$3"
	printf '  PasswordAuthentication no\n  IdentityFile %%s\n  IdentitiesOnly yes\n  LogLevel FATAL\n' "$4"
	printf '  PubkeyAcceptedKeyTypes +ssh-rsa\n  HostKeyAlgorithms +ssh-rsa\n\n'
}
case "$1 $2" in
"status --machine-readable")
	while read -r name state _; do
		printf '1764500000,%%s,metadata,provider,virtualbox\n1764500000,%%s,provider-name,virtualbox\n' "$name" "$name"
		printf '1764500000,%%s,state,%%s\n1764500000,%%s,state-human-short,%%s\n1764500000,%%s,state-human-long,The VM is %%s.\n' "$name" "$state" "$name" "$state" "$name" "$state"
	done <"$STATE"
	echo '1764500000,,ui,info,Current machine states:\n\nThis environment represents multiple VMs.' ;;
"ssh-config "?*) config "$2" ;;
"ssh-config ") awk '$2 == "running" { print $1 }' "$STATE" | while read -r name; do config "$name"; done ;;
"ssh "*)
	name=$2 command=$4
	answer=$(mktemp)
	trap 'rm -f "$answer"' EXIT
	config "$name" >"$answer"
	ssh -F "$answer" -T "$name" "$command" ;;
*) echo "unexpected: $*" >&2; exit 9 ;;
esac
`

// vagrants are lab hosts that look like machines of Vagrant's, and its program.
type vagrants struct {
	*site
	nats     map[string]*lab.NAT
	forwards map[string]*forward // by name of the machine
}

// forward is a port of this machine that leads to sshd of another one.
type forward struct {
	port  string
	mutex sync.Mutex
	to    *lab.NAT
}

// makeVagrants makes machines of all hosts. Each has the private key of its own, and lines about itself in /etc/hosts as some guest has them.
func (s *site) makeVagrants(hosts map[string]string) *vagrants {
	s.t.Helper()
	v := &vagrants{site: s, nats: map[string]*lab.NAT{}, forwards: map[string]*forward{}}
	s.write(filepath.Join(s.home, "Vagrantfile"), "")
	var group sync.WaitGroup
	s.t.Cleanup(group.Wait)
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		key := v.key(name)
		if err := os.MkdirAll(filepath.Dir(key), 0o700); err != nil {
			s.t.Fatal(err)
		}
		if out, err := exec.CommandContext(s.ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
			s.t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
		authorized := s.read(key + ".pub")
		if name == "w2" {
			authorized += insecureKey
		}
		if _, err := s.lab.ExecInput(s.ctx, name, strings.NewReader(authorized), "sh", "-c", vagrantBox, "sh", "vagrant", hosts[name]); err != nil {
			s.t.Fatal(err)
		}
		nat, err := s.lab.BehindNAT(s.ctx, name)
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() {
			if err := nat.Close(); err != nil {
				s.t.Error(err)
			}
		})
		v.nats[name] = nat
		v.forwards[name] = s.listen(&group, nat)
	}
	return v
}

// key is where Vagrant has the key of a machine.
func (v *vagrants) key(name string) string {
	return filepath.Join(v.home, ".vagrant", "machines", name, "virtualbox", "private_key")
}

// listen forwards a port as Vagrant does: 2222, or the first one from 2200 that nobody has.
func (s *site) listen(group *sync.WaitGroup, to *lab.NAT) *forward {
	s.t.Helper()
	ports := []int{2222}
	for port := 2200; port <= 2250; port++ {
		ports = append(ports, port)
	}
	var refused error
	for _, port := range ports {
		listener, err := new(net.ListenConfig).Listen(s.ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			refused = err
			continue
		}
		f := &forward{port: fmt.Sprint(port), to: to}
		ctx, stop := context.WithCancel(s.ctx)
		group.Go(func() { f.serve(ctx, group, listener) })
		s.t.Cleanup(func() {
			stop()
			if err := listener.Close(); err != nil {
				s.t.Error(err)
			}
		})
		return f
	}
	s.t.Fatal(refused)
	return nil
}

func (f *forward) serve(ctx context.Context, group *sync.WaitGroup, listener net.Listener) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return // it was closed
		}
		f.mutex.Lock()
		to := f.to
		f.mutex.Unlock()
		group.Go(func() {
			defer near.Close()
			far, err := to.Dial(ctx, "22")
			if err != nil {
				return // who has come sees the end
			}
			defer far.Close()
			stop := context.AfterFunc(ctx, func() { _ = errors.Join(near.Close(), far.Close()) })
			defer stop()
			var both sync.WaitGroup
			both.Go(func() { pass(far, near) })
			both.Go(func() { pass(near, far) })
			both.Wait()
		})
	}
}

// pass copies one direction of a connection, and its end.
func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from) // its failure is the end of the connection, for both sides
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

// swapPorts is another `vagrant up`, with the ports of two machines exchanged.
func (v *vagrants) swapPorts(a, b string) {
	v.t.Helper()
	first, second := v.forwards[a], v.forwards[b]
	first.mutex.Lock()
	second.mutex.Lock()
	first.to, second.to = second.to, first.to
	second.mutex.Unlock()
	first.mutex.Unlock()
	v.forwards[a], v.forwards[b] = second, first
	v.install("w3")
}

// install puts Vagrant's program into fairlead's PATH. The machine that is away was switched off.
func (v *vagrants) install(away string) {
	v.t.Helper()
	state := ""
	for _, name := range slices.Sorted(maps.Keys(v.forwards)) {
		state += name + " running " + v.forwards[name].port + " " + v.key(name) + "\n"
	}
	state += away + " poweroff - -\n"
	file, folder := filepath.Join(v.home, "machines"), filepath.Join(v.home, "vagrant")
	v.write(file, state)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "vagrant"), fmt.Appendf(nil, vagrantStandIn, file), 0o700); err != nil {
		v.t.Fatal(err)
	}
	v.env = []string{"PATH=" + folder + ":" + os.Getenv("PATH")}
}
