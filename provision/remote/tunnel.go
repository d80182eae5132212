package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
)

// DialContext opens a connection from the host to addr, through the connection to the host. network is "tcp" or one of
// its variants. The connection supports deadlines, and fails with ErrLost when the host is lost.
func (h *Host) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := h.Alive(); err != nil {
		return nil, fmt.Errorf("dial %s from %s: %w", addr, h.target.Name, err)
	}
	far, err := h.client.DialContext(ctx, network, addr)
	if err != nil {
		return nil, fmt.Errorf("dial %s from %s: %w", addr, h.target.Name, h.explain(err))
	}
	near, inner := net.Pipe()
	t := &tunnel{Conn: near, host: h, far: far, inner: inner, ended: make(chan struct{})}
	if !h.task(t.receive) || !h.task(t.transmit) {
		t.shut()
		return nil, fmt.Errorf("dial %s from %s: %w", addr, h.target.Name, errClosed)
	}
	h.log.DebugContext(ctx, "tunnel", "address", addr)
	return t, nil
}

// tunnel is the near end of a pipe whose inner end is copied to and from a channel of the connection: channels have no
// deadlines, a pipe has. Whichever side ends first closes the other, so both copies end.
type tunnel struct {
	net.Conn
	host       *Host
	far, inner net.Conn
	ended      chan struct{} // closed when cause is set
	cause      error         // why nothing more is received
}

// receive copies from the host.
func (t *tunnel) receive() {
	_, err := io.Copy(t.inner, t.far)
	if err == nil {
		err = io.EOF
	}
	t.cause = t.host.explain(err)
	close(t.ended)
	t.shut()
}

// transmit copies to the host.
func (t *tunnel) transmit() {
	// An error means that either end was closed; the reader of the near end learns which.
	_, _ = io.Copy(t.far, t.inner)
	t.shut()
}

// shut closes both inner ends; closing twice is harmless.
func (t *tunnel) shut() {
	_ = t.inner.Close()
	_ = t.far.Close()
}

// Read reports the end of the stream as io.EOF, and as ErrLost when it is the end of the host's connection.
func (t *tunnel) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	return n, t.translate(err)
}

// Write fails as Read does.
func (t *tunnel) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	return n, t.translate(err)
}

// translate replaces the pipe's news of its end by the reason, once that is known.
func (t *tunnel) translate(err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	select {
	case <-t.ended:
		if errors.Is(t.cause, ErrLost) {
			return t.cause
		}
	default:
	}
	return err
}

// LocalAddr is the host's end as far as the protocol tells it.
func (t *tunnel) LocalAddr() net.Addr { return t.far.LocalAddr() }

// RemoteAddr is the address that was dialed, as far as the protocol tells it.
func (t *tunnel) RemoteAddr() net.Addr { return t.far.RemoteAddr() }
