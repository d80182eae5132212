package ssh

import (
	"net"
	"os/user"
	"strconv"

	"fairlead/provision/remote"
)

const defaultPort = 22

// Target says which machine to connect to, as whom, and how to know it.
type Target struct {
	// Name is how messages call the host; it is not resolved.
	Name string
	// Address is an IP address or a DNS name, without port.
	Address string
	// Port is the port of sshd; 0 means 22.
	Port int
	// User is the login user; empty means the local user's name.
	User string
	// IdentityFile is the one private key to use, from the file or, when the file is encrypted, from the agent, with its
	// certificates in IdentityFile-cert.pub and in the agent. Empty means the agent's keys and then the default files of
	// ~/.ssh that exist, with theirs.
	IdentityFile string
	// HostKey pins the host's key: "SHA256:…" as ssh-keygen -lf prints it, or "ssh-ed25519 AAAA…".
	HostKey string
	// KnownHosts are the files that hold known host keys when HostKey is empty; nil means ~/.ssh/known_hosts,
	// /etc/ssh/ssh_known_hosts, and the file beside each whose name ends in 2. A file that does not exist counts as empty.
	KnownHosts []string
	// Jump are the hosts to go through to get there, the first one first.
	Jump []Target
	// SudoPassword is remote.Settings' SudoPassword.
	SudoPassword *remote.Password

	isJump bool // it is one to go through
}

func (t Target) withDefaults() Target {
	if t.Port == 0 {
		t.Port = defaultPort
	}
	if t.Name == "" {
		t.Name = t.Address
	}
	if t.User == "" {
		if u, err := user.Current(); err == nil {
			t.User = u.Username
		}
	}
	return t
}

// addr is host:port as net.Dial takes it.
func (t Target) addr() string {
	return net.JoinHostPort(t.Address, strconv.Itoa(t.Port))
}

// login is user@host:port, for messages.
func (t Target) login() string {
	return t.User + "@" + t.addr()
}
