package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

const (
	oldServer   = "https://192.0.2.11:6443"
	newServer   = "https://api.lab.example:8443"
	thirdServer = "https://192.0.2.77:6443"
)

func atNew(c *inventory.Cluster) { c.ControlPlane.Endpoint = "api.lab.example:8443" }

// names are the steps of a plan.
func names(made Plan) []string {
	var all []string
	for _, step := range made.Steps {
		all = append(all, step.ID)
	}
	return all
}

// movedTo is a cluster whose places name the new endpoint, in certificates, too.
func movedTo(t *testing.T) facts.Facts {
	t.Helper()
	seen := world.Converged(t, world.State(t, atNew))
	world.ChangeHost(seen, "cp1", func(h *facts.Host) {
		for i := range h.Certificates {
			h.Certificates[i].Names = append(h.Certificates[i].Names, "api.lab.example")
		}
	})
	return seen
}

// Each place may say the old endpoint, the new one, another one, or nothing that can be understood, or not be there: what differs
// is mended, what is not understood is left alone and said, and what is not there is nobody's.
func TestEndpointPlaces(t *testing.T) {
	host := func(name, file string) func(*facts.Facts, string, bool) {
		return func(f *facts.Facts, server string, exists bool) {
			world.ChangeHost(*f, name, func(h *facts.Host) {
				delete(h.Servers, file)
				delete(h.Kubeconfigs, file)
				if h.Kubeconfigs[file] = exists; server != "" {
					h.Servers[file] = server
				}
			})
		}
	}
	object := func(place desired.KubeconfigMap) func(*facts.Facts, string, bool) {
		return func(f *facts.Facts, server string, exists bool) {
			switch f.API.Kubeconfigs[place.String()] = "clusters: []\n"; {
			case !exists:
				delete(f.API.Kubeconfigs, place.String())
			case server != "":
				f.API.Kubeconfigs[place.String()] = world.Kubeconfig(server)
			}
		}
	}
	for _, place := range []struct {
		name string
		set  func(f *facts.Facts, server string, exists bool)
		step string
	}{
		{"super-admin.conf", host("cp1", "super-admin.conf"), "cp1/endpoint"},
		{"admin.conf", host("cp1", "admin.conf"), "cp1/endpoint"},
		{"kubelet.conf of a worker", host("w1", "kubelet.conf"), "w1/endpoint"},
		{"kube-proxy", object(desired.ProxyKubeconfig()), stepKubeProxy},
		{"cluster-info", object(desired.InfoKubeconfig()), stepInfo},
	} {
		for _, says := range []struct {
			name, server string
			exists       bool
			changes      bool
			warns        bool
		}{
			{"new", newServer, true, false, false},
			{"old", oldServer, true, true, false},
			{"third", thirdServer, true, true, false},
			{"without TLS", "http://api.lab.example:8443", true, true, false},
			{"unreadable", "", true, false, true},
		} {
			t.Run(place.name+"/"+says.name, func(t *testing.T) {
				seen := movedTo(t)
				place.set(&seen, says.server, says.exists)
				made := Make(world.State(t, atNew), seen)
				if err := made.Sound(); err != nil || len(made.Errors())+len(made.Blocked) > 0 {
					t.Errorf("%v, %v, %v", err, made.Errors(), made.Blocked)
				}
				warned := slices.ContainsFunc(made.Findings, func(f Finding) bool { return f.Name == endpointFinding })
				if slices.Contains(names(made), place.step) != says.changes || warned != says.warns || says.changes == made.Empty() {
					t.Errorf("planned are %v, warned %v", names(made), made.Findings)
				}
			})
		}
	}
	t.Run("missing", func(t *testing.T) {
		seen := movedTo(t)
		object(desired.InfoKubeconfig())(&seen, "", false)
		host("w1", "kubelet.conf")(&seen, "", false)
		if made := Make(world.State(t, atNew), seen); slices.Contains(names(made), stepInfo) || slices.Contains(names(made), "w1/endpoint") {
			t.Errorf("planned are %v", names(made))
		}
	})
}

// The kubelet of a control plane may speak to the API server beside it, by whatever name, or to the endpoint.
func TestEndpointOfControlPlanesKubelet(t *testing.T) {
	for server, changes := range map[string]bool{
		"https://192.0.2.11:6443": false, "https://127.0.0.1:6443": false, "https://localhost:6443": false, newServer: false,
		"https://API.lab.example:8443/": false, thirdServer: true, "https://192.0.2.11": true, "https://192.0.2.12:6443": true,
	} {
		seen := movedTo(t)
		seen.Hosts["cp1"].Servers["kubelet.conf"] = server
		made := Make(world.State(t, atNew), seen)
		if slices.Contains(names(made), "cp1/endpoint") != changes {
			t.Errorf("%s: planned are %v", server, names(made))
		}
	}
}

// The certificates come first, then a look from every host, then all that goes by the endpoint, and the record last. Hosts join
// after it.
func TestEndpointOrder(t *testing.T) {
	grown := world.All(atNew, world.ThreeControlPlanes)
	seen := world.Converged(t, world.State(t, nil))
	wish := world.State(t, grown)
	for _, host := range wish.Cluster.ControlPlane.Hosts[1:] {
		seen.Hosts[host.Name] = world.FreshHost(host)
	}
	made := Make(wish, seen)
	if err := made.Sound(); err != nil || len(made.Errors()) > 0 {
		t.Fatal(err, made.Errors())
	}
	after := map[string]map[string]bool{} // all that comes before a step
	var before func(id string) map[string]bool
	before = func(id string) map[string]bool {
		if known, ok := after[id]; ok {
			return known
		}
		all := map[string]bool{}
		after[id] = all
		i := slices.IndexFunc(made.Steps, func(s Step) bool { return s.ID == id })
		if i < 0 {
			t.Fatalf("there is no step %s in %v", id, names(made))
		}
		for _, need := range made.Steps[i].Needs {
			all[need] = true
			for far := range before(need) {
				all[far] = true
			}
		}
		return all
	}
	gates := []string{"cp1/endpoint-answers", "w1/endpoint-answers", "w2/endpoint-answers"}
	for _, gate := range gates {
		if !before(gate)["cp1/settings"] || !before(gate)["cluster/settings/announce"] {
			t.Errorf("%s comes after %v", gate, before(gate))
		}
	}
	for _, id := range []string{"cp1/endpoint", "w1/endpoint", "w2/endpoint", "cp1/keep-settings", stepKubeProxy, stepInfo, "cluster/network"} {
		for _, gate := range gates {
			if !before(id)[gate] {
				t.Errorf("%s does not come after %s", id, gate)
			}
		}
		if id != "cluster/network" && !before("cluster/settings/record")[id] {
			t.Errorf("the record does not come after %s", id)
		}
	}
	if !before("cp1/keep-settings")["cp1/endpoint"] || !before("w2/endpoint")["w1/endpoint"] {
		t.Error("kubeadm asks where admin.conf says, and the first kubelet shows the others that it is well")
	}
	for _, id := range []string{"cp2/join", "cp3/join"} {
		for _, need := range []string{stepInfo, "cp1/keep-settings", "cp1/endpoint"} {
			if !before(id)[need] {
				t.Errorf("%s does not come after %s", id, need)
			}
		}
	}
}

// The endpoint that a cluster has wins over one that only follows from which host comes first.
func TestEndpointObserved(t *testing.T) {
	derived := func(hosts ...string) func(*inventory.Cluster) {
		return func(c *inventory.Cluster) {
			world.ThreeControlPlanes(c)
			all := map[string]inventory.Host{}
			for _, host := range c.ControlPlane.Hosts {
				all[host.Name] = host
			}
			c.ControlPlane.Hosts = nil
			for _, name := range hosts {
				c.ControlPlane.Hosts = append(c.ControlPlane.Hosts, all[name])
			}
			c.ControlPlane.EndpointDerived = true
			c.ControlPlane.Endpoint = c.ControlPlane.Hosts[0].Address.String() + ":6443"
		}
	}
	seen := func(edit func(*inventory.Cluster)) facts.Facts {
		f := world.Converged(t, world.State(t, edit))
		for name, node := range f.API.Nodes {
			if host, ok := world.State(t, edit).Cluster.Host(name); ok {
				node.InternalIP = host.Address.String()
				f.API.Nodes[name] = node
			}
		}
		return f
	}
	whole := derived("cp1", "cp2", "cp3")
	for _, c := range []struct {
		name  string
		wish  func(*inventory.Cluster)
		seen  facts.Facts
		finds string
	}{
		{"the same order", whole, seen(whole), ""},
		{"another order", derived("cp3", "cp1", "cp2"), seen(whole), ""},
		{"without the first", derived("cp2", "cp3"), seen(whole), "error cp1 EndpointLeaves: the control plane endpoint is 192.0.2.11:6443, the address of cp1, which leaves"},
		{"one that was given before", whole, seen(world.All(whole, atNew)), ""},
		{"an address of nobody", whole, seen(world.All(whole, func(c *inventory.Cluster) { c.ControlPlane.Endpoint = "192.0.2.10:8443" })),
			"warning  Endpoint: the cluster's control plane endpoint is 192.0.2.10:8443, which the inventory does not name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := Make(world.State(t, c.wish), c.seen)
			var found string
			for _, f := range made.Findings {
				found += fmt.Sprintf("%s %s %s: %s\n", map[bool]string{true: "warning", false: "error"}[f.Warning], f.Host, f.Name, f.Message)
			}
			if !made.Empty() || !strings.HasPrefix(found, c.finds) || (found == "") != (c.finds == "") {
				t.Errorf("planned are %v, found %q", names(made), found)
			}
		})
	}
	silent := seen(whole)
	silent.API = facts.API{Err: world.Refused()}
	if is := observedEndpoint(world.State(t, derived("cp2", "cp1", "cp3")).Cluster, silent); is != "192.0.2.11:6443" {
		t.Errorf("of a cluster that does not answer the endpoint is %q", is)
	}
}

// What the endpoint was stays in the API servers' certificates, and is reached without a proxy.
func TestFormerEndpoints(t *testing.T) {
	for _, c := range []struct {
		current string
		seen    facts.API
		want    string
	}{
		{"a:1", facts.API{}, ""},
		{"a:1", facts.API{Settings: map[string]string{templates.KindCluster: document("b:1")}}, "b"},
		{"a:1", facts.API{Settings: map[string]string{templates.KindCluster: document("a:2")}}, ""},
		{"a:1", facts.API{RecordedSettings: map[string]string{
			templates.KindCluster: "controlPlaneEndpoint: c:1\n", templates.KindCluster + ".to-come.01": "controlPlaneEndpoint: '[2001:db8::1]:1'\n",
			desired.FormerEndpoints: "d,a,c", templates.KindKubelet: "controlPlaneEndpoint: x:1\n",
		}}, "2001:db8::1 c d"},
	} {
		if is := strings.Join(formerEndpoints(c.current, c.seen), " "); is != c.want {
			t.Errorf("former endpoints are %q, want %q", is, c.want)
		}
	}
}

func document(endpoint string) string {
	return "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\ncontrolPlaneEndpoint: " + endpoint + "\n"
}

// An init that was cut off goes on with the endpoint that is wished for by now: kubeadm would refuse what the first one has left.
func TestEndpointOfHalfInit(t *testing.T) {
	seen := world.Of(world.State(t, nil), func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
	seen.API = facts.API{Err: world.Refused()}
	world.ChangeHost(seen, "cp1", func(h *facts.Host) {
		h.Kubeconfigs["admin.conf"], h.Servers["admin.conf"] = true, oldServer
		h.Manifests = []string{"etcd.yaml"}
		h.Units[templates.KubeadmService] = facts.Unit{Load: "loaded", Active: "failed"}
		h.Certificates = []facts.Certificate{{Path: templates.APIServerCertificate, Names: []string{"192.0.2.11"}}}
	})
	text := Show(Make(world.State(t, atNew), seen))
	for _, want := range []string{"because /etc/kubernetes/admin.conf names " + oldServer, "do have /etc/kubernetes/admin.conf name " + newServer, "do remove /etc/kubernetes/pki/apiserver.crt"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func derivedEndpoint(c *inventory.Cluster) { c.ControlPlane.EndpointDerived = true }

func noServer(h *facts.Host) { delete(h.Servers, "kubelet.conf") }

// endpointOfNode has the cluster's endpoint be the address of a node that no host has.
func endpointOfNode(t *testing.T) func(*facts.Facts) {
	t.Helper()
	return func(f *facts.Facts) {
		clusterHas(t, "192.0.2.99:6443", "controlPlaneEndpoint")(f)
		f.API.Nodes["cp0"] = object.Node{Name: "cp0", Ready: true, InternalIP: "192.0.2.99"}
	}
}
