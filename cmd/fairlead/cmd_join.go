package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"fairlead/inventory"

	"github.com/urfave/cli/v2"
)

const (
	flagAddress      = "address"
	flagControlPlane = "control-plane"
	flagHostKey      = "host-key"
	flagSSHAddress   = "ssh-address"
	flagNodeName     = "node-name"
)

func (p *program) joinCommand() *cli.Command {
	return &cli.Command{
		Name:      "join",
		Usage:     "add a host to the cluster file and to the cluster",
		ArgsUsage: "NAME",
		Description: "Adds the host to the file, keeping its comments and order, and runs up. Run again, it only runs up.\n\n" +
			"Examples:\n  fairlead join w3 --address 192.0.2.23\n" +
			"  fairlead join w3 --address 192.0.2.23 --ssh-address ubuntu@bastion.example.org:2203\n" +
			"  fairlead join w3 --container kind-worker3",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: flagAddress, Usage: "the host's `ADDRESS`, by which the other hosts reach it, or two of two IP families with a comma between them; a name is looked up once"},
			&cli.StringFlag{Name: flagSSHAddress, Usage: "[USER@]HOST[:PORT] by which this machine reaches it, where that is another `WAY`; HOST may be an alias of ssh's configuration"},
			&cli.StringFlag{Name: flagContainer, Usage: "the container that it is, by `NAME` or ID, of the engine that the cluster's other containers are of, which is asked for the address"},
			&cli.BoolFlag{Name: flagControlPlane, DisableDefaultText: true, Usage: "make it a control plane rather than a worker"},
			&cli.StringFlag{Name: flagNodeName, Usage: "what its node is called, where that is not NAME"},
			&cli.StringFlag{Name: flagHostKey, Usage: "the host's public `KEY` or its fingerprint (\"SHA256:…\"), where known_hosts does not have it"},
		}, waitFlags()...),
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return wrongUsage(c, "one NAME is needed, got %d", c.Args().Len())
			}
			if err := p.addHost(c); err != nil {
				return err
			}
			return p.withSession(c, needs{}, func(ctx context.Context, r *invocation) error { return r.up(ctx) })
		},
	}
}

// addHost writes the host into the inventory, unless it is there.
func (p *program) addHost(c *cli.Context) error {
	file := c.String(flagFile)
	cluster, _, err := readInventory(file)
	if err != nil {
		return err
	}
	wanted, err := wantedHost(c, newDirectory())
	if err == nil {
		err = intoContainer(c, cluster, &wanted)
	}
	if err != nil {
		return err
	}
	if host, exists := cluster.Host(wanted.Name); exists {
		return agree(c, host, wanted)
	}
	if !wanted.Address.IsValid() {
		return wrongUsage(c, "host %s is not in %s: give its --address", wanted.Name, file)
	}
	err = editInventory(file, func(data []byte) ([]byte, error) { return inventory.AddHost(data, wanted.Role, wanted) })
	if errors.As(err, new(*editError)) {
		return &usageError{err: err}
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(p.stderr, "added %s (%s, %s) to %s\n", wanted.Name, wanted.Role, wanted.Address, file)
	return nil
}

// editError says that a cluster file cannot be edited as it is.
type editError struct{ error }

// Unwrap implements error wrapping.
func (e *editError) Unwrap() error { return e.error }

// editInventory replaces a cluster file by what edit makes of it, and leaves who may read it as it was. An error of edit is an
// *editError.
func editInventory(file string, edit func([]byte) ([]byte, error)) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("read inventory: %w", err)
	}
	data, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return fmt.Errorf("read inventory: %w", err)
	}
	if data, err = edit(data); err != nil {
		return &editError{err}
	}
	if err := replaceFile(file, data, info.Mode().Perm()); err != nil {
		return fmt.Errorf("write inventory: %w", err)
	}
	return nil
}

// wantedHost is the host that the command line describes; its address may be missing.
func wantedHost(c *cli.Context, find directory) (inventory.Host, error) {
	host := inventory.Host{Name: c.Args().First(), Node: c.String(flagNodeName), Role: inventory.RoleWorker}
	if c.Bool(flagControlPlane) {
		host.Role = inventory.RoleControlPlane
	}
	address, way := c.String(flagAddress), c.String(flagSSHAddress)
	if err := wantedAddress(c, &host, address, way, find); err != nil {
		return host, err
	}
	if address != "" && way != "" {
		w, err := readWord(way)
		if err != nil {
			return host, wrongUsage(c, "--%s %w", flagSSHAddress, err)
		}
		if host.SSH.User != "" || host.SSH.Port != 0 {
			return host, wrongUsage(c, "--%s %s: user and port belong to --%s", flagAddress, address, flagSSHAddress)
		}
		host.SSH = inventory.SSH{Address: w.host, User: w.user, Port: w.port}
	}
	host.SSH.HostKey = c.String(flagHostKey)
	return host, nil
}

// wantedAddress reads the address of a host to add, or finds that of its way: by an alias one gets to an address as well.
func wantedAddress(c *cli.Context, host *inventory.Host, address, way string, find directory) error {
	if first, second, two := strings.Cut(address, ","); two {
		var err, errSecond error
		host.Address, err = netip.ParseAddr(first)
		host.Second, errSecond = netip.ParseAddr(second)
		if err != nil || errSecond != nil {
			return wrongUsage(c, "--%s %s: must be an IP address, or two with a comma between them", flagAddress, address)
		}
		return nil
	}
	text := cmp.Or(address, way)
	if text == "" {
		return nil
	}
	found, err := wayTo(c, text, find)
	switch {
	case err != nil && address == "":
		return wrongUsage(c, "--%s %w; or give its --%s as well", flagSSHAddress, err, flagAddress)
	case err != nil:
		return wrongUsage(c, "--%s %w", flagAddress, err)
	}
	host.Address, host.SSH = found.Address, found.SSH
	return nil
}

// wayTo is the host that a word names.
func wayTo(c *cli.Context, text string, find directory) (inventory.Host, error) {
	w, err := readWord(text)
	if err != nil {
		return inventory.Host{}, err
	}
	host, _, err := w.find(c.Context, find)
	return host, err
}

// agree refuses a command line that contradicts the inventory.
func agree(c *cli.Context, host, wanted inventory.Host) error {
	if wanted.Address.IsValid() && !slices.Equal(wanted.Addresses(), host.Addresses()) {
		return wrongUsage(c, "host %s is in %s already, with the address %s", host.Name, c.String(flagFile), addressWords(host))
	}
	for _, way := range []struct {
		key      string
		is, want any
	}{
		{"address", host.SSHAddress(), cmp.Or(wanted.SSH.Address, host.SSHAddress())},
		{"container", host.SSH.Container, cmp.Or(wanted.SSH.Container, host.SSH.Container)},
		{"user", host.SSH.User, cmp.Or(wanted.SSH.User, host.SSH.User)}, {"port", host.SSH.Port, cmp.Or(wanted.SSH.Port, host.SSH.Port)},
	} {
		if way.is != way.want {
			return wrongUsage(c, "host %s is in %s already, with the ssh.%s %v", host.Name, c.String(flagFile), way.key, way.is)
		}
	}
	if wanted.Node != "" && wanted.Node != host.NodeName() {
		return wrongUsage(c, "host %s is in %s already, with a node called %s", host.Name, c.String(flagFile), host.NodeName())
	}
	if c.Bool(flagControlPlane) && host.Role != inventory.RoleControlPlane {
		return wrongUsage(c, "host %s is in %s already, as a %s", host.Name, c.String(flagFile), host.Role)
	}
	return nil
}
