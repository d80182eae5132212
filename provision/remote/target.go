package remote

import (
	"context"
	"log/slog"
	"net"
	"os/user"
	"strconv"
	"time"
)

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
	// IdentityFile is the one private key to use, from the file or, when the file is encrypted, from the agent.
	// Empty means the agent's keys and then the default files of ~/.ssh that exist.
	IdentityFile string
	// HostKey pins the host's key: "SHA256:…" as ssh-keygen -lf prints it, or "ssh-ed25519 AAAA…".
	HostKey string
	// KnownHosts are the files that hold known host keys when HostKey is empty; nil means ~/.ssh/known_hosts and
	// /etc/ssh/ssh_known_hosts. A file that does not exist counts as empty.
	KnownHosts []string
}

// Options tune a connection. The zero value is ready for use.
type Options struct {
	// Log gets one debug record per command and file; nil discards them.
	Log *slog.Logger
	// DialTimeout bounds the TCP connection, and then the wait for the server's greeting; default 4 s.
	DialTimeout time.Duration
	// LoginTimeout bounds key exchange and authentication; default 15 s, as a slow resolver or PAM stack on the host
	// may hold a login for 10.
	LoginTimeout time.Duration
	// KeepAlive is the interval of keep-alive requests; default 3 s. Three that go unanswered, with no other
	// byte from the host in that time, end the connection.
	KeepAlive time.Duration
	// StopGrace is how long a cancelled command may take to end after SIGTERM before it gets SIGKILL; default 5 s.
	StopGrace time.Duration
	// DialNet opens the TCP connection; nil means net.Dialer. The DialContext of another Host fits here.
	DialNet func(ctx context.Context, network, addr string) (net.Conn, error)
}

const (
	defaultDialTimeout  = 4 * time.Second
	defaultLoginTimeout = 15 * time.Second
	defaultKeepAlive    = 3 * time.Second
	defaultStopGrace    = 5 * time.Second
	defaultPort         = 22
)

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.DialTimeout <= 0 {
		o.DialTimeout = defaultDialTimeout
	}
	if o.LoginTimeout <= 0 {
		o.LoginTimeout = defaultLoginTimeout
	}
	if o.KeepAlive <= 0 {
		o.KeepAlive = defaultKeepAlive
	}
	if o.StopGrace <= 0 {
		o.StopGrace = defaultStopGrace
	}
	if o.DialNet == nil {
		o.DialNet = new(net.Dialer).DialContext
	}
	return o
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
