package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// Dial connects to a host, verifies its key and logs in. It tries once: a host that does not answer is ErrUnreachable
// within DialTimeout. Other errors are ErrHostKey (a *HostKeyError) and ErrAuth. ctx bounds Dial only.
func Dial(ctx context.Context, t Target, o Options) (*Host, error) {
	t, o = t.withDefaults(), o.withDefaults()
	known, err := newVerifier(t, o.Log)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", t.login(), err)
	}
	creds, err := loadCredentials(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", t.login(), err)
	}
	defer creds.close()
	start := time.Now()
	h, err := dialProposals(ctx, t, o, login{known: known, creds: creds})
	o.Log.Debug("connect", "host", t.Name, "login", t.login(), "duration", time.Since(start), "error", err)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", t.login(), err)
	}
	return h, nil
}

// dialProposals tries one list of host key algorithms after the other while the host shows other keys than the pinned
// one. The error is that of the first key it showed.
func dialProposals(ctx context.Context, t Target, o Options, l login) (*Host, error) {
	var wrongKey, last error
	for _, algorithms := range l.known.proposals() {
		attempt := l
		attempt.algorithms = algorithms
		h, err := dialOnce(ctx, t, o, &attempt)
		if err == nil {
			return h, nil
		}
		last = err
		var noCommon *ssh.AlgorithmNegotiationError
		switch {
		case errors.Is(err, ErrHostKey):
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

	refused  error // what the host key check said
	verified bool  // the host key was accepted: what fails from here on is the login
}

func dialOnce(ctx context.Context, t Target, o Options, l *login) (*Host, error) {
	dialCtx, cancel := context.WithTimeout(ctx, o.DialTimeout)
	defer cancel()
	raw, err := o.DialNet(dialCtx, "tcp", t.addr())
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	conn := &meter{Conn: raw}
	client, err := l.handshake(ctx, t, o, conn)
	if err != nil {
		conn.closeQuietly()
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, l.reason(err)
	}
	return newHost(t, o, client, conn), nil
}

// handshake does key exchange and authentication within LoginTimeout. The server has to greet within DialTimeout: the
// kernel of a frozen host still takes connections.
func (l *login) handshake(ctx context.Context, t Target, o Options, conn net.Conn) (*ssh.Client, error) {
	now := time.Now()
	if err := conn.SetDeadline(now.Add(min(o.DialTimeout, o.LoginTimeout))); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	greeted := &greeted{Conn: conn, deadline: now.Add(o.LoginTimeout)}
	c, channels, requests, err := ssh.NewClientConn(greeted, t.addr(), &ssh.ClientConfig{
		User:              t.User,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(l.creds.signers...)},
		HostKeyAlgorithms: l.algorithms,
		HostKeyCallback: func(addr string, remote net.Addr, key ssh.PublicKey) error {
			l.refused = l.known.check(addr, remote, key)
			l.verified = l.refused == nil
			return l.refused
		},
	})
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return ssh.NewClient(c, channels, requests), nil
}

// greeted is a connection that gets another deadline once the peer has said something.
type greeted struct {
	net.Conn
	deadline time.Time
	spoken   bool
}

// Read implements io.Reader.
func (g *greeted) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if n > 0 && !g.spoken {
		g.spoken = true
		if extend := g.SetDeadline(g.deadline); err == nil {
			err = extend
		}
	}
	return n, err
}

// reason tells what a failed handshake means, from how far it came.
func (l *login) reason(err error) error {
	var noCommon *ssh.AlgorithmNegotiationError
	switch {
	case l.refused != nil:
		return l.refused
	case errors.As(err, &noCommon):
		return err
	case !l.verified:
		return fmt.Errorf("%w: no SSH server answers there: %w", ErrUnreachable, err)
	case isNetwork(err):
		return fmt.Errorf("%w: the connection ended during the login: %w", ErrUnreachable, err)
	}
	text := "tried " + strings.Join(l.creds.offered, ", ")
	if len(l.creds.skipped) > 0 {
		text += "; not tried: " + strings.Join(l.creds.skipped, ", ")
	}
	return fmt.Errorf("%w: %s: put one of these keys in the user's ~/.ssh/authorized_keys on the host, or set ssh.user "+
		"and ssh.identityFile: %w", ErrAuth, text, err)
}

// isNetwork tells errors of the connection from answers of the peer.
func isNetwork(err error) bool {
	var timeout net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &timeout)
}
