package ssh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	xssh "golang.org/x/crypto/ssh"

	"fairlead/provision/remote"
)

// hop is a jump host and the connection to it. Those who go through no jump host have a nil one.
type hop struct {
	target Target
	conn   *conn
}

// open connects from the jump host to an address. The connection has deadlines, and its Close waits for nobody. What the jump
// host refuses, or what has become of it, is a *JumpError; an address that it cannot connect to is remote.ErrUnreachable.
func (h *hop) open(ctx context.Context, address string) (net.Conn, error) {
	channel, err := h.conn.client.DialContext(ctx, "tcp", address)
	if err == nil {
		return h.conn.piped(channel)
	}
	var refused *xssh.OpenChannelError
	if errors.As(err, &refused) {
		return nil, h.refused(address, refused)
	}
	if ctx.Err() == nil {
		return nil, cmp.Or(h.lost(), err)
	}
	return nil, fmt.Errorf("%s has no answer from %s: %w", h.target.jumpName(), address, err)
}

// refused is what a jump host says that does not connect to an address.
func (h *hop) refused(address string, said *xssh.OpenChannelError) error {
	if said.Reason != xssh.ConnectionFailed {
		// RFC 4254, 5.1: all but "connect failed" are about forwarding itself.
		return &JumpError{Host: h.target, To: address, Err: fmt.Errorf("%w: %s", remote.ErrForwarding, said.Message)}
	}
	err := errors.New(said.Message)
	if said.Message == syscall.ECONNREFUSED.Error() || said.Message == "Connection refused" {
		// OpenSSH sends strerror(3)'s text (channel_post_connecting in its channels.c), and the protocol has nothing else that tells.
		err = fmt.Errorf("%w", syscall.ECONNREFUSED)
	}
	return fmt.Errorf("%w: %s cannot connect to %s: %w", remote.ErrUnreachable, h.target.jumpName(), address, err)
}

// lost is the loss of the jump host, which may be why what goes through it has ended; nil while the jump host answers.
func (h *hop) lost() error {
	if h == nil {
		return nil
	}
	return h.loss(h.conn.ended())
}

// lostWithin is lost, or nil when ctx ends before that is known.
func (h *hop) lostWithin(ctx context.Context) error {
	if h == nil {
		return nil
	}
	lost := make(chan error, 1)
	if !h.conn.task(func() { lost <- h.lost() }) {
		return errClosed
	}
	select {
	case err := <-lost:
		return err
	case <-ctx.Done():
		return nil
	}
}

// loss puts why a connection to a jump host has ended as those see it who go through it.
func (h *hop) loss(cause error) error {
	if cause == nil || !errors.Is(cause, remote.ErrLost) || errors.As(cause, new(*JumpError)) {
		return cause // of a jump host before it, or it was closed
	}
	return &JumpError{Host: h.target, Err: cause}
}

// piped gives a channel what a login needs of its connection, and channels of SSH do not have: deadlines, and reads that end
// with Close. A peer that does not take what was sent to it keeps a channel open for as long as it likes, so the copying is a
// task of the connection and not of who uses the channel.
func (c *conn) piped(channel net.Conn) (net.Conn, error) {
	near, far := net.Pipe()
	hangUp := func() {
		_ = far.Close()
		_ = channel.Close() // of what is over, nothing is to be learnt
	}
	copying := func(to io.Writer, from io.Reader) func() {
		return func() {
			defer hangUp()
			_, _ = io.Copy(to, from) // the near end sees that it is over
		}
	}
	if !c.task(copying(far, channel)) || !c.task(copying(channel, far)) {
		hangUp()
		return nil, errors.Join(errClosed, near.Close())
	}
	return near, nil
}
