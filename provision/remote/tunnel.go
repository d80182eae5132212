package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
)

// DialContext opens a connection from the host to addr, through the way to the host. network is "tcp" or one of
// its variants. The connection supports deadlines, and fails with ErrLost when the host is lost.
func (h *Host) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := h.Alive(); err != nil {
		return nil, fmt.Errorf("dial %s from %s: %w", addr, h.name, err)
	}
	far, err := h.way.Dial(ctx, network, addr)
	if err != nil {
		return nil, fmt.Errorf("dial %s from %s: %w", addr, h.name, h.explain(err))
	}
	near, inner := net.Pipe()
	t := &tunnel{Conn: near, host: h, far: far, inner: inner, ended: make(chan struct{})}
	if !h.task(t.receive) || !h.task(t.transmit) || !h.task(t.watch) {
		t.shut()
		return nil, fmt.Errorf("dial %s from %s: %w", addr, h.name, errClosed)
	}
	h.log.DebugContext(ctx, "tunnel", "address", addr)
	return t, nil
}

// tunnel is the near end of a pipe whose inner end is copied to and from a connection of the transport: that may have no
// deadlines, as SSH's channels have none; a pipe has. Whichever side ends first closes the other, so both copies end.
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

// watch closes the far end when the way to the host ends. Then receive has its cause before the near end learns of it.
func (t *tunnel) watch() {
	select {
	case <-t.host.done:
		_ = t.far.Close()
	case <-t.ended:
	}
}

// shut closes both inner ends; closing twice is harmless.
func (t *tunnel) shut() {
	_ = t.inner.Close()
	_ = t.far.Close()
}

// Read reports the end of the stream as io.EOF, and as ErrLost when it is the end of the way to the host.
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
