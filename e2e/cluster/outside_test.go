//go:build cluster

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"syscall"
	"time"
)

// pingOnce asks an address whether it is there.
const pingOnce = "ping -c 1 -W 2 "

// outside makes a neighbour of this machine, as a host elsewhere on the internet would be, and
// returns its address. This machine reaches it, and so does a lab that is not closed.
func (s *site) outside() string {
	s.t.Helper()
	ip := func(args ...string) error {
		out, err := exec.CommandContext(s.ctx, "ip", args...).CombinedOutput()
		if err != nil {
			return errors.Join(err, errors.New(string(out)))
		}
		return nil
	}
	// Another lab of this machine has a neighbour of its own. The addresses are from the networks for benchmarks (RFC 2544), and the
	// kernel allows 15 letters for the name of a link.
	n := shared.number
	outsideName, here, there := fmt.Sprintf("fairlead-outside-%d", n), fmt.Sprintf("fairlead-o%d", n), fmt.Sprintf("fairlead-p%d", n)
	insideAddress, outsideAddress := fmt.Sprintf("198.18.%d.1", n), fmt.Sprintf("198.18.%d.2", n)
	_ = ip("netns", "delete", outsideName) // of a run that was killed
	s.t.Cleanup(func() {
		if err := exec.CommandContext(context.WithoutCancel(s.ctx), "ip", "netns", "delete", outsideName).Run(); err != nil {
			s.t.Error(err)
		}
	})
	for _, args := range [][]string{
		{"netns", "add", outsideName},
		{"link", "add", here, "type", "veth", "peer", "name", there, "netns", outsideName},
		{"address", "add", insideAddress + "/30", "dev", here},
		{"link", "set", here, "up"},
		{"-netns", outsideName, "address", "add", outsideAddress + "/30", "dev", there},
		{"-netns", outsideName, "link", "set", there, "up"},
		{"-netns", outsideName, "route", "add", "default", "via", insideAddress},
	} {
		if err := ip(args...); err != nil {
			s.t.Fatalf("ip %v: %v", args, err)
		}
	}
	// Nothing listens there: that it refuses is its answer.
	s.eventually("an answer of "+outsideAddress, 30*time.Second, func() string {
		dialer := net.Dialer{Timeout: time.Second}
		conn, err := dialer.DialContext(s.ctx, "tcp", net.JoinHostPort(outsideAddress, "9"))
		switch {
		case err == nil:
			return errorText(conn.Close())
		case errors.Is(err, syscall.ECONNREFUSED):
			return ""
		}
		return err.Error()
	})
	return outsideAddress
}
