package main

import (
	"context"
	"errors"
	"fmt"

	"fairlead/provision"
	"fairlead/provision/engine"
	"fairlead/provision/facts"
	"fairlead/provision/plan"

	"github.com/urfave/cli/v2"
)

const (
	flagDiff     = "diff"
	flagDetailed = "detailed-exitcode"
	flagFacts    = "facts"
)

func (p *program) planCommand() *cli.Command {
	return &cli.Command{
		Name:  "plan",
		Usage: "show what up would do, and why",
		Description: "Looks at all hosts and prints the steps that up would run, with their reasons. It changes nothing.\n\n" +
			"Example:\n  fairlead plan --diff --detailed-exitcode",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: flagDiff, DisableDefaultText: true, Usage: "show what changes in files"},
			&cli.BoolFlag{Name: flagDetailed, DisableDefaultText: true, Usage: "exit with 3 when there is something to do"},
		}, waitFlags()...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if c.Bool(flagDiff) && c.String(flagOutput) == outputJSON {
				return wrongUsage(c, "--diff is text: it does not go with --output json")
			}
			return p.withSession(c, needs{results: true}, func(ctx context.Context, r *invocation) error {
				return r.showPlan(ctx, c.Bool(flagDiff), c.Bool(flagDetailed))
			})
		},
	}
}

func (r *invocation) showPlan(ctx context.Context, withDiff, detailed bool) error {
	plan, _, err := r.session.Plan(ctx)
	if ctx.Err() != nil {
		return err
	}
	if plan.Empty() {
		r.following.well = afterUp
	}
	if !r.json {
		text := newPlanText(paletteFor(r.settings, r.program.stdout), withDiff)
		text.plan(plan, r.cluster)
		if err := text.flush(r.stdout); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case len(plan.Errors()) > 0:
		return engine.ErrPreflight
	case detailed && !plan.Empty():
		return errChanges
	}
	return nil
}

func (p *program) checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "look at all hosts and report every problem, with its mending",
		Description: "Prints what stands in the way of a cluster, all hosts and all problems at once. It changes nothing.\n" +
			"With --facts it also writes down what it saw, without secrets (docs/facts.md).\n\n" +
			"Example:\n  fairlead check -f lab/cluster.yaml",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: flagFacts, Usage: "write all that was observed to `FILE`, as JSON"},
		}, waitFlags()...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			path := c.String(flagFacts)
			if c.IsSet(flagFacts) && (path == "" || path == "-") {
				return wrongUsage(c, "--facts wants the path of a file")
			}
			return p.withSession(c, needs{results: true}, func(ctx context.Context, r *invocation) error { return r.showFindings(ctx, path) })
		},
	}
}

// showFindings prints what is wrong, and writes what was observed to a file if one is named.
func (r *invocation) showFindings(ctx context.Context, factsPath string) error {
	plan, seen, unreached := r.session.Plan(ctx)
	if ctx.Err() != nil {
		return unreached
	}
	if factsPath != "" {
		if err := r.writeFacts(factsPath, seen); err != nil {
			return errors.Join(err, unreached)
		}
	}
	faults := len(plan.Errors())
	if !r.json {
		text := newPlanText(paletteFor(r.settings, r.program.stdout), false)
		text.findings(plan.Findings, r.cluster)
		if unreached == nil { // else it is why something is blocked
			text.blocked(plan.Blocked, r.cluster)
		}
		if err := text.flush(r.stdout); err != nil {
			return err
		}
		r.view.note(checked(plan, len(r.cluster.Hosts()), unreached))
	}
	if faults > 0 || len(plan.Blocked) > 0 {
		return errors.Join(errIncomplete, unreached)
	}
	return unreached
}

// writeFacts writes what was observed, for the user alone: it tells much of the hosts.
func (r *invocation) writeFacts(path string, seen facts.Facts) error {
	text, err := facts.Encode(seen)
	if err != nil {
		return err
	}
	if err := replaceFile(path, text, 0o600); err != nil {
		return fmt.Errorf("write facts: %w", err)
	}
	r.view.note("wrote what was observed to " + path)
	return nil
}

// checked sums up what check found.
func checked(plan plan.Plan, hosts int, unreached error) string {
	faults := len(plan.Errors())
	warnings := len(plan.Findings) - faults
	text := count(hosts, "host") + ": "
	if faults+warnings+len(plan.Blocked) == 0 && unreached == nil {
		return text + "no problems"
	}
	text += fmt.Sprintf("%s, %s", count(faults, "error"), count(warnings, "warning"))
	var e *provision.UnreachableError
	if errors.As(unreached, &e) {
		return text + fmt.Sprintf(", %d not looked at", len(e.Hosts))
	}
	if len(plan.Blocked) > 0 {
		text += fmt.Sprintf(", %d blocked", len(plan.Blocked))
	}
	return text
}
