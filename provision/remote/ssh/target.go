package ssh

import (
	"net"
	"os/user"
	"strconv"

	"fairlead/provision/remote"
)

const defaultPort = 22

// Target says which machine to connect to, as whom, and how to know it. What it is called like in ssh_config(5) means the same.
type Target struct {
	// Name is how messages call the host; it is not resolved.
	Name string
	// Address is an IP address or a DNS name, without port.
	Address string
	// Alias is what the user calls the address, for messages; "" where it is the address itself.
	Alias string
	// Network is tcp, tcp4 or tcp6; empty means tcp.
	Network string
	// Port is the port of sshd; 0 means 22.
	Port int
	// User is the login user; empty means the local user's name.
	User string
	// IdentityFiles are private keys to use, from the file or, when the file is encrypted, from the agent, with their
	// certificates in FILE-cert.pub, unless there are CertificateFiles, and in the agent. A file that does not exist is passed
	// over where there are others. nil means the default files of ~/.ssh that exist; an empty list means none.
	IdentityFiles []string
	// CertificateFiles are certificates of these keys, or of keys in the agent.
	CertificateFiles []string
	// IdentitiesOnly says that no other keys of the agent are used.
	IdentitiesOnly bool
	// Agent is the socket of the agent; "" means $SSH_AUTH_SOCK, and NoAgent that there is none.
	Agent string
	// HostKeyAlias is the name by which known_hosts and certificates know the host, whatever its port; empty means the address.
	HostKeyAlias string
	// HostKey pins the host's key: "SHA256:…" as ssh-keygen -lf prints it, or "ssh-ed25519 AAAA…".
	HostKey string
	// KnownHosts are the files that hold known host keys when HostKey is empty; nil means ~/.ssh/known_hosts,
	// /etc/ssh/ssh_known_hosts, and the file beside each whose name ends in 2. A file that does not exist counts as empty.
	KnownHosts []string
	// RevokedKeys are files of public keys, one a line, that no host may have, unless it is its HostKey. Each has to be readable.
	RevokedKeys []string
	// ProxyCommand is what the user's shell runs to get there, with its tokens expanded; empty means that the address is dialled.
	// It has no meaning beside Jump.
	ProxyCommand string
	// Jump are the hosts to go through to get there, the first one first.
	Jump []Target
	// SudoPassword is remote.Settings' SudoPassword.
	SudoPassword *remote.Password

	isJump bool // it is one to go through
}

// NoAgent as Target.Agent means that no agent is asked.
const NoAgent = "none"

func (t Target) withDefaults() Target {
	if t.Port == 0 {
		t.Port = defaultPort
	}
	if t.Name == "" {
		t.Name = t.Address
	}
	if t.Network == "" {
		t.Network = "tcp"
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

// place is host:port, for messages, with the alias where that is another name.
func (t Target) place() string {
	if t.Alias != "" && t.Alias != t.Address {
		return t.addr() + " (" + t.Alias + ")"
	}
	return t.addr()
}

// login is user@host:port, for messages, with the alias where that is another name.
func (t Target) login() string { return t.User + "@" + t.place() }

// knownNames are the names by which known_hosts may know the host: see knownNames. An alias has no port (get_hostfile_hostname_ipaddr
// in OpenSSH's sshconnect.c).
func (t Target) knownNames() []string {
	if t.HostKeyAlias != "" {
		return []string{asciiLower(t.HostKeyAlias)}
	}
	return knownNames(t.Address, t.Port)
}

// certifiedName is the name that a host certificate has to be for.
func (t Target) certifiedName() string {
	if t.HostKeyAlias != "" {
		return t.HostKeyAlias
	}
	return t.Address
}
