package main

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	"fairlead/inventory"
	"fairlead/inventory/convert"

	"github.com/urfave/cli/v2"
)

// Flags about where hosts come from.
const (
	flagFrom          = "from"
	flagContext       = "context"
	flagNetwork       = "network"
	flagHostAddress   = "address"
	flagControlPlanes = "control-planes"
)

func (p *program) importCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "write a cluster file with the hosts of another tool's file",
		ArgsUsage: "FILE",
		Description: "Writes the file that -f names, cluster.yaml by default. A file that exists is left alone. FILE, or standard input for -, can\n" +
			"be an inventory of Ansible or kubespray, k0sctl.yaml, kubeone.yaml, KubeKey's or RKE's configuration, the output of\n" +
			"`terraform output -json` in KubeOne's shape or of `vagrant ssh-config`, or the kubeconfig of a living cluster, of which only the\n" +
			"nodes and kubeadm's configuration are read. What the file says and a cluster file cannot becomes a comment; no secret is copied.\n\n" +
			"Examples:\n  fairlead import inventory/mycluster/hosts.yaml\n  vagrant ssh-config | fairlead import - --address node1=192.168.56.11",
		Flags: fromFlags(),
		Action: func(c *cli.Context) error {
			if c.Args().Len() != 1 {
				return wrongUsage(c, "name one file")
			}
			return p.importFrom(c, c.Args().First())
		},
	}
}

// fromFlags are those of import, and of init with --from.
func fromFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: flagHostAddress, Usage: "the address that other hosts reach a host by, as `HOST=IP`"},
		&cli.StringSliceFlag{Name: flagControlPlanes, Usage: "the control plane, and no others, as `HOST,...`; groups of an Ansible inventory, too"},
		&cli.StringFlag{Name: flagContext, Usage: "the context `NAME` of a kubeconfig or of a containers' engine, instead of its current one"},
	}
}

// givenFromFlag is the first of these flags that is given.
func givenFromFlag(c *cli.Context) string {
	for _, flag := range fromFlags() {
		if name := flag.Names()[0]; c.IsSet(name) {
			return name
		}
	}
	if c.IsSet(flagNetwork) {
		return flagNetwork
	}
	return ""
}

// importFrom writes the cluster file of hosts that are somewhere else.
func (p *program) importFrom(c *cli.Context, from string) error {
	options := fromOptions{context: c.String(flagContext)}
	options.ControlPlane = c.StringSlice(flagControlPlanes)
	var err error
	if options.Addresses, err = hostAddresses(c.StringSlice(flagHostAddress)); err != nil {
		return wrongUsage(c, "%w", err)
	}
	if options.Network, err = networkOf(c.String(flagNetwork)); err != nil {
		return wrongUsage(c, "%w", err)
	}
	s := p.settings(c)
	if err := notThere(s); err != nil {
		return err
	}
	draft, err := p.draftFrom(c.Context, from, options)
	if err == nil {
		err = addressAll(c.Context, draft, newDirectory())
	}
	if err == nil {
		err = movePaths(draft, s.file)
	}
	if err != nil {
		return err
	}
	text, err := draft.Write()
	if err != nil {
		return asUsage(err)
	}
	if err := createFile(s, text); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(p.stderr, printable(fmt.Sprintf("wrote %s with %s of %s", s.file, count(len(draft.Hosts), "host"), draft.Source)))
	for _, away := range draft.Away {
		_, _ = fmt.Fprintln(p.stderr, printable("left out "+away.Key+": "+away.Why))
	}
	before := ""
	switch {
	case draft.WithoutSSH:
		before = "put ssh.user into it and read the comments at its top"
	case len(draft.Notes) > 0:
		before = "read the comments at its top"
	}
	p.next(s, before, "check")
	return nil
}

// hostAddresses reads HOST=IP.
func hostAddresses(words []string) (map[string]netip.Addr, error) {
	all := map[string]netip.Addr{}
	for _, word := range words {
		name, text, found := strings.Cut(word, "=")
		address, err := netip.ParseAddr(text)
		if !found || name == "" || err != nil {
			return nil, fmt.Errorf("--%s %s: must be HOST=IP, with an IP address", flagHostAddress, word)
		}
		if err := usable("--"+flagHostAddress+" "+word, address); err != nil {
			return nil, err
		}
		all[name] = address.Unmap()
	}
	return all, nil
}

// networkOf reads CIDR; the zero network is none.
func networkOf(text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("--%s %s: must be a network as CIDR, such as 192.168.56.0/24", flagNetwork, text)
	}
	return network.Masked(), nil
}

// movePaths makes paths that start at the working folder, as other tools have them, start at the cluster file's.
func movePaths(draft *convert.Draft, file string) error {
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("find the folder of %s: %w", file, err)
	}
	for i := range draft.Hosts {
		path := &draft.Hosts[i].SSH.IdentityFile
		if *path == "" || filepath.IsAbs(*path) || strings.HasPrefix(*path, "~") {
			continue
		}
		whole, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("find %s: %w", *path, err)
		}
		if *path, err = filepath.Rel(folder, whole); err != nil {
			return fmt.Errorf("find %s: %w", whole, err)
		}
	}
	return nil
}

// asUsage is an error about what the user has given.
func asUsage(err error) error {
	var invalid *inventory.Invalid
	if errors.As(err, &invalid) {
		return err // which is shown line by line
	}
	return &usageError{err: err}
}
