package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"
)

func (p *program) upCommand() *cli.Command {
	return &cli.Command{
		Name:  "up",
		Usage: "make the hosts the cluster that the file describes",
		Description: "Looks at all hosts, does what differs, and looks again. Run it as often as you like: it repairs what\n" +
			"drifted, adds hosts that were added to the file, and changes nothing where nothing differs.\n\n" +
			"Example:\n  fairlead up -f lab/cluster.yaml --wait 10m",
		Flags: waitFlags(),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return p.withSession(c, needs{}, func(ctx context.Context, r *invocation) error { return r.up(ctx) })
		},
	}
}

func (r *invocation) up(ctx context.Context) error {
	steps, err := r.session.Up(ctx)
	r.sumUp(ctx, steps, err, "nothing to do: all hosts are as the file wants")
	return err
}

// sumUp shows what a run that changes something has done.
func (r *invocation) sumUp(ctx context.Context, steps int, err error, nothing string) {
	_, seconds := r.view.tally()
	switch {
	case r.json || ctx.Err() != nil:
	case err != nil:
		r.view.note(fmt.Sprintf("failed after %s in %s", count(steps, "step"), took(seconds)))
	case steps == 0:
		r.view.note(nothing)
	default:
		r.view.note(fmt.Sprintf("done: %s in %s", count(steps, "step"), took(seconds)))
	}
}
