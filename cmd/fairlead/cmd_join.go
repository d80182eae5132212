package main

import (
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
	flagNodeName     = "node-name"
)

func (p *program) joinCommand() *cli.Command {
	return &cli.Command{
		Name:      "join",
		Usage:     "add a host to the cluster file and to the cluster",
		ArgsUsage: "NAME",
		Description: "Adds the host to the file, keeping its comments and order, and runs up. Run again, it only runs up.\n\n" +
			"Example:\n  fairlead join w3 --address 192.0.2.23",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: flagAddress, Usage: "the host's IP `ADDRESS`, or two of two IP families with a comma between them"},
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
	wanted, err := wantedHost(c)
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
func wantedHost(c *cli.Context) (inventory.Host, error) {
	host := inventory.Host{Name: c.Args().First(), Node: c.String(flagNodeName), Role: inventory.RoleWorker, SSH: inventory.SSH{HostKey: c.String(flagHostKey)}}
	if c.Bool(flagControlPlane) {
		host.Role = inventory.RoleControlPlane
	}
	if text := c.String(flagAddress); text != "" {
		first, second, two := strings.Cut(text, ",")
		var err, errSecond error
		host.Address, err = netip.ParseAddr(first)
		if two {
			host.Second, errSecond = netip.ParseAddr(second)
		}
		if err != nil || errSecond != nil {
			return host, wrongUsage(c, "--address %s: must be an IP address, or two with a comma between them", text)
		}
	}
	return host, nil
}

// agree refuses a command line that contradicts the inventory.
func agree(c *cli.Context, host, wanted inventory.Host) error {
	if wanted.Address.IsValid() && !slices.Equal(wanted.Addresses(), host.Addresses()) {
		var is []string
		for _, address := range host.Addresses() {
			is = append(is, address.String())
		}
		return wrongUsage(c, "host %s is in %s already, with the address %s", host.Name, c.String(flagFile), strings.Join(is, ","))
	}
	if wanted.Node != "" && wanted.Node != host.NodeName() {
		return wrongUsage(c, "host %s is in %s already, with a node called %s", host.Name, c.String(flagFile), host.NodeName())
	}
	if c.Bool(flagControlPlane) && host.Role != inventory.RoleControlPlane {
		return wrongUsage(c, "host %s is in %s already, as a %s", host.Name, c.String(flagFile), host.Role)
	}
	return nil
}
