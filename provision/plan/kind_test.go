package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// nodeOfKind makes a host one that kind has made.
func nodeOfKind(h *facts.Host) {
	h.Container = "docker"
	h.NotEmpty[templates.KindFolder] = true
	h.Files[templates.KindConfigFile] = facts.File{Mode: 0o644}
}

// kindFile is what a plan writes to kind's file on a host, nil if it writes nothing there.
func kindFile(plan Plan, host string) []byte {
	for _, step := range plan.Steps {
		for _, action := range step.Actions {
			if put, is := action.(PutFile); is && step.Host == host && put.Path == templates.KindConfigFile {
				return put.Content
			}
		}
	}
	return nil
}

// Control planes that kind has made get kubeadm's documents, with their own address, before kubeadm makes them; others do not.
func TestKind(t *testing.T) {
	state := world.State(t, world.ThreeControlPlanes)
	var has func(inventory.Host, *facts.Host)
	plan := func() Plan {
		return Make(state, world.Of(state, func(_ desired.State, host inventory.Host) facts.Host {
			seen := world.FreshHost(host)
			has(host, &seen)
			return seen
		}))
	}
	has = func(_ inventory.Host, h *facts.Host) { nodeOfKind(h) }
	fresh := plan()
	for _, host := range state.Cluster.Hosts() {
		text := string(kindFile(fresh, host.Name))
		if want := host.Role == inventory.RoleControlPlane; want != strings.Contains(text, "advertiseAddress: "+host.Address.String()+"\n") || want != (text != "") {
			t.Errorf("%s: %q", host.Name, text)
		}
	}
	for name, spoil := range map[string]func(*facts.Host){
		"a machine": func(h *facts.Host) { h.Container = "" },
		"another container": func(h *facts.Host) {
			delete(h.NotEmpty, templates.KindFolder)
			delete(h.Files, templates.KindConfigFile)
		},
	} {
		has = func(_ inventory.Host, h *facts.Host) { nodeOfKind(h); spoil(h) }
		if text := kindFile(plan(), "cp1"); text != nil {
			t.Errorf("%s: %s", name, text)
		}
	}
	// What is there and right is left alone; what kind has changed, as the address was another one, is put right.
	file := kindFile(fresh, "cp1")
	for text, again := range map[string]bool{string(file): false, strings.Replace(string(file), "192.0.2.11", "192.0.2.99", 1): true} {
		has = func(host inventory.Host, h *facts.Host) {
			if nodeOfKind(h); host.Name == "cp1" {
				sum := sha256.Sum256([]byte(text))
				h.Files[templates.KindConfigFile] = facts.File{Mode: 0o600, SHA256: hex.EncodeToString(sum[:])}
				h.Contents[templates.KindConfigFile] = []byte(text)
			}
		}
		if got := kindFile(plan(), "cp1"); (got != nil) != again {
			t.Errorf("written again: %v, want %v", got != nil, again)
		}
	}
}

// A cluster that kind has made is taken off a node of kind, and of nothing else, and on explicit wish alone. What a record or a damaged ledger says counts
// there as elsewhere.
func TestResetOfKindsCluster(t *testing.T) {
	wish := world.State(t, nil)
	kinds := func(h *facts.Host) {
		h.Ledger = nil
		delete(h.Files, templates.ClusterRecord)
		delete(h.Contents, templates.ClusterRecord)
		nodeOfKind(h)
	}
	for name, c := range map[string]struct {
		spoil func(*facts.Host)
		steps bool
	}{
		"a node of kind":                   {func(*facts.Host) {}, true},
		"no container":                     {func(h *facts.Host) { h.Container = "none" }, false},
		"an empty folder":                  {func(h *facts.Host) { delete(h.NotEmpty, templates.KindFolder) }, false},
		"no configuration":                 {func(h *facts.Host) { delete(h.Files, templates.KindConfigFile) }, false},
		"no cluster":                       {func(h *facts.Host) { h.CA = nil }, false},
		"a damaged ledger":                 {func(h *facts.Host) { h.LedgerDamage = "it is empty" }, false},
		"fairlead has made something":      {func(h *facts.Host) { h.Ledger = []ledger.Entry{{Kind: ledger.Tree, Key: "/opt/cni", Was: "absent"}} }, true},
		"nobody can look at what it is of": {func(h *facts.Host) { *h = facts.Host{Unreachable: world.NoRoute()} }, false},
	} {
		seen := world.Converged(t, wish)
		for host := range seen.Hosts {
			world.ChangeHost(seen, host, kinds)
		}
		world.ChangeHost(seen, "w2", c.spoil)
		if _, err := MakeReset(wish, seen, ResetOrder{Asked: true}); err == nil {
			t.Errorf("%s: it is reset without being wished for", name)
		}
		made, err := MakeReset(wish, seen, ResetOrder{Foreign: true})
		if err != nil {
			t.Fatal(err)
		}
		script := templates.ScriptResetKind
		if len(seen.Hosts["w2"].Ledger) > 0 {
			script = templates.ScriptReset
		}
		is := slices.ContainsFunc(made.Steps, func(step Step) bool {
			run, ok := step.Actions[0].(Script)
			return ok && step.Host == "w2" && step.Stage == StageReset && run.Name == script && len(step.Touches()) == 0
		})
		if is != c.steps {
			t.Errorf("%s: %s", name, Show(made))
		}
	}
}

// Afterwards it is looked for what has to be gone.
func TestLeftoversOfKindsCluster(t *testing.T) {
	was := world.FreshHost(world.Host("w1", "192.0.2.21", inventory.RoleWorker))
	nodeOfKind(&was)
	for _, c := range []struct {
		now  func(*facts.Host)
		want []string
	}{
		{func(*facts.Host) {}, nil},
		{func(h *facts.Host) {
			h.NotEmpty["/etc"] = true
			h.Files["/etc/cni/net.d/10-calico.conflist"] = facts.File{}
		}, nil},
		{func(h *facts.Host) { h.Files["/etc/cni/net.d/10-kindnet.conflist"] = facts.File{} }, []string{"file /etc/cni/net.d/10-kindnet.conflist"}},
		{func(h *facts.Host) { h.Files[templates.CACertificate] = facts.File{} }, []string{"file " + templates.CACertificate}},
		{func(h *facts.Host) { h.Files[templates.KubeletConfigFile] = facts.File{} }, []string{"file " + templates.KubeletConfigFile}},
		{func(h *facts.Host) { h.Files[templates.AdminConf] = facts.File{} }, []string{"file " + templates.AdminConf}},
		{func(h *facts.Host) { h.NotEmpty["/var/lib/etcd"] = true }, []string{"what is in /var/lib/etcd"}},
		{func(h *facts.Host) { h.NotEmpty["/etc/kubernetes/manifests"] = true }, []string{"what is in /etc/kubernetes/manifests"}},
		{func(h *facts.Host) { h.Links = []string{"lo", "cni0"} }, []string{"interface cni0"}},
	} {
		now := world.FreshHost(world.Host("w1", "192.0.2.21", inventory.RoleWorker))
		nodeOfKind(&now)
		c.now(&now)
		left, err := Leftovers(was, world.Answer(now, AsksAfterReset(was)))
		if err != nil || !slices.Equal(left, c.want) {
			t.Errorf("%v, %v, want %v", left, err, c.want)
		}
	}
}

// Without the plugin that flannel needs, nodes of kind need a bundle.
func TestKindPlugins(t *testing.T) {
	for _, c := range []struct {
		edit  func(*inventory.Cluster)
		spoil func(*facts.Host)
		found bool
	}{
		{world.FromRepositories, func(*facts.Host) {}, true},
		{world.FromRepositories, func(h *facts.Host) { h.Container = "none" }, false},
		{world.FromRepositories, func(h *facts.Host) { h.Files[templates.BridgePlugin] = facts.File{} }, false},
		{nil, func(*facts.Host) {}, false},
		{world.All(world.FromRepositories, func(c *inventory.Cluster) { c.Addons.Network.Name = inventory.NetworkNone }), func(*facts.Host) {}, false},
	} {
		h := debianHost(func(h *facts.Host) { nodeOfKind(h); world.KubernetesOf("/usr/bin", "1.37.2")(h); c.spoil(h) })
		message, fix := checkKindPlugins(&planner{State: world.State(t, c.edit)}, inventory.Host{}, h)
		if (message != "") != c.found || (fix != "") != c.found {
			t.Errorf("%q, %q", message, fix)
		}
	}
}
