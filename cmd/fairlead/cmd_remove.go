package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision"
	"fairlead/provision/plan"

	"github.com/urfave/cli/v2"
)

const (
	flagUnreachable  = "unreachable"
	flagForceDrain   = "force-drain"
	flagDrainTimeout = "drain-timeout"
)

func (p *program) removeCommand() *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "take hosts out of the cluster and out of the cluster file",
		ArgsUsage: "NAME...",
		Description: "Drains the node, takes a control plane out of etcd through another one, deletes the node, resets the host, and takes\n" +
			"it out of the file, whose comments stay. Before that it says what is lost with it, and on a terminal it asks.\n" +
			"NAME may also be a node that no host of the file is: then only the cluster's side of it goes.\n\n" +
			"Examples:\n  fairlead remove w2\n  fairlead remove cp1 --unreachable --yes",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: flagUnreachable, DisableDefaultText: true, Usage: "the machines are off, and stay so until they are reset; one that gives a sign of life is refused"},
			&cli.GenericFlag{Name: flagForceDrain, Value: &duration{}, DefaultText: "never", Usage: "delete pods past their disruption budgets after `TIME` (5m)"},
			&cli.GenericFlag{Name: flagDrainTimeout, Value: &duration{}, DefaultText: "5m", Usage: "give each node up to `TIME` to drain"},
			&cli.BoolFlag{Name: flagYes, DisableDefaultText: true, Usage: "do not ask; only hosts that are proven to be of this cluster are reset then"},
		}, timeoutFlags()...),
		Action: func(c *cli.Context) error {
			leaving, err := p.checkRemove(c)
			if err != nil {
				return err
			}
			return p.remove(c, leaving)
		},
	}
}

// leavingHosts are those that a command removes.
type leavingHosts struct {
	names         []string // all, without doubles
	controlPlanes bool     // there are some among the file's
}

// checkRemove checks the names, that the file can do without the hosts, and that somebody can be asked unless --yes was given.
func (p *program) checkRemove(c *cli.Context) (leavingHosts, error) {
	l := leavingHosts{names: slices.Compact(slices.Sorted(slices.Values(c.Args().Slice())))}
	if len(l.names) == 0 {
		return l, wrongUsage(c, "at least one NAME is needed")
	}
	file := c.String(flagFile)
	cluster, _, err := readInventory(file)
	if err != nil {
		return l, err
	}
	data, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return l, fmt.Errorf("read inventory: %w", err)
	}
	if _, err := withoutHosts(data, l.names); err != nil {
		return l, wrongUsage(c, "%s cannot be without: %v", file, err) // what is wrong is wrong of no file that there is
	}
	l.controlPlanes = slices.ContainsFunc(cluster.ControlPlane.Hosts, func(h inventory.Host) bool { return slices.Contains(l.names, h.Name) })
	if !c.Bool(flagYes) && !p.canAsk() {
		return l, wrongUsage(c, "nobody can be asked here: give --%s", flagYes)
	}
	return l, nil
}

// withoutHosts is a cluster file without hosts; those that it does not have are nodes of the cluster alone.
func withoutHosts(data []byte, names []string) ([]byte, error) {
	cluster, _, err := inventory.Parse("", data)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, known := cluster.Host(name); !known {
			continue
		}
		if data, err = inventory.RemoveHost(data, name); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// remove has hosts leave, and takes those out of the file that have. What others have of a control plane follows after that.
func (p *program) remove(c *cli.Context, leaving leavingHosts) error {
	err := p.withSession(c, needs{withoutBundle: true, leaving: leaving.names}, func(ctx context.Context, r *invocation) error {
		order := provision.RemoveOrder{RemoveOrder: plan.RemoveOrder{
			Names: leaving.names, Unreachable: c.Bool(flagUnreachable),
			DrainLimit: given(c, flagDrainTimeout).Duration, ForceDrain: given(c, flagForceDrain).Duration,
		}}
		if !c.Bool(flagYes) {
			order.Confirm = r.confirmRemove
		}
		removal, err := r.session.Remove(ctx, order)
		if errors.Is(err, errDeclined) {
			return err
		}
		r.sumUp(ctx, removal.Steps, err, "nothing to do on hosts and in the cluster")
		return errors.Join(err, r.forget(removal.Gone, order.Unreachable))
	})
	if err != nil || !leaving.controlPlanes {
		return err
	}
	return p.withSession(c, needs{}, func(ctx context.Context, r *invocation) error { return r.up(ctx) })
}

// forget takes hosts out of the file that have left.
func (r *invocation) forget(gone []string, unreachable bool) error {
	hosts := slices.DeleteFunc(slices.Clone(gone), func(name string) bool { _, known := r.cluster.Host(name); return !known })
	if len(hosts) > 0 {
		if err := editInventory(r.file, func(data []byte) ([]byte, error) { return withoutHosts(data, hosts) }); err != nil {
			return err
		}
		r.view.note(fmt.Sprintf("took %s out of %s", strings.Join(hosts, ", "), r.file))
	}
	if unreset := slices.DeleteFunc(slices.Clone(gone), func(name string) bool { return !unreachable && slices.Contains(hosts, name) }); len(unreset) > 0 {
		r.view.note(fmt.Sprintf("not reset: %s. Before it is switched on or used again: erase it; or put it into the file again, and: fairlead reset NAME", strings.Join(unreset, ", ")))
	}
	return nil
}

// confirmRemove shows what happens to whom, and asks for a word that says that this was read.
func (r *invocation) confirmRemove(ctx context.Context, leaving []provision.Leaving) error {
	return r.view.still(func() error { return r.ask(ctx, printable(removeQuestion(r.cluster, leaving)), r.cluster.Name) })
}

// removeQuestion says what a removal does and what is lost by it.
func removeQuestion(cluster *inventory.Cluster, leaving []provision.Leaving) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This takes out of cluster %s for good:\n", cluster.Name)
	controlPlanes := 0
	for _, l := range leaving {
		host, known := cluster.Host(l.Name)
		switch {
		case known:
			fmt.Fprintf(&b, "  %s (%s, %s)", host.Name, host.Role, host.Address)
			if l.Of.Host != "" {
				fmt.Fprintf(&b, ": %s", whose(l.Of))
			}
		default:
			fmt.Fprintf(&b, "  %s (a node that no host of the file is)", l.Name)
		}
		if host.Role == inventory.RoleControlPlane {
			controlPlanes++
		}
		fmt.Fprintf(&b, "\n    what is done: %s\n", strings.Join(l.Steps, ", "))
		for _, loss := range plan.Losses("", l.Load) {
			fmt.Fprintf(&b, "    LOST: %s\n", oneLine(loss.Message))
		}
	}
	if rest := len(cluster.ControlPlane.Hosts) - controlPlanes; controlPlanes > 0 && rest < 3 {
		fmt.Fprintf(&b, "  of %d control planes %d are left: the cluster stands still when one of these is lost\n", len(cluster.ControlPlane.Hosts), rest)
	}
	fmt.Fprintf(&b, "Type the cluster's name, %s, to go on: ", cluster.Name)
	return b.String()
}
