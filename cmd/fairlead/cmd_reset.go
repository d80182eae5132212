package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"fairlead/inventory"

	"github.com/urfave/cli/v2"
)

const flagYes = "yes"

// errDeclined says that the user did not want it.
var errDeclined = errors.New("not confirmed: nothing was changed")

func (p *program) resetCommand() *cli.Command {
	return &cli.Command{
		Name:      "reset",
		Usage:     "take the cluster off the hosts again, or off the named ones",
		ArgsUsage: "[NAME...]",
		Description: "Removes what fairlead made on the hosts and puts back what it changed, then looks whether anything is left.\n" +
			"A named host is drained first and leaves the cluster. On a terminal it asks first.\n\n" +
			"Example:\n  fairlead reset w2 --yes",
		Flags: []cli.Flag{&cli.BoolFlag{Name: flagYes, DisableDefaultText: true, Usage: "do not ask"}},
		Action: func(c *cli.Context) error {
			names := c.Args().Slice()
			if err := p.confirmReset(c, names); err != nil {
				return err
			}
			return p.withSession(c, needs{withoutBundle: true}, func(ctx context.Context, r *invocation) error {
				steps, err := r.session.Reset(ctx, names)
				r.sumUp(ctx, steps, err, "nothing to do: fairlead left no trace on these hosts")
				return err
			})
		},
	}
}

// confirmReset checks the names, and asks unless --yes was given.
func (p *program) confirmReset(c *cli.Context, names []string) error {
	cluster, _, err := readInventory(c.String(flagFile))
	if err != nil {
		return err
	}
	known := hostNames(cluster)
	for _, name := range names {
		if !slices.Contains(known, name) {
			return wrongUsage(c, "host %s is not in %s; its hosts are %s", name, c.String(flagFile), strings.Join(known, ", "))
		}
	}
	if c.Bool(flagYes) {
		return nil
	}
	if !isTerminal(p.stdin) || !isTerminal(p.stderr) {
		return wrongUsage(c, "nobody can be asked here: give --%s", flagYes)
	}
	return p.ask(c.Context, resetQuestion(cluster, names))
}

func resetQuestion(cluster *inventory.Cluster, names []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This removes Kubernetes of cluster %s, with all its data, from:\n", cluster.Name)
	for _, host := range cluster.Hosts() {
		if len(names) == 0 || slices.Contains(names, host.Name) {
			fmt.Fprintf(&b, "  %s (%s, %s)\n", host.Name, host.Role, host.Address)
		}
	}
	b.WriteString("Type yes to go on: ")
	return b.String()
}

// ask returns nil when the answer to question is yes.
func (p *program) ask(ctx context.Context, question string) error {
	_, _ = fmt.Fprint(p.stderr, question)
	answers := make(chan string, 1)
	go func() { // ends with the process: a read of a terminal cannot be called off
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		answers <- line
	}()
	select {
	case answer := <-answers:
		if strings.EqualFold(strings.TrimSpace(answer), "yes") {
			return nil
		}
		return errDeclined
	case <-ctx.Done():
		_, _ = fmt.Fprintln(p.stderr)
		return errDeclined
	}
}
