package ssh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"fairlead/provision/remote"
)

// connect makes the connection that Dial is about.
func (d *Dialer) connect(ctx context.Context, t Target) (*conn, error) {
	start := time.Now()
	c, err := d.logIn(ctx, t)
	d.opts.Log.Debug("connect", "host", t.Name, "login", t.login(), "jumps", len(t.Jump), "duration", time.Since(start), "error", err)
	return c, notReached(t.login(), err)
}

// notReached is the error of a host that was not reached, unless a jump host is to blame.
func notReached(where string, err error) error {
	if err == nil || errors.As(err, new(*JumpError)) {
		return err
	}
	return &remote.ConnectError{Login: where, Err: err}
}

// logIn connects with what is known of the target and all keys for it.
func (d *Dialer) logIn(ctx context.Context, t Target) (*conn, error) {
	known, err := d.verifier(t)
	if err != nil {
		return nil, err
	}
	for {
		var c *conn
		creds, err := d.keys.credentials(ctx, t)
		if err == nil {
			c, err = d.dialProposals(ctx, t, login{known: known, creds: creds})
		}
		var locked *lockedError
		if !errors.As(err, &locked) {
			return c, err
		}
		if err := d.keys.unlock(ctx, locked.key); err != nil {
			return nil, err
		}
	}
}

// dialProposals tries one list of host key algorithms after the other while the host shows other keys than the pinned
// one. The error is that of the first key it showed.
func (d *Dialer) dialProposals(ctx context.Context, t Target, l login) (*conn, error) {
	var wrongKey, last error
	for _, algorithms := range l.known.proposals() {
		attempt := l
		attempt.algorithms = algorithms
		c, err := d.dialOnce(ctx, t, &attempt)
		if err == nil {
			return c, nil
		}
		last = err
		var noCommon *xssh.AlgorithmNegotiationError
		switch {
		case errors.Is(err, remote.ErrHostKey):
			wrongKey = cmp.Or(wrongKey, err)
		case !errors.As(err, &noCommon):
			return nil, err
		}
	}
	return nil, cmp.Or(wrongKey, last)
}

// login is one attempt to log in and how far it came.
type login struct {
	known      *verifier
	creds      *credentials
	algorithms []string

	keyOnly  bool           // the handshake ends with the host key
	shown    xssh.PublicKey // by the host, which has proven that it is its own
	refused  error          // what the host key check said
	verified bool           // the host key was accepted: what fails from here on is the login
}

func (d *Dialer) dialOnce(ctx context.Context, t Target, l *login) (*conn, error) {
	raw, via, err := d.open(ctx, t)
	if err != nil {
		return nil, err
	}
	wire := &meter{Conn: raw}
	client, err := d.handshake(ctx, t, l, wire)
	if err != nil {
		wire.closeQuietly()
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		if p, ok := raw.(*proxied); ok {
			err = p.explain(err)
		}
		return nil, cmp.Or(via.lostWithin(ctx), l.reason(err))
	}
	return newConn(client, wire, via, d.opts.KeepAlive), nil
}

// handshake does key exchange and authentication within LoginTimeout. The server has to greet within DialTimeout: the
// kernel of a frozen host still takes connections. A ProxyCommand has yet to connect, and has the time of a login for it.
func (d *Dialer) handshake(ctx context.Context, t Target, l *login, wire net.Conn) (*xssh.Client, error) {
	greeting := min(d.opts.DialTimeout, d.opts.LoginTimeout)
	if t.ProxyCommand != "" {
		greeting = d.opts.LoginTimeout
	}
	if err := wire.SetDeadline(time.Now().Add(greeting)); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = wire.Close() })
	defer stop()
	var mine *turn
	defer func() { mine.over() }()
	server := &greeted{Conn: wire, onGreeting: func() (err error) {
		if mine, err = d.take(ctx); err != nil {
			return err
		}
		// Only from here on, so that no login pays for those before it.
		return wire.SetDeadline(time.Now().Add(d.opts.LoginTimeout))
	}}
	c, channels, requests, err := xssh.NewClientConn(server, t.addr(), &xssh.ClientConfig{
		User:              t.User,
		Auth:              []xssh.AuthMethod{xssh.PublicKeys(l.creds.signers...)},
		HostKeyAlgorithms: l.algorithms,
		HostKeyCallback: func(addr string, peer net.Addr, key xssh.PublicKey) error {
			l.shown, l.refused = key, l.known.check(addr, peer, key)
			l.verified = l.refused == nil
			if l.keyOnly {
				return errKeyShown
			}
			return l.refused
		},
	})
	if err != nil {
		return nil, err
	}
	if err := wire.SetDeadline(time.Time{}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return xssh.NewClient(c, channels, requests), nil
}

// reason tells what a failed handshake means, from how far it came.
func (l *login) reason(err error) error {
	var noCommon *xssh.AlgorithmNegotiationError
	switch {
	case l.refused != nil:
		return l.refused
	case errors.As(err, &noCommon), errors.As(err, new(*lockedError)):
		return err
	case !l.verified:
		return fmt.Errorf("%w: no SSH server answers there: %w", remote.ErrUnreachable, err)
	case isNetwork(err):
		return fmt.Errorf("%w: the connection ended during the login: %w", remote.ErrUnreachable, err)
	}
	text := "tried " + strings.Join(l.creds.offered, ", ")
	if len(l.creds.skipped) > 0 {
		text += "; not tried: " + strings.Join(l.creds.skipped, ", ")
	}
	other := "set ssh.user and ssh.identityFile"
	if l.known.target.isJump {
		other = "name another user in ssh.jump or ssh's configuration, or set ssh.identityFile"
	}
	return fmt.Errorf("%w: %s: put one of these keys in the user's ~/.ssh/authorized_keys on the host, or %s: %w", remote.ErrAuth, text, other, err)
}

// isNetwork tells errors of the connection from answers of the peer.
func isNetwork(err error) bool {
	var timeout net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &timeout)
}
