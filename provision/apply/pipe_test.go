package apply_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// pipes is a listener to which one connects in memory, so that a test with a clock of its own knows
// when all that is left to do is to wait.
type pipes struct {
	coming chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{coming: make(chan net.Conn), closed: make(chan struct{})} }

// connect opens a connection.
func (p *pipes) connect() (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.coming <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.coming:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serve is an HTTP server behind pipes. It ends with the test.
func serve(t *testing.T, handler http.Handler, start func(*httptest.Server)) (*httptest.Server, *pipes) {
	t.Helper()
	listener := newPipes()
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	start(server)
	t.Cleanup(server.Close)
	return server, listener
}
