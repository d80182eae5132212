package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fairlead/provision"
	"fairlead/provision/plan"

	"github.com/urfave/cli/v2"
)

const (
	flagCluster  = "cluster"
	flagLost     = "lost"
	flagSnapshot = "snapshot"
)

func (p *program) etcdCommand() *cli.Command {
	return &cli.Command{
		Name:  "etcd",
		Usage: "look at the cluster's etcd, and bring it back when most of it is gone",
		Subcommands: []*cli.Command{
			p.etcdStatusCommand(), p.etcdSnapshotCommand(), p.etcdDefragmentCommand(), p.etcdRecoverCommand(),
		},
	}
}

func (p *program) etcdRecoverCommand() *cli.Command {
	return &cli.Command{
		Name:  "recover",
		Usage: "make a cluster of the one etcd member that is left, when most of the others are gone for good",
		Description: "When two of three control planes are lost for good, etcd has no quorum: nothing can be changed any more. This takes a\n" +
			"snapshot of the member that is left, keeps a copy of its data on its host, and lets it go on alone; the nodes of the lost\n" +
			"hosts are deleted. Afterwards fairlead up lets new or wiped hosts join in their place. It refuses while etcd has a quorum,\n" +
			"and while anything of the lost members can be reached. It asks twice.\n\n" +
			"Example:\n  fairlead etcd recover --from cp1",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: flagFrom, Usage: "the `HOST` of the member that is left"},
			&cli.StringFlag{Name: flagSnapshot, Usage: "write the snapshot to this `FILE`", DefaultText: "etcd-CLUSTER-TIME.db beside the cluster file"},
			&cli.BoolFlag{Name: flagYes, DisableDefaultText: true, Usage: "do not ask; needs --" + flagCluster + " and --" + flagLost},
			&cli.StringFlag{Name: flagCluster, Usage: "with --" + flagYes + ": the cluster's `NAME`"},
			&cli.StringFlag{Name: flagLost, Usage: "with --" + flagYes + ": the etcd members that are given up, as in `cp2,cp3`"},
		}, timeoutFlags()...),
		Action: func(c *cli.Context) error {
			if err := p.checkRecover(c); err != nil {
				return err
			}
			return p.withSession(c, needs{withoutBundle: true}, func(ctx context.Context, r *invocation) error { return r.recoverEtcd(ctx, c) })
		},
	}
}

// checkRecover checks that somebody can be asked, or that both answers are there.
func (p *program) checkRecover(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	if c.String(flagFrom) == "" {
		return wrongUsage(c, "--%s HOST says whose etcd member is left", flagFrom)
	}
	if err := checkNames(c, []string{c.String(flagFrom)}); err != nil {
		return err
	}
	both := c.String(flagCluster) != "" && c.String(flagLost) != ""
	switch {
	case c.Bool(flagYes) && !both:
		return wrongUsage(c, "--%s needs the answers to both questions: --%s NAME and --%s MEMBERS", flagYes, flagCluster, flagLost)
	case !c.Bool(flagYes) && !p.canAsk():
		return wrongUsage(c, "nobody can be asked here: give --%s, --%s NAME and --%s MEMBERS", flagYes, flagCluster, flagLost)
	}
	return nil
}

func (r *invocation) recoverEtcd(ctx context.Context, c *cli.Context) error {
	order := provision.RecoverOrder{
		From: c.String(flagFrom),
		Confirm: func(ctx context.Context, loss plan.Loss) error {
			if c.Bool(flagYes) {
				return r.agreed(loss, c.String(flagCluster), c.String(flagLost))
			}
			return r.view.still(func() error { return r.askLoss(ctx, loss) })
		},
		Keep: func(ctx context.Context, take func(context.Context, io.Writer) error) error {
			path := c.String(flagSnapshot)
			if path == "" {
				path = filepath.Join(filepath.Dir(r.file), fmt.Sprintf("etcd-%s-%s.db", r.cluster.Name, time.Now().UTC().Format("20060102T150405Z")))
			}
			if err := replaceBy(path, forOwner, func(w io.Writer) error { return take(ctx, w) }); err != nil {
				return err
			}
			r.view.note("snapshot of etcd: " + path)
			return nil
		},
	}
	steps, err := r.session.RecoverEtcd(ctx, order)
	r.sumUp(ctx, steps, err, "nothing to do")
	return err
}

// lossText says what a recovery gives up, and what that means for what was written.
func lossText(loss plan.Loss) string {
	needed := loss.Voters/2 + 1
	return fmt.Sprintf("etcd has %d members with a vote, and only that of %s is left, at revision %d. Given up are: %s.\n"+
		"etcd calls a write done when %d of %d members have it. Those that only the lost members had are lost: what was written in the\n"+
		"last moments before they died, or since %s was cut off from them. What nobody was told to be done may be there all the same.\n"+
		"If one of the lost hosts ever comes back with its old data it must not: reset it, or wipe it.\n",
		loss.Voters, loss.Survivor, loss.Revision, strings.Join(loss.Members, ", "), needed, loss.Voters, loss.Survivor)
}

// askLoss asks two questions, the second with what is given up.
func (r *invocation) askLoss(ctx context.Context, loss plan.Loss) error {
	question := lossText(loss) + "Type the cluster's name, " + r.cluster.Name + ", to go on: "
	if err := r.ask(ctx, printable(question), r.cluster.Name); err != nil {
		return err
	}
	names := strings.Join(loss.Members, ",")
	return r.ask(ctx, printable("There is no way back for these members. Type their names, "+names+", to give them up: "), names)
}

// agreed says whether the answers on the command line are those to the two questions.
func (r *invocation) agreed(loss plan.Loss, cluster, lost string) error {
	given, members := strings.Split(lost, ","), slices.Clone(loss.Members)
	slices.Sort(given)
	slices.Sort(members)
	if cluster == r.cluster.Name && slices.Equal(given, members) {
		return nil
	}
	return fmt.Errorf("%w: the cluster is %s and the members to be given up are %s", errDeclined, r.cluster.Name, strings.Join(loss.Members, ","))
}
