package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fairlead/inventory"

	"github.com/urfave/cli/v2"
)

func (p *program) initCommand() *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "write a commented cluster file to start from",
		ArgsUsage: "[[USER@]HOST[:PORT][=ADDRESS[,ADDRESS]]...]",
		Description: "Writes the file that -f names, cluster.yaml by default. A file that exists is left alone.\n" +
			"Hosts that are named stand in it, the first as the control plane, the others as workers; without any,\n" +
			"examples do. HOST is an address, a DNS name or an alias of ssh's configuration: its address is looked up\n" +
			"once, as nodes know each other by addresses. =ADDRESS says the one by which other hosts reach it, where that is\n" +
			"not the way from here, and two of two IP families with a comma between them. One USER is enough for all.\n" +
			"With --from the hosts are those of a file of another tool (see fairlead import --help), or containers that run: kind:CLUSTER,\n" +
			"docker:label=KEY=VALUE, and likewise podman and nerdctl, or machines of Vagrant that run: vagrant, or vagrant:FOLDER for those of\n" +
			"another folder's Vagrantfile. Vagrant is asked how to get there, and by it the machines for their addresses and host keys.\n\n" +
			"Examples:\n  fairlead init -f lab/cluster.yaml ubuntu@192.0.2.11 192.0.2.21 192.0.2.22\n" +
			"  fairlead init ubuntu@203.0.113.11=10.0.0.11 203.0.113.21=10.0.0.21\n  fairlead init --from vagrant",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: flagFrom, Usage: "write the hosts that `WHAT` has: another tool's file, kind:CLUSTER, docker:label=KEY=VALUE, vagrant[:FOLDER]"},
			&cli.StringFlag{Name: flagNetwork, Usage: "the network `CIDR` by whose addresses Vagrant's machines reach each other, where they have several"},
		}, fromFlags()...),
		Action: func(c *cli.Context) error {
			if from := c.String(flagFrom); from != "" {
				if c.Args().Present() {
					return wrongUsage(c, "hosts are named, or taken with --%s, not both", flagFrom)
				}
				return p.importFrom(c, from)
			}
			if given := givenFromFlag(c); given != "" {
				return wrongUsage(c, "--%s goes with --%s", given, flagFrom)
			}
			hosts, err := wantedHosts(c.Context, c.Args().Slice(), newDirectory())
			if err != nil {
				return wrongUsage(c, "%w", err)
			}
			text, err := inventory.StarterFor(hosts)
			if err != nil {
				return wrongUsage(c, "%w", err)
			}
			return p.writeStarter(p.settings(c), text, len(hosts))
		},
	}
}

func (p *program) writeStarter(s settings, text []byte, hosts int) error {
	if err := createFile(s, text); err != nil {
		return err
	}
	if hosts > 0 {
		_, _ = fmt.Fprintf(p.stderr, "wrote %s with %s\n", s.file, count(hosts, "host"))
		p.next(s, "", "check")
		return nil
	}
	_, _ = fmt.Fprintf(p.stderr, "wrote %s with examples of hosts\n", s.file)
	p.next(s, "put your hosts' addresses and ssh.user into it", "check")
	return nil
}

// createFile writes a cluster file that is not there yet.
func createFile(s settings, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(s.file), 0o755); err != nil { //nolint:gosec // as any folder of the user's
		return fmt.Errorf("write cluster file: %w", err)
	}
	f, err := os.OpenFile(s.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a cluster file is no secret
	if errors.Is(err, fs.ErrExist) {
		return &usageError{err: fmt.Errorf("%s exists already; give another name with -f", s.file)}
	}
	if err != nil {
		return fmt.Errorf("write cluster file: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write cluster file: %w", err)
	}
	return nil
}

// noArguments refuses arguments for a command that takes none.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return wrongUsage(c, "%s takes no arguments, got %q", c.Command.HelpName, c.Args().First())
	}
	return nil
}

// notThere refuses a cluster file that exists, before anything is done for it.
func notThere(s settings) error {
	if _, err := os.Lstat(s.file); err == nil {
		return &usageError{err: fmt.Errorf("%s exists already; give another name with -f", s.file)}
	}
	return nil
}
