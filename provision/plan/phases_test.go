package plan

import (
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

// phase is one of kubeadm's, with what it leaves on the host and in the cluster.
type phase struct {
	name   string
	leaves func(f *facts.Facts, h *facts.Host)
	want   string // what is planned after a restart of the host at its end; empty: nothing of membership
}

// TestEachPhaseOfKubeadm restarts the host after each phase of kubeadm 1.37, in its order (cmd/kubeadm/app/cmd/init.go and
// join.go): its unit is gone, nobody knows how it ended, and the plan is made from what is there.
func TestEachPhaseOfKubeadm(t *testing.T) {
	manifest := func(components ...string) func(*facts.Facts, *facts.Host) {
		return func(_ *facts.Facts, h *facts.Host) {
			for _, component := range components {
				h.Manifests = append(h.Manifests, component+".yaml")
			}
		}
	}
	ca := func(_ *facts.Facts, h *facts.Host) { h.CA = []byte(world.CA) }
	kubeconfigs := func(names ...string) func(*facts.Facts, *facts.Host) {
		return func(_ *facts.Facts, h *facts.Host) {
			for _, name := range names {
				h.Kubeconfigs[name] = true
			}
		}
	}
	nothing := func(*facts.Facts, *facts.Host) {}
	api := func(change func(*facts.API)) func(*facts.Facts, *facts.Host) {
		return func(f *facts.Facts, _ *facts.Host) { change(&f.API) }
	}
	registered := func(f *facts.Facts, h *facts.Host) {
		delete(h.Kubeconfigs, "bootstrap-kubelet.conf")
		h.Kubeconfigs["kubelet.conf"], h.KubeletCredentials = true, true
		f.API.Nodes[h.Hostname] = object.Node{Name: h.Hostname, Labels: map[string]string{}, Ready: true}
	}
	marked := func(name string) func(*facts.Facts, *facts.Host) {
		return func(f *facts.Facts, _ *facts.Host) {
			world.ChangeNode(*f, name, func(n *object.Node) { n.Labels[object.LabelControlPlane] = "" })
		}
	}
	const (
		initAgain = "cp1/init: init again"
		awaitAPI  = "cp1/await-api: wait until /readyz answers\nmore: the API server on cp1 does not answer yet"
		pki       = "copy the shared certificates and keys from a control plane; "
		cp2       = "; wait until node cp2 is registered (etcd membership)"
		w1        = "; wait until node w1 is registered"
	)
	refused := func(f *facts.Facts, _ *facts.Host) { f.API = facts.API{Err: world.Refused()} }
	starts := func(f *facts.Facts, h *facts.Host) {
		h.KubeletConfig = true
		refused(f, h)
	}
	for name, c := range map[string]struct {
		edit   func(*inventory.Cluster)
		host   string
		joins  bool
		phases []phase
	}{
		"init": {world.OnlyControlPlane, "cp1", false, []phase{
			{"preflight", func(f *facts.Facts, _ *facts.Host) { f.API = facts.API{Err: facts.NoCluster()} }, "cp1/init: init"},
			{"certs", ca, "cp1/init: init"},
			{"kubeconfig", func(f *facts.Facts, h *facts.Host) {
				kubeconfigs("admin.conf", "kubelet.conf")(f, h)
				h.KubeletCredentials = true // in kubelet.conf itself
				refused(f, h)
			}, initAgain},
			{"etcd", manifest("etcd"), initAgain},
			{"control-plane apiserver", manifest("kube-apiserver"), initAgain},
			{"control-plane", manifest("kube-controller-manager", "kube-scheduler"), initAgain},
			{"kubelet-start", starts, awaitAPI},
			{"wait-control-plane", func(f *facts.Facts, _ *facts.Host) { f.API = facts.API{Err: world.Forbidden()} }, initAgain},
			{"admin.conf's rights", func(f *facts.Facts, h *facts.Host) {
				f.API = facts.API{Via: "cp1", ServerVersion: "1.37.2", Nodes: map[string]object.Node{}, Missing: []string{"all else"}}
				registered(f, h)
			}, initAgain},
			{"upload-config", api(func(a *facts.API) { a.Missing = []string{"ConfigMap cluster-info", "addons"} }), initAgain},
			{"mark-control-plane", marked("cp1"), initAgain},
			{"bootstrap-token", api(func(a *facts.API) { a.Missing = []string{"addons"} }), initAgain},
			{"kubelet-finalize", nothing, initAgain},
			{"addon", api(func(a *facts.API) { a.Missing = nil }), ""},
		}},
		"join of a worker": {nil, "w1", true, []phase{
			{"preflight", nothing, "join" + w1},
			{"kubelet-start: the kubeconfig", kubeconfigs("bootstrap-kubelet.conf"), "join again" + w1},
			{"kubelet-start: the CA", ca, "join again" + w1},
			{"kubelet-start: the configuration", func(_ *facts.Facts, h *facts.Host) { h.KubeletConfig = true }, "join again" + w1},
			{"kubelet-start: it waits", kubeconfigs("kubelet.conf"), "join again" + w1},
			{"kubelet-wait-bootstrap", registered, ""},
		}},
		"join of a control plane": {world.ThreeControlPlanes, "cp2", true, []phase{
			{"preflight", nothing, pki + "join as control plane" + cp2},
			{"control-plane-prepare certs", ca, pki + "join as control plane again" + cp2},
			{"control-plane-prepare kubeconfig", kubeconfigs("admin.conf"), pki + "join as control plane again" + cp2},
			{"control-plane-prepare control-plane", manifest("kube-apiserver", "kube-controller-manager", "kube-scheduler"), pki + "join as control plane again" + cp2},
			{"check-etcd", nothing, pki + "join as control plane again" + cp2},
			{"kubelet-start: the kubeconfig", kubeconfigs("bootstrap-kubelet.conf"), pki + "join as control plane again" + cp2},
			{"kubelet-start", func(f *facts.Facts, h *facts.Host) {
				kubeconfigs("kubelet.conf")(f, h)
				h.KubeletConfig = true
			}, pki + "join as control plane again" + cp2},
			{"etcd-join", manifest("etcd"), pki + "join as control plane again" + cp2},
			{"kubelet-wait-bootstrap", registered, pki + "join as control plane past the kubelet again" + cp2},
			{"control-plane-join", marked("cp2"), ""},
			{"wait-control-plane", nothing, ""},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			wish := world.State(t, c.edit)
			wish.Cluster.IgnorePreflight = []string{"Mem"}
			seen := world.Converged(t, wish)
			world.ChangeHost(seen, c.host, func(h *facts.Host) {
				h.Hostname, h.Kubeconfigs, h.KubeletConfig, h.KubeletCredentials, h.CA, h.Manifests = c.host, map[string]bool{}, false, false, nil, nil
			})
			delete(seen.API.Nodes, c.host)
			for _, phase := range c.phases {
				world.ChangeHost(seen, c.host, func(h *facts.Host) { phase.leaves(&seen, h) })
				got := memberSteps(t, Make(wish, seen))
				want := phase.want
				if c.joins && want != "" {
					want = "cluster/token/mint: create Secret kube-system/bootstrap-token-… (lives at most 30m0s), read " + templates.CACertificate + "\n" +
						c.host + "/join: " + want + "\ncluster/token/revoke: delete Secret kube-system/bootstrap-token-…"
				}
				if got != want {
					t.Errorf("after %s planned is\n%s\nwant\n%s", phase.name, got, want)
				}
			}
		})
	}
}
