package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// NATAddress is the address that every host behind NAT has on the NIC that leads there: VirtualBox gives it to the first NIC of each machine.
const NATAddress = "10.0.2.15"

// NAT is the network of one host alone, behind which it has NATAddress. Its gateway leads nowhere.
type NAT struct {
	holder *exec.Cmd // keeps the network's name space
	input  io.Closer // of the holder, which ends with it
	space  *os.File
}

// hostBehindNAT gives a host, in whose name space it runs, two NICs as VirtualBox does: eth0 behind NAT, with the default route over it,
// and eth1, which is the lab's network.
const hostBehindNAT = `set -eu
ip link set eth0 down
ip link set eth0 name eth1
ip link set eth1 up
ip link set nat0 name eth0
ip address add "$1/24" brd + dev eth0
ip link set eth0 up
ip route replace default via 10.0.2.2 dev eth0`

// BehindNAT gives the host a second NIC, which has the same address on every host, and takes its default route there. That is so until the host
// stops, or the NAT is closed.
func (l *Lab) BehindNAT(ctx context.Context, host string) (*NAT, error) {
	h, err := l.Host(host)
	if err != nil {
		return nil, err
	}
	pid, err := l.machine.docker(ctx, nil, "inspect", "--format", "{{.State.Pid}}", h.Container)
	if err != nil {
		return nil, err
	}
	n, err := newNAT(ctx)
	if err != nil {
		return nil, fmt.Errorf("make NAT of host %s: %w", host, err)
	}
	inside := []string{"nsenter", "--net=/proc/" + strconv.Itoa(n.holder.Process.Pid) + "/ns/net", "ip"}
	for _, args := range []string{"link add nat type veth peer name nat0 netns " + pid, "address add 10.0.2.2/24 dev nat", "link set nat up"} {
		argv := append(inside[:len(inside):len(inside)], strings.Fields(args)...)
		if _, err = run(ctx, nil, argv, 0); err != nil {
			break
		}
	}
	if err == nil {
		_, err = l.ExecInput(ctx, host, strings.NewReader(hostBehindNAT), "sh", "-s", NATAddress)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make NAT of host %s: %w", host, err), n.Close())
	}
	return n, nil
}

// newNAT makes a network without anything in it. It goes when this process does.
func newNAT(ctx context.Context) (*NAT, error) {
	holder := exec.CommandContext(ctx, "unshare", "--net", "sh", "-c", "ip link set lo up && echo here && exec cat")
	input, err := holder.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := holder.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := holder.Start(); err != nil {
		return nil, err
	}
	n := &NAT{holder: holder, input: input}
	if _, err = bufio.NewReader(output).ReadString('\n'); err == nil {
		n.space, err = os.Open("/proc/" + strconv.Itoa(holder.Process.Pid) + "/ns/net")
	}
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// Close takes the network away, and with it the host's NIC.
func (n *NAT) Close() error {
	err := n.input.Close()
	if n.space != nil {
		err = errors.Join(err, n.space.Close())
	}
	return errors.Join(err, n.holder.Wait())
}

// Dial connects to a port of the host by NATAddress, as the program does that forwards a port of this machine's.
func (n *NAT) Dial(ctx context.Context, port string) (net.Conn, error) {
	var conn net.Conn
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		// A thread of this goroutine alone, which ends with it: it never comes back from that network.
		runtime.LockOSThread()
		if err = unix.Setns(int(n.space.Fd()), unix.CLONE_NEWNET); err != nil {
			return
		}
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(NATAddress, port))
	}()
	<-done
	if err != nil {
		return nil, fmt.Errorf("dial %s behind NAT: %w", NATAddress, err)
	}
	return conn, nil
}
