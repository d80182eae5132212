package fleet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"strings"
)

// Network is a network namespace, all of whose addresses are its own, with a link to it. To make
// it takes root.
type Network struct {
	Name   string       // of the namespace and, with a digit, of the link's two ends
	Subnet netip.Prefix // of 16 bits: the hosts have the lower half, the link's ends are in the upper
}

// Hosts is the part of the subnet that hosts have.
func (n Network) Hosts() netip.Prefix { return netip.PrefixFrom(n.Subnet.Masked().Addr(), 17) }

// ends are the addresses of the link: outside, inside.
func (n Network) ends() (outside, inside netip.Prefix) {
	base := n.Subnet.Masked().Addr().As4()
	end := func(last byte) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{base[0], base[1], 255, last}), 30)
	}
	return end(253), end(254)
}

// Exec is the command line that runs a program inside.
func (n Network) Exec(argv ...string) []string {
	return append([]string{"ip", "netns", "exec", n.Name}, argv...)
}

// Up makes the network anew. What is there by its name is removed before, and after a failure.
func (n Network) Up(ctx context.Context) error {
	if n.Subnet.Bits() != 16 || !n.Subnet.Addr().Is4() {
		return fmt.Errorf("make network %s: %s is not an IPv4 network of 16 bits", n.Name, n.Subnet)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("make network %s: only root can make a network namespace: be root", n.Name)
	}
	if err := n.Down(ctx); err != nil {
		return err
	}
	for _, args := range n.commands() {
		if err := ip(ctx, args); err != nil {
			return errors.Join(fmt.Errorf("make network %s: %w", n.Name, err), n.Down(context.WithoutCancel(ctx)))
		}
	}
	return nil
}

// commands make the network. The hosts' half is local to the namespace as a whole, which gives it
// all addresses by one line; from outside it lies behind one gateway, as the kernel's table of
// neighbours holds a thousand.
func (n Network) commands() []string {
	outside, inside := n.ends()
	return []string{
		"netns add " + n.Name,
		"link add " + n.Name + "0 type veth peer name " + n.Name + "1 netns " + n.Name,
		"-n " + n.Name + " link set lo up",
		"-n " + n.Name + " addr add " + inside.String() + " dev " + n.Name + "1",
		"-n " + n.Name + " link set " + n.Name + "1 up",
		"-n " + n.Name + " route add local " + n.Hosts().String() + " dev lo",
		"addr add " + outside.String() + " dev " + n.Name + "0",
		"link set " + n.Name + "0 up",
		"route add " + n.Hosts().String() + " via " + inside.Addr().String(),
	}
}

// Down removes the network, by its name. The link goes by itself, as the namespace lives on
// for as long as a process is in it.
func (n Network) Down(ctx context.Context) error {
	var errs []error
	for _, part := range []struct{ path, args string }{
		{"/sys/class/net/" + n.Name + "0", "link delete " + n.Name + "0"},
		{"/run/netns/" + n.Name, "netns delete " + n.Name},
	} {
		if _, err := os.Stat(part.path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := ip(ctx, part.args); err != nil {
			errs = append(errs, fmt.Errorf("remove network %s: %w", n.Name, err))
		}
	}
	return errors.Join(errs...)
}

// ip runs iproute2's program with some words.
func ip(ctx context.Context, words string) error {
	out, err := exec.CommandContext(ctx, "ip", strings.Fields(words)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("run ip %s: %w: %s", words, err, strings.TrimSpace(string(out)))
	}
	return nil
}
