package model

import (
	"context"
	"crypto/rand"
	"errors"
	"hash/fnv"
	"maps"
	seeded "math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/desired"
	"fairlead/provision/engine"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// Simulation is a small model of hosts and their cluster: actions change its facts as they
// would change those of real hosts, and fail where kubeadm would. What only real programs can
// tell is tested on the lab.
type Simulation struct {
	t     *testing.T
	State desired.State
	// Facts are what the hosts and the cluster are. What lies in files is read from these after
	// each change, so that who removes a file undoes what it said.
	Facts   facts.Facts
	cluster cluster

	// seed decides in which order steps that run beside each other act.
	seed   uint64
	random *seeded.Rand
	turns  *turns
	// locked are the steps that hold locks, busy those at work where only one can be.
	locked, busy map[string]string

	cut       cut
	performed int // actions, and parts of those that can be cut off in between

	authority *pki.Authority
	minted    string // the bootstrap token of this run
	// letIn are hosts whose kubelet has its certificate and has not made its Node yet, which it does when it starts anew.
	letIn map[string]templates.Node
	// stale are services, HOST/UNIT, that run with files that are no longer there.
	stale map[string]bool
	// dead are hosts of endpoints where nobody answers.
	dead map[string]bool
	// off are hosts that are switched off.
	off map[string]bool
}

// cluster is what a cluster keeps beside what its API server tells.
type cluster struct {
	tokens map[string]bool // ids of bootstrap tokens
	minted int             // tokens so far
	etcd   map[string]bool // hosts with a member
	// established are the kinds, GROUP/KIND, whose definitions the API server has taken up.
	established map[string]bool
	// proxy is the configuration with which kube-proxy's pods were started, and proxyMark their
	// mark of it.
	proxy, proxyMark string
	proxyServer      string // that it was started with
}

func newCluster() cluster {
	return cluster{tokens: map[string]bool{}, etcd: map[string]bool{}, established: map[string]bool{}}
}

func (c cluster) clone() cluster {
	c.tokens, c.etcd, c.established = maps.Clone(c.tokens), maps.Clone(c.etcd), maps.Clone(c.established)
	return c
}

// Simulate makes new hosts for a wish. The name of the test is the seed.
func Simulate(t *testing.T, wish desired.State) *Simulation {
	t.Helper()
	hash := fnv.New64a()
	hash.Write([]byte(t.Name()))
	s := &Simulation{t: t, State: wish, cluster: newCluster(), stale: map[string]bool{}, off: map[string]bool{}, letIn: map[string]templates.Node{}}
	s.seedWith(hash.Sum64())
	s.Facts = world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
	s.Facts.ObservedAt = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	var err error
	if s.authority, err = pki.NewAuthority(rand.Reader, "simulation", s.Facts.ObservedAt); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Simulation) seedWith(seed uint64) {
	s.seed, s.random = seed, seeded.New(seeded.NewPCG(seed, 0)) //nolint:gosec // it has to be repeatable
	s.locked, s.busy = map[string]string{}, map[string]string{}
}

// Fork is another world that is like this one, and goes its own way.
func (s *Simulation) Fork() *Simulation {
	fork := &Simulation{
		t: s.t, State: s.State, Facts: s.Facts, cluster: s.cluster.clone(), authority: s.authority, stale: maps.Clone(s.stale), off: maps.Clone(s.off), letIn: maps.Clone(s.letIn),
		dead: maps.Clone(s.dead),
	}
	fork.Facts.Hosts = map[string]facts.Host{}
	for name, host := range s.Facts.Hosts {
		fork.Facts.Hosts[name] = cloneHost(host)
	}
	fork.Facts.API = cloneAPI(s.Facts.API)
	fork.seedWith(s.seed)
	return fork
}

// run carries out the steps of a plan.
func (s *Simulation) run(ctx context.Context, steps []plan.Step) (int, []error) {
	s.minted, s.turns = "", newTurns(s.random)
	over := make(chan struct{})
	go s.turns.give(over)
	defer close(over)
	return engine.Execute(ctx, steps, event.NewEmitter(time.Now, func(event.Event) {}), s.perform)
}

// up runs plans until one is empty, by the loop that real runs go through.
func (s *Simulation) up() (err error) {
	s.t.Helper()
	synctest.Test(s.t, func(t *testing.T) {
		loop := engine.Loop{
			Plan: func(context.Context) (plan.Plan, error) {
				plan := plan.Make(s.State, s.Observe())
				if err := plan.Sound(); err != nil {
					t.Error(err)
				}
				return plan, nil
			},
			Apply: func(ctx context.Context, plan plan.Plan) (int, []error) { return s.run(ctx, plan.Steps) },
		}
		_, err = loop.Run(t.Context())
	})
	return err
}

// reset takes the cluster off the named hosts, or off all.
func (s *Simulation) reset(names ...string) (err error) {
	s.t.Helper()
	return s.resetBy(plan.ResetOrder{Names: names})
}

// resetBy does a reset as it is ordered.
func (s *Simulation) resetBy(order plan.ResetOrder) (err error) {
	s.t.Helper()
	made, err := plan.MakeReset(s.State, s.Observe(), order)
	if err != nil {
		return err
	}
	return s.do(made)
}

// do carries out a plan that is whole.
func (s *Simulation) do(made plan.Plan) (err error) {
	s.t.Helper()
	if err := made.Sound(); err != nil {
		s.t.Error(err)
	}
	synctest.Test(s.t, func(t *testing.T) {
		_, errs := s.run(t.Context(), made.Steps)
		err = errors.Join(errs...)
	})
	return err
}

// change does something on a host. What its files say is read anew after it.
func (s *Simulation) change(name string, change func(*facts.Host) error) (err error) {
	if name == "" {
		return nil
	}
	world.ChangeHost(s.Facts, name, func(h *facts.Host) {
		was := *h
		was.Files, was.Units, was.Contents = maps.Clone(h.Files), maps.Clone(h.Units), maps.Clone(h.Contents)
		err = change(h)
		derive(h)
		s.age(name, was, *h)
	})
	return err
}

// issue gives the registry of a host its certificate.
func (s *Simulation) issue(h *facts.Host, a plan.MakeRegistryCertificate) error {
	certificate, _, err := s.authority.IssueServer(rand.Reader, a.Names, slices.Concat(a.Addresses, []netip.Addr{}), s.Facts.ObservedAt)
	world.Written(h, templates.RegistryCA, 0o644, s.authority.CertificatePEM())
	world.Written(h, templates.RegistryCertificate, 0o644, certificate)
	return err
}

// WantConverged fails the test unless up does its work, and leaves nothing to do.
func (s *Simulation) WantConverged() {
	s.t.Helper()
	if err := s.up(); err != nil {
		s.t.Fatalf("up with the seed %d: %v", s.seed, err)
	}
	if plan := plan.Make(s.State, s.Observe()); !plan.Empty() || plan.More != "" {
		s.t.Errorf("the plan is not empty:\n%s", (&engine.NotConvergedError{Plan: plan}).Error())
	}
	if len(s.cluster.tokens)+len(s.stale)+len(s.locked)+len(s.busy) > 0 {
		s.t.Errorf("left: bootstrap tokens %v, services with old files %v, locks %v, at work %v",
			s.cluster.tokens, slices.Sorted(maps.Keys(s.stale)), s.locked, s.busy)
	}
	kubeProxy := s.Facts.API.Settings[templates.KindKubeProxy]
	if runs, is := s.normal(templates.KindKubeProxy, s.cluster.proxy), s.normal(templates.KindKubeProxy, kubeProxy); runs != is {
		s.t.Errorf("kube-proxy runs with %s instead of %s", runs, is)
	}
	s.wantEverywhere()
	for _, host := range s.State.Cluster.Hosts() {
		if is, want := s.cluster.etcd[host.Name], host.Role == inventory.RoleControlPlane; is != want {
			s.t.Errorf("%s has an etcd member: %v, want %v", host.Name, is, want)
		}
	}
}

// wantState fails the test unless the world has come to be that one.
func (s *Simulation) wantState(want string) {
	s.t.Helper()
	if is := s.state(); is != want {
		s.t.Errorf("another state (seed %d): %s", s.seed, difference(is, want))
	}
}
