package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"fairlead/provision"
	"fairlead/provision/plan"

	"github.com/urfave/cli/v2"
)

const (
	flagYes     = "yes"
	flagForeign = "foreign"
)

func (p *program) resetCommand() *cli.Command {
	return &cli.Command{
		Name:      "reset",
		Usage:     "take the cluster off the hosts again, or off the named ones",
		ArgsUsage: "[NAME...]",
		Description: "Removes what fairlead made on the hosts and puts back what it changed, then looks whether anything is left.\n" +
			"A named host is drained first and leaves the cluster. Hosts whose CA, or whose record of their cluster, is not this\n" +
			"cluster's are refused. On a terminal it says whose each host is, and asks for the cluster's name.\n\n" +
			"Example:\n  fairlead reset w2 --yes",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: flagYes, DisableDefaultText: true, Usage: "do not ask; only hosts that are proven to be of this cluster are reset then"},
			&cli.BoolFlag{Name: flagForeign, DisableDefaultText: true, Usage: "reset hosts, too, that are of another cluster, or not provably of this one"},
		}, timeoutFlags()...),
		Action: func(c *cli.Context) error {
			order := provision.ResetOrder{Names: c.Args().Slice(), Foreign: c.Bool(flagForeign)}
			if err := p.checkReset(c, order.Names); err != nil {
				return err
			}
			return p.withSession(c, needs{withoutBundle: true}, func(ctx context.Context, r *invocation) error {
				if !c.Bool(flagYes) {
					order.Confirm = r.confirmReset
				}
				steps, err := r.session.Reset(ctx, order)
				if errors.Is(err, errDeclined) {
					return err
				}
				r.sumUp(ctx, steps, err, "nothing to do: fairlead left no trace on these hosts")
				return err
			})
		},
	}
}

// checkReset checks the names, and that somebody can be asked unless --yes was given.
func (p *program) checkReset(c *cli.Context, names []string) error {
	if err := checkNames(c, names); err != nil {
		return err
	}
	if !c.Bool(flagYes) && !p.canAsk() {
		return wrongUsage(c, "nobody can be asked here: give --%s", flagYes)
	}
	return nil
}

// checkNames checks that hosts are in the inventory.
func checkNames(c *cli.Context, names []string) error {
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
	return nil
}

// confirmReset shows whose the hosts are, and asks for a word that says that this was read.
func (r *invocation) confirmReset(ctx context.Context, hosts []plan.Belonging) error {
	question, word := resetQuestion(r.cluster, hosts)
	return r.view.still(func() error { return r.ask(ctx, printable(question), word) })
}
