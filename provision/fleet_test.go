package provision

import (
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/connect"
	"fairlead/provision/desired"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/kube/kubetest"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/templates"
)

// fleet are the hosts of a wish, none of which is there. They answer the probe by what is known of
// them, and every other script is noted and done by a function of the test.
type fleet struct {
	*Session
	t     *testing.T
	wish  desired.State
	lines map[string]*remotetest.Pretend
	api   *kubetest.API

	mu      sync.Mutex
	seen    facts.Facts
	lost    map[string]error // hosts that cannot be connected to
	scripts []string         // HOST/SCRIPT of all that ran, but for the probe
	probes  map[string][]string
	events  []event.Event
	records map[string]string // of who holds the lock, by host
	looked  func(host string) // called before somebody looks who that is
	// perform does a script on a host, and says with which words it fails; nil does nothing.
	perform func(ctx context.Context, host string, script templates.Script) (failure string)
	// garble makes what a host answers to the probe something else; nil leaves it.
	garble func(host, answer string) string
}

// newFleet has hosts be as the facts have them, and an API server answer if they have one.
func newFleet(t *testing.T, wish desired.State, seen facts.Facts) *fleet {
	t.Helper()
	f := &fleet{t: t, wish: wish, seen: seen, lines: map[string]*remotetest.Pretend{}, lost: map[string]error{}, probes: map[string][]string{}, records: map[string]string{}}
	for _, host := range wish.Cluster.Hosts() {
		f.line(host.Name)
	}
	if seen.API.Err == nil {
		f.api = kubetest.New(t, objectsOf(t, seen.API)...)
		f.lines[seen.API.Via].PutFile(templates.AdminConf, f.api.Kubeconfig())
		f.lines[seen.API.Via].OnDial(f.api.Dial)
	}
	f.Session = f.session("1a2b3c4d", Options{Holder: "ann@laptop"})
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if left := f.records; len(left) > 0 {
			t.Errorf("locks are left: %v", left)
		}
	})
	return f
}

// line makes the way to a host, anew where there is one.
func (f *fleet) line(name string) {
	f.lines[name] = remotetest.NewPretend(f.t, func(ctx context.Context, c remotetest.Call) remotetest.Reply { return f.run(ctx, name, c) })
}

// session is a run with the fleet, whose events the fleet keeps.
func (f *fleet) session(run string, options Options) *Session {
	options.Events = func(e event.Event) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.events = append(f.events, e)
	}
	return newSession(f.wish, nil, run, options, connect.NewWith(f.wish.Cluster, f.dial))
}

// dial implements connect.Dial.
func (f *fleet) dial(_ context.Context, host inventory.Host) (*remote.Host, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.lost[host.Name]; err != nil {
		return nil, err
	}
	return f.lines[host.Name].Host(host.Name), nil
}

// converged is a fleet on which nothing is to be done.
func converged(t *testing.T, edit func(*inventory.Cluster)) *fleet {
	t.Helper()
	wish := world.State(t, edit)
	return newFleet(t, wish, world.Converged(t, wish))
}

// change changes what is known of a host.
func (f *fleet) change(name string, change func(*facts.Host)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	world.ChangeHost(f.seen, name, change)
}

// lose has a host not be reached.
func (f *fleet) lose(names ...string) {
	for _, name := range names {
		f.lost[name] = remote.ErrUnreachable
	}
}

// scriptOf is the name of a script by its text.
func scriptOf(text string) templates.Script {
	for _, name := range []templates.Script{
		templates.ScriptProbe, templates.ScriptLock, templates.ScriptRecord, templates.ScriptReset, templates.ScriptSetSysctls, templates.ScriptLeaveEtcd, templates.ScriptBeginEtcd,
		templates.ScriptRestartUnit, templates.ScriptStopUnit, templates.ScriptRemoveFiles, templates.ScriptCollectGarbage,
	} {
		if name.Text() == text {
			return name
		}
	}
	return ""
}

// run is a command on a host.
func (f *fleet) run(ctx context.Context, host string, c remotetest.Call) remotetest.Reply {
	script := scriptOf(c.Script)
	f.mu.Lock()
	if script == templates.ScriptProbe {
		defer f.mu.Unlock()
		f.probes[host] = append(f.probes[host], strings.Join(c.Argv, " "))
		answer := probeText(f.t, world.Answer(f.seen.Hosts[host], asked(f.wish)))
		if f.garble != nil {
			answer = f.garble(host, answer)
		}
		return remotetest.Reply{Stdout: answer}
	}
	if script == templates.ScriptLock {
		defer f.mu.Unlock()
		return remotetest.Reply{Stdout: f.lock(host, c.Argv[1:]) + "\n"}
	}
	f.scripts = append(f.scripts, host+"/"+string(script))
	f.mu.Unlock()
	if script == "" || !c.Root {
		f.t.Errorf("%s was to run %q, a script of %d bytes, as root: %v", host, c.Argv, len(c.Script), c.Root)
	}
	if f.perform == nil {
		return remotetest.Reply{}
	}
	if failure := f.perform(ctx, host, script); failure != "" {
		return remotetest.Reply{Stderr: failure + "\n", Code: 1}
	}
	return remotetest.Reply{}
}

// lock does what the script of that name does.
func (f *fleet) lock(host string, args []string) string {
	switch {
	case args[0] == "read":
		if f.looked != nil {
			f.looked(host)
		}
		return f.records[host]
	case f.records[host] != args[1]:
		return "changed"
	case args[2] == "":
		delete(f.records, host)
	default:
		f.records[host] = args[2]
	}
	return "written"
}

// asked is what a wish has hosts be asked, without patterns: of those nothing is there.
func asked(wish desired.State) facts.Query {
	query := plan.Asks(wish)
	var units []string
	for _, unit := range query.Units {
		if path.Base(unit) == unit && !strings.ContainsAny(unit, "*?[") {
			units = append(units, unit)
		}
	}
	query.Units = units
	return query
}

// told are the events of a kind, each as its host, title, message and error.
func (f *fleet) told(kind event.Kind) []string {
	var all []string
	for _, e := range f.events {
		if e.Kind == kind {
			words := slices.DeleteFunc([]string{e.Host, e.Title, e.Message, e.Error}, func(word string) bool { return word == "" })
			all = append(all, strings.Join(words, " "))
		}
	}
	return all
}

// objectsOf are those of an API server that says what is in the facts.
func objectsOf(t *testing.T, api facts.API) []map[string]any {
	t.Helper()
	texts := func(from map[string]string) map[string]any {
		to := map[string]any{}
		for key, text := range from {
			to[key] = text
		}
		return to
	}
	info := desired.InfoKubeconfig()
	public := info.Object(map[string]any{info.Key: api.Kubeconfigs[info.String()]})
	all := []map[string]any{
		public, object.System("apps/v1", "Deployment", "coredns"), object.System("apps/v1", "DaemonSet", "kube-proxy"),
		{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": map[string]any{"name": "kubeadm:cluster-admins"}},
		object.ConfigMap(desired.SettingsRecord, texts(api.RecordedSettings)),
	}
	for _, source := range desired.SettingsSources() {
		data := map[string]any{source.Key: api.Settings[source.Kind]}
		if place := desired.ProxyKubeconfig(); source.ConfigMap == place.Name {
			data[place.Key] = api.Kubeconfigs[place.String()]
		}
		all = append(all, object.ConfigMap(source.ConfigMap, data))
	}
	for _, node := range api.Nodes {
		ready := map[string]any{"type": "Ready", "status": map[bool]string{true: "True", false: "False"}[node.Ready]}
		all = append(all, map[string]any{
			"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": node.Name, "labels": texts(node.Labels)},
			"spec": map[string]any{"taints": node.Taints}, "status": map[string]any{"conditions": []any{ready}},
		})
	}
	for _, live := range api.Objects {
		all = append(all, live.Object)
	}
	record := map[string]any{}
	for set, applied := range api.Applied {
		text, err := json.Marshal(applied)
		if err != nil {
			t.Fatal(err)
		}
		record[set] = string(text)
	}
	return append(all, object.ConfigMap("fairlead-addons", record))
}
