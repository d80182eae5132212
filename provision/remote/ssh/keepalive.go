package ssh

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"fairlead/provision/remote"
)

const (
	// keepAliveRequest is OpenSSH's; servers that do not know it answer all the same, with a refusal.
	keepAliveRequest = "keepalive@openssh.com"
	// keepAliveMisses is how many unanswered keep-alives end the connection.
	keepAliveMisses = 3
)

// meter counts what a connection carries.
type meter struct {
	net.Conn
	read, written atomic.Int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.read.Add(int64(n))
	return n, err
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.written.Add(int64(n))
	return n, err
}

// closeQuietly closes a connection that is given up; what Close says then tells nothing.
func (m *meter) closeQuietly() {
	_ = m.Close()
}

// keepAlive ends the connection when the host has stopped answering. Every byte that arrives counts as an answer: on a
// slow line an upload can hold back the reply to a keep-alive for longer than three intervals.
func (c *conn) keepAlive() {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	answered := make(chan struct{}, 1)
	pending, missed, seen := false, 0, c.wire.read.Load()
	for {
		select {
		case <-c.done:
			return
		case <-answered:
			pending = false
			continue
		case <-ticker.C:
		}
		if now := c.wire.read.Load(); now != seen || !pending {
			seen, missed = now, 0
		} else if missed++; missed >= keepAliveMisses {
			c.lose(fmt.Errorf("%w: no answer for %s", remote.ErrLost, keepAliveMisses*c.interval))
			return
		}
		if pending {
			continue
		}
		pending = true
		c.task(func() {
			if _, _, err := c.client.SendRequest(keepAliveRequest, true, nil); err == nil {
				answered <- struct{}{}
			}
		})
	}
}
