package provision

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/kube"
)

// simulation is a small model of hosts and their cluster: actions change its facts as they
// would change those of real hosts, and fail where kubeadm would. What only real programs can
// tell is tested on the lab.
type simulation struct {
	t    *testing.T
	mu   sync.Mutex
	wish Wish
	is   Facts
	// token says that a bootstrap token lives; locked are the locks that are taken.
	token  bool
	locked map[string]bool
	// failAt is called before each action; an error is that of the action, which may then
	// have been done in part.
	failAt    func(step Step, action int) error
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

func simulate(t *testing.T, wish Wish) *simulation {
	t.Helper()
	s := &simulation{t: t, wish: wish, locked: map[string]bool{}, stale: map[string]bool{}, failAt: func(Step, int) error { return nil }}
	s.is = factsOf(wish, func(_ Wish, host inventory.Host) HostFacts { return freshHost(host) })
	s.is.ObservedAt = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	var err error
	if s.authority, err = pki.NewAuthority(rand.Reader, "simulation", s.is.ObservedAt); err != nil {
		t.Fatal(err)
	}
	return s
}

// fork is another world that is like this one, and goes its own way.
func (s *simulation) fork() *simulation {
	return &simulation{
		t: s.t, wish: s.wish, is: s.observe(), token: s.token, authority: s.authority,
		proxy: s.proxy, proxyMark: s.proxyMark, locked: map[string]bool{}, stale: maps.Clone(s.stale), failAt: func(Step, int) error { return nil },
	}
}

// observe gives the facts as they are now.
func (s *simulation) observe() Facts {
	s.mu.Lock()
	defer s.mu.Unlock()
	facts := s.is
	facts.Hosts = map[string]HostFacts{}
	for name, host := range s.is.Hosts {
		host.Files, host.Contents, host.Units = maps.Clone(host.Files), maps.Clone(host.Contents), maps.Clone(host.Units)
		host.Images, host.Kubeconfigs, host.Sysctls = maps.Clone(host.Images), maps.Clone(host.Kubeconfigs), maps.Clone(host.Sysctls)
		host.Modules, host.RegistryImages = maps.Clone(host.Modules), maps.Clone(host.RegistryImages)
		host.Packages, host.Ledger, host.Versions = maps.Clone(host.Packages), slices.Clone(host.Ledger), s.versions(host)
		_, host.InstallCut = host.Contents[packagesBefore]
		facts.Hosts[name] = host
	}
	if s.is.API.Err != nil {
		return facts
	}
	facts.API.Nodes, facts.API.Objects, facts.API.Applied = map[string]kube.Node{}, maps.Clone(s.is.API.Objects), maps.Clone(s.is.API.Applied)
	facts.API.Settings, facts.API.RecordedSettings = maps.Clone(s.is.API.Settings), maps.Clone(s.is.API.RecordedSettings)
	facts.API.Strays = map[string][]kube.AppliedObject{}
	for name, node := range s.is.API.Nodes {
		node.Ready = s.ready(name)
		facts.API.Nodes[name] = node
	}
	wished := map[string]bool{}
	for _, set := range s.wish.Addons {
		for _, object := range set.Objects {
			wished[objectKey(object)] = true
		}
	}
	for set, objects := range facts.API.Applied {
		for _, object := range objects {
			if key := objectKey(object.Object()); !wished[key] && facts.API.Objects[key].Object != nil {
				facts.API.Strays[set] = append(facts.API.Strays[set], object)
			}
		}
	}
	if s.token {
		facts.API.StaleTokens = []string{"abcdef"}
	}
	return facts
}

// ready is what the kubelet of a node would say.
func (s *simulation) ready(node string) bool {
	host := s.is.Hosts[node]
	_, network := s.is.API.Objects["DaemonSet kube-flannel/kube-flannel-ds"]
	return host.Units[kubeletUnit].Active == "active" && host.Units[containerdUnit].Active == "active" &&
		(network || s.wish.Cluster.Addons.Network.Name == inventory.NetworkNone)
}

// up runs plans until one is empty, by the loop that real runs go through.
func (s *simulation) up(ctx context.Context) error {
	events := newEmitter(time.Now, func(Event) {})
	loop := Loop{
		Plan: func(context.Context) (Plan, error) {
			plan := MakePlan(s.wish, s.observe())
			sound(s.t, plan)
			return plan, nil
		},
		Apply: func(ctx context.Context, plan Plan) (int, []error) {
			return execute(ctx, plan.Steps, events, s.perform)
		},
	}
	_, err := loop.Run(ctx)
	return err
}

// perform does the actions of a step, one step at a time.
func (s *simulation) perform(_ context.Context, step Step) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if step.Lock != "" {
		if s.locked[step.Lock] {
			s.t.Errorf("step %s runs beside another one of lock %s", step.ID, step.Lock)
		}
		s.locked[step.Lock] = true
		defer delete(s.locked, step.Lock)
	}
	changeHost(s.is, step.Host, func(h *HostFacts) {
		for _, touched := range unrecorded(step.Touches(), h.Ledger) {
			h.Ledger = append(h.Ledger, LedgerEntry{Kind: touched.kind, Key: touched.key, Was: formerly(*h, touched)})
		}
	})
	if step.Host == "" {
		delete(s.is.Hosts, "")
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
func (s *simulation) act(step Step, action Action, half bool) error {
	host := step.Host
	switch a := action.(type) {
	case KubeadmInit:
		return s.init(host, a, half)
	case KubeadmJoin:
		return s.join(host, a, half)
	case ChangeStaticPod:
		return s.changeStaticPod(host, a, half)
	}
	if half && !ofPackages(action) {
		return nil
	}
	if done, err := s.actOnCluster(action); done {
		return err
	}
	var err error
	changeHost(s.is, host, func(h *HostFacts) {
		was := *h
		was.Files, was.Units, was.Contents = maps.Clone(h.Files), maps.Clone(h.Units), maps.Clone(h.Contents)
		if script, ok := action.(Script); ok && ofPackages(action) {
			err = runPackages(h, script, half, s.cutsLate)
		} else {
			err = s.actOnHost(host, h, action)
		}
		s.age(host, was, *h)
	})
	return err
}

func setActive(h *HostFacts, unit, state string) {
	facts := h.Units[unit]
	facts.Load, facts.Active, facts.Path = "loaded", state, unitPath(h, unit)
	h.Units[unit] = facts
}

func written(h *HostFacts, path string, mode uint32, content []byte) {
	sum := sha256.Sum256(content)
	h.Files[path] = FileFacts{Mode: mode, SHA256: hex.EncodeToString(sum[:])}
	h.Contents[path] = content
}

// issue gives the registry of a host its certificate.
func (s *simulation) issue(h *HostFacts, a MakeRegistryCertificate) error {
	certificate, _, err := s.authority.IssueServer(rand.Reader, a.Names, slices.Concat(a.Addresses, []netip.Addr{}), s.is.ObservedAt)
	h.RegistryCA, h.RegistryCertificate = s.authority.CertificatePEM(), certificate
	return err
}
