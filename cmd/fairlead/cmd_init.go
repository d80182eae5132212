package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"fairlead/inventory"

	"github.com/urfave/cli/v2"
)

func (p *program) initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "write a commented cluster file to start from",
		Description: "Writes the file that -f names, cluster.yaml by default. A file that exists is left alone.\n\n" +
			"Example:\n  fairlead init -f lab/cluster.yaml",
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return p.writeStarter(c.String(flagFile))
		},
	}
}

func (p *program) writeStarter(file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a cluster file is no secret
	if errors.Is(err, fs.ErrExist) {
		return &usageError{err: fmt.Errorf("%s exists already; give another name with -f", file)}
	}
	if err != nil {
		return fmt.Errorf("write cluster file: %w", err)
	}
	_, err = f.Write(inventory.Starter())
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write cluster file: %w", err)
	}
	_, _ = fmt.Fprintf(p.stderr, "wrote %s; set the hosts' addresses and ssh.user in it, then: fairlead check -f %s\n", file, file)
	return nil
}

// noArguments refuses arguments for a command that takes none.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return wrongUsage(c, "%s takes no arguments, got %q", c.Command.HelpName, c.Args().First())
	}
	return nil
}
