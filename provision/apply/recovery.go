package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"time"

	"fairlead/provision/etcd"
	"fairlead/provision/plan"
	"fairlead/templates"
)

const (
	// memberPatience is how long etcd may take to start with all that it holds.
	memberPatience = 3 * time.Minute
	// memberPause is the time between two looks at a member that starts.
	memberPause = time.Second
)

// forceNewCluster writes down that there is no way back before there is none.
func (s *stepRun) forceNewCluster(ctx context.Context, _ plan.ForceNewCluster) error {
	mark, err := s.host.ReadFile(ctx, templates.RecoveryMark)
	if err != nil {
		return err
	}
	manifest, err := s.host.ReadFile(ctx, templates.RecoveryManifest)
	if err != nil {
		return err
	}
	forced, err := templates.Force(manifest)
	if err != nil {
		return fmt.Errorf("%s: %w", templates.RecoveryManifest, err)
	}
	recovery, _ := templates.ReadRecovery(mark)
	recovery.Forced = true
	if err := s.write(ctx, templates.RecoveryMark, secret, recovery.Text()); err != nil {
		return err
	}
	return s.write(ctx, templates.ManifestPath(templates.ComponentEtcd), secret, forced)
}

func (s *stepRun) endForce(ctx context.Context, a plan.EndForce) error {
	if err := s.awaitEtcd(ctx, a.Address, (*etcd.Client).Alone); err != nil {
		return err
	}
	path := templates.ManifestPath(templates.ComponentEtcd)
	manifest, err := s.host.ReadFile(ctx, templates.RecoveryManifest)
	if errors.Is(err, fs.ErrNotExist) { // somebody has put the flag in by hand
		manifest, err = s.host.ReadFile(ctx, path)
	}
	if err != nil {
		return err
	}
	if err := s.write(ctx, path, secret, templates.Unforce(manifest)); err != nil {
		return err
	}
	settled := plan.Script{Title: "wait until etcd runs without --force-new-cluster", Name: templates.ScriptRecoverEtcd, Args: []string{"settled"}}
	if err := s.script(ctx, settled); err != nil {
		return err
	}
	return s.awaitEtcd(ctx, a.Address, (*etcd.Client).Alone)
}

func (s *stepRun) awaitMember(ctx context.Context, a plan.AwaitMember) error {
	return s.awaitEtcd(ctx, a.Address, (*etcd.Client).Answers)
}

// awaitEtcd waits until the etcd of the step's host is as it should be. Every answer before, and that there is none, counts as not yet.
func (s *stepRun) awaitEtcd(ctx context.Context, family netip.Addr, wait func(*etcd.Client, context.Context) error) error {
	client, err := etcd.Through(ctx, s.host, family)
	if err != nil {
		return err
	}
	return s.await(ctx, memberPatience, []string{templates.ComponentEtcd}, func(ctx context.Context) error {
		ticker := time.NewTicker(memberPause)
		defer ticker.Stop()
		var reason error
		for {
			err := wait(client, ctx)
			if err == nil {
				return nil
			}
			if reason == nil || ctx.Err() == nil { // else it says no more than that
				reason = err
				s.waiting(err.Error())
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for etcd: %w: %w", context.Cause(ctx), reason)
			case <-ticker.C:
			}
		}
	})
}
