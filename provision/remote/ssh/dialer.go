package ssh

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"fairlead/provision/remote"
)

const (
	defaultDialTimeout  = 4 * time.Second
	defaultLoginTimeout = 15 * time.Second
	defaultKeepAlive    = 3 * time.Second
)

// DefaultHandshakes is how many handshakes are computed at once. One takes some 3 ms of a core, and keeps its turn for turnTime
// at most: so 256 or more begin in a second, and a thousand hosts at once leave a laptop a core, and each of them its
// LoginTimeout.
const DefaultHandshakes = 64

// maxCommands is how many commands run at once on one connection; others wait. OpenSSH allows ten sessions (MaxSessions)
// and counts one a little longer than its command runs, so four commands may take eight. One more is for files and one
// for ending a cancelled command.
const maxCommands = 4

// Options tune a Dialer. The zero value is ready for use.
type Options struct {
	// Log gets one debug record per connection, command and file; nil discards them.
	Log *slog.Logger
	// Handshakes is how many handshakes may be computed at once; default DefaultHandshakes. What waits for a host to
	// answer is not counted, see turn.
	Handshakes int
	// DialTimeout bounds the TCP connection, and then the wait for the server's greeting; default 4 s.
	DialTimeout time.Duration
	// LoginTimeout bounds key exchange and authentication; default 15 s, as a slow resolver or PAM stack on the host
	// may hold a login for 10.
	LoginTimeout time.Duration
	// KeepAlive is the interval of keep-alive requests; default 3 s. Three that go unanswered, with no other
	// byte from the host in that time, end the connection.
	KeepAlive time.Duration
	// StopGrace is remote.Settings' StopGrace.
	StopGrace time.Duration
	// DialNet opens the TCP connection; nil means net.Dialer. The DialContext of another Host fits here.
	DialNet func(ctx context.Context, network, addr string) (net.Conn, error)
	// Passphrase asks for the passphrase of an identity file, of one at a time. It is called when a host would let the file's key
	// in and no other, up to three times while the answer is wrong; an empty one ends that. nil means that nobody can be asked:
	// encrypted files are then of use only for keys that the agent holds.
	Passphrase func(ctx context.Context, file string) ([]byte, error)
}

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
	if o.Handshakes <= 0 {
		o.Handshakes = DefaultHandshakes
	}
	if o.DialNet == nil {
		o.DialNet = new(net.Dialer).DialContext
	}
	return o
}

// Dialer makes the connections of one run. It is safe for concurrent use. Each known_hosts file, each identity file and
// the list of the agent's keys is read once, when it is first needed: what changes afterwards is not seen.
type Dialer struct {
	opts     Options
	known    *knownFiles
	revoked  *revokedFiles
	keys     *keyring
	jumps    *jumps
	compute  chan struct{} // holds a token for each handshake that is computed
	turnTime time.Duration
}

// NewDialer makes a Dialer, which reads and connects to nothing yet.
func NewDialer(o Options) *Dialer {
	o = o.withDefaults()
	return &Dialer{
		opts: o, known: newKnownFiles(o.Log), revoked: newRevokedFiles(), keys: newKeyring(o.Passphrase), jumps: newJumps(),
		compute: make(chan struct{}, o.Handshakes), turnTime: turnTime,
	}
}

// Close ends the talk with the agent and the connections to jump hosts, and so those that go through them, which had better be
// closed before. Others live on; logins that are under way may fail.
func (d *Dialer) Close() error { return errors.Join(d.jumps.close(), d.keys.close()) }

// Dial connects to a host, verifies its key and logs in. It tries once: a host that does not answer is
// remote.ErrUnreachable within DialTimeout. Other errors are remote.ErrHostKey (a *HostKeyError) and remote.ErrAuth. What is
// wrong with a jump host is a *JumpError around one of these, or around remote.ErrForwarding or remote.ErrLost.
// ctx bounds Dial only.
func (d *Dialer) Dial(ctx context.Context, t Target) (*remote.Host, error) {
	t = t.withDefaults()
	c, err := d.connect(ctx, t)
	if err != nil {
		return nil, err
	}
	return remote.New(c, remote.Settings{
		Name: t.Name, User: t.User, Log: d.opts.Log, Commands: maxCommands, StopGrace: d.opts.StopGrace, SudoPassword: t.SudoPassword,
	}), nil
}
