package model

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/desired"
	"fairlead/provision/engine"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// Simulation is a small model of hosts and their cluster: actions change its facts as they
// would change those of real hosts, and fail where kubeadm would. What only real programs can
// tell is tested on the lab.
type Simulation struct {
	t     *testing.T
	mu    sync.Mutex
	State desired.State
	Facts facts.Facts
	// token says that a bootstrap token lives; locked are the locks that are taken.
	token  bool
	locked map[string]bool
	// failAt is called before each action; an error is that of the action, which may then
	// have been done in part.
	failAt    func(step plan.Step, action int) error
	authority *pki.Authority
	performed int
	// cutsLate has the cut of an install come when its packages are there.
	cutsLate bool
	// keepsToken says that it was the end of the token that failed.
	keepsToken bool
	// stale are services, HOST/UNIT, that run with files that are no longer there.
	stale map[string]bool
	// proxy is the configuration with which kube-proxy's pods were started.
	proxy, proxyMark string
}

func Simulate(t *testing.T, wish desired.State) *Simulation {
	t.Helper()
	s := &Simulation{t: t, State: wish, locked: map[string]bool{}, stale: map[string]bool{}, failAt: func(plan.Step, int) error { return nil }}
	s.Facts = world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
	s.Facts.ObservedAt = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	var err error
	if s.authority, err = pki.NewAuthority(rand.Reader, "simulation", s.Facts.ObservedAt); err != nil {
		t.Fatal(err)
	}
	return s
}

// Fork is another world that is like this one, and goes its own way.
func (s *Simulation) Fork() *Simulation {
	return &Simulation{
		t: s.t, State: s.State, Facts: s.Observe(), token: s.token, authority: s.authority,
		proxy: s.proxy, proxyMark: s.proxyMark, locked: map[string]bool{}, stale: maps.Clone(s.stale), failAt: func(plan.Step, int) error { return nil },
	}
}

// Observe gives the facts as they are now.
func (s *Simulation) Observe() facts.Facts {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.Facts
	seen.Hosts = map[string]facts.Host{}
	for name, host := range s.Facts.Hosts {
		host.Files, host.Contents, host.Units = maps.Clone(host.Files), maps.Clone(host.Contents), maps.Clone(host.Units)
		host.Images, host.Kubeconfigs, host.Sysctls = maps.Clone(host.Images), maps.Clone(host.Kubeconfigs), maps.Clone(host.Sysctls)
		host.Modules, host.RegistryImages = maps.Clone(host.Modules), maps.Clone(host.RegistryImages)
		host.Packages, host.Ledger, host.Versions = maps.Clone(host.Packages), slices.Clone(host.Ledger), s.Versions(host)
		_, host.InstallCut = host.Contents[packagesBefore]
		seen.Hosts[name] = host
	}
	if s.Facts.API.Err != nil {
		return seen
	}
	seen.API.Nodes, seen.API.Objects, seen.API.Applied = map[string]object.Node{}, maps.Clone(s.Facts.API.Objects), maps.Clone(s.Facts.API.Applied)
	seen.API.Settings, seen.API.RecordedSettings = maps.Clone(s.Facts.API.Settings), maps.Clone(s.Facts.API.RecordedSettings)
	seen.API.Orphans = map[string][]object.Applied{}
	for name, node := range s.Facts.API.Nodes {
		node.Ready = s.ready(name)
		seen.API.Nodes[name] = node
	}
	wished := map[string]bool{}
	for _, set := range s.State.Addons {
		for _, item := range set.Objects {
			wished[object.Key(item)] = true
		}
	}
	for set, objects := range seen.API.Applied {
		for _, item := range objects {
			if key := object.Key(item.Object()); !wished[key] && seen.API.Objects[key].Object != nil {
				seen.API.Orphans[set] = append(seen.API.Orphans[set], item)
			}
		}
	}
	if s.token {
		seen.API.StaleTokens = []string{"abcdef"}
	}
	return seen
}

// ready is what the kubelet of a node would say.
func (s *Simulation) ready(node string) bool {
	host := s.Facts.Hosts[node]
	_, network := s.Facts.API.Objects["DaemonSet kube-flannel/kube-flannel-ds"]
	return host.Units[templates.KubeletService].Active == "active" && host.Units[templates.ContainerdService].Active == "active" &&
		(network || s.State.Cluster.Addons.Network.Name == inventory.NetworkNone)
}

// up runs plans until one is empty, by the loop that real runs go through.
func (s *Simulation) up(ctx context.Context) error {
	events := event.NewEmitter(time.Now, func(event.Event) {})
	loop := engine.Loop{
		Plan: func(context.Context) (plan.Plan, error) {
			plan := plan.Make(s.State, s.Observe())
			if err := plan.Sound(); err != nil {
				s.t.Error(err)
			}
			return plan, nil
		},
		Apply: func(ctx context.Context, plan plan.Plan) (int, []error) {
			return engine.Execute(ctx, plan.Steps, events, s.perform)
		},
	}
	_, err := loop.Run(ctx)
	return err
}

// perform does the actions of a step, one step at a time.
func (s *Simulation) perform(_ context.Context, step plan.Step) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if step.Lock != "" {
		if s.locked[step.Lock] {
			s.t.Errorf("step %s runs beside another one of lock %s", step.ID, step.Lock)
		}
		s.locked[step.Lock] = true
		defer delete(s.locked, step.Lock)
	}
	world.ChangeHost(s.Facts, step.Host, func(h *facts.Host) {
		for _, touched := range ledger.Unrecorded(step.Touches(), h.Ledger) {
			h.Ledger = append(h.Ledger, ledger.Entry{Kind: touched.Kind, Key: touched.Key, Was: formerly(*h, touched)})
		}
	})
	if step.Host == "" {
		delete(s.Facts.Hosts, "")
	}
	for i, action := range step.Actions {
		s.performed++
		failure := s.failAt(step, i)
		if err := s.act(step, action, failure != nil); err != nil || failure != nil {
			return errors.Join(err, failure)
		}
	}
	return nil
}

// act does an action, or of kubeadm's and the package manager's only the first half. Others
// that fail do nothing: each of them is one change.
func (s *Simulation) act(step plan.Step, action plan.Action, half bool) error {
	host := step.Host
	switch a := action.(type) {
	case plan.KubeadmInit:
		return s.init(host, a, half)
	case plan.KubeadmJoin:
		return s.join(host, a, half)
	case plan.ChangeStaticPod:
		return s.changeStaticPod(host, a, half)
	}
	if half && !OfPackages(action) {
		return nil
	}
	if done, err := s.actOnCluster(action); done {
		return err
	}
	var err error
	world.ChangeHost(s.Facts, host, func(h *facts.Host) {
		was := *h
		was.Files, was.Units, was.Contents = maps.Clone(h.Files), maps.Clone(h.Units), maps.Clone(h.Contents)
		if script, ok := action.(plan.Script); ok && OfPackages(action) {
			err = runPackages(h, script, half, s.cutsLate)
		} else {
			err = s.actOnHost(host, h, action)
		}
		s.age(host, was, *h)
	})
	return err
}

func SetActive(h *facts.Host, unit, state string) {
	facts := h.Units[unit]
	facts.Load, facts.Active, facts.Path = "loaded", state, unitPath(h, unit)
	h.Units[unit] = facts
}

// issue gives the registry of a host its certificate.
func (s *Simulation) issue(h *facts.Host, a plan.MakeRegistryCertificate) error {
	certificate, _, err := s.authority.IssueServer(rand.Reader, a.Names, slices.Concat(a.Addresses, []netip.Addr{}), s.Facts.ObservedAt)
	h.RegistryCA, h.RegistryCertificate = s.authority.CertificatePEM(), certificate
	return err
}

// WantConverged fails the test unless up does its work, and leaves nothing to do.
func (s *Simulation) WantConverged() {
	s.t.Helper()
	if err := s.up(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if plan := plan.Make(s.State, s.Observe()); !plan.Empty() || plan.More != "" {
		s.t.Errorf("the plan is not empty:\n%s", (&engine.NotConvergedError{Plan: plan}).Error())
	}
	if s.token || len(s.stale) > 0 {
		s.t.Errorf("left: a bootstrap token %v, services with old files %v", s.token, slices.Sorted(maps.Keys(s.stale)))
	}
	if runs, is := s.normal(templates.KindKubeProxy, s.proxy), s.normal(templates.KindKubeProxy, s.Facts.API.Settings[templates.KindKubeProxy]); runs != is {
		s.t.Errorf("kube-proxy runs with %s instead of %s", runs, is)
	}
}

// wantState fails the test unless the world has come to be that one.
func (s *Simulation) wantState(want string) {
	s.t.Helper()
	if is := s.state(); is != want {
		s.t.Errorf("another state: %s", difference(is, want))
	}
}
