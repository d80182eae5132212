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

// complaints are what kubeadm says of a host on which it has been at work before (its
// preflight/checks.go). A repeated run has to be told of every one of them.
func complaints() []string {
	return strings.Fields(`
		FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml
		FileAvailable--etc-kubernetes-manifests-kube-controller-manager.yaml
		FileAvailable--etc-kubernetes-manifests-kube-scheduler.yaml
		FileAvailable--etc-kubernetes-manifests-etcd.yaml
		FileAvailable--etc-kubernetes-kubelet.conf
		FileAvailable--etc-kubernetes-bootstrap-kubelet.conf
		FileAvailable--etc-kubernetes-pki-ca.crt
		DirAvailable--var-lib-etcd
		Port-6443 Port-10250 Port-10257 Port-10259 Port-2379 Port-2380`)
}

// kubeadmRun says which document kubeadm gets: with the checks that the user ignores, and again
// with those of a repeated run.
func kubeadmRun(t *testing.T, verb string, node templates.Node, document []byte) string {
	t.Helper()
	for _, check := range node.IgnorePreflight {
		if !strings.Contains(string(document), "\n  - "+check+"\n") {
			t.Errorf("the document of %s on %s does not ignore %s:\n%s", verb, node.Name, check, document)
		}
	}
	switch got := strings.Join(node.IgnorePreflight, " "); got {
	case "Mem":
		return verb
	case strings.Join(append(complaints(), "Mem"), " "):
		return verb + " again"
	default:
		return verb + " in spite of " + got
	}
}

func makesMember(action Action) bool {
	switch action.(type) {
	case KubeadmInit, KubeadmJoin:
		return true
	}
	return false
}

// memberSteps are the steps of a plan that are about membership, one a line, with their locks.
func memberSteps(t *testing.T, plan Plan) string {
	t.Helper()
	var all []string
	for _, step := range plan.Steps {
		if step.Stage != StageAwait && step.Stage != StageJoin {
			continue
		}
		var does []string
		claimed := 0
		for _, action := range step.Actions {
			switch a := action.(type) {
			case KubeadmInit:
				path, before, document := a.Diff()
				if path != templates.KubeadmConfigFile || before != nil {
					t.Errorf("the document is to be %s instead of %q", path, before)
				}
				does = append(does, kubeadmRun(t, "init", a.Node, document))
			case KubeadmJoin:
				path, before, document := a.Diff()
				if path != templates.KubeadmConfigFile || before != nil || a.ControlPlane != strings.Contains(string(document), "\ncontrolPlane:\n") {
					t.Errorf("control plane %v: the document is to be %s instead of %q:\n%s", a.ControlPlane, path, before, document)
				}
				if a.KubeletStarted != strings.Contains(string(document), "\nskipPhases:\n- kubelet-start\n") {
					t.Errorf("the kubelet has credentials: %v; the document:\n%s", a.KubeletStarted, document)
				}
				verb := map[bool]string{true: "join as control plane", false: "join"}[a.ControlPlane]
				verb += map[bool]string{true: " past the kubelet"}[a.KubeletStarted]
				does = append(does, kubeadmRun(t, verb, a.Node, document))
			case RecordCluster:
				claimed++
			default:
				does = append(does, action.Describe())
			}
		}
		if makes := slices.ContainsFunc(step.Actions, makesMember); makes != (claimed == 2) {
			t.Errorf("%s says %d times of which cluster the host is, want twice: before kubeadm and after it", step.ID, claimed)
		}
		text := step.ID + ": " + strings.Join(does, "; ")
		if step.Lock != "" {
			text += " (" + step.Lock + ")"
		}
		all = append(all, text)
	}
	for _, blocked := range plan.Blocked {
		all = append(all, fmt.Sprintf("blocked %s: %s: %s", blocked.Host, blocked.Title, blocked.Reason))
	}
	if plan.More != "" {
		all = append(all, "more: "+plan.More)
	}
	return strings.Join(all, "\n")
}

// Whoever joins waits for kubeadm init on whichever host that has to go on, and gives way to its
// downloads; what is recorded at the end waits for it, too.
func TestInitGoesOnOnAnotherHost(t *testing.T) {
	wish := world.State(t, world.ThreeControlPlanes)
	seen := world.Converged(t, wish)
	seen.API.Via, seen.API.Missing, seen.API.RecordedSettings = "cp2", []string{"DaemonSet b"}, nil
	for _, name := range []string{"cp2", "w1"} {
		world.ChangeHost(seen, name, func(h *facts.Host) { delete(h.Files, "/usr/local/bin/kubelet") })
	}
	world.ChangeHost(seen, "w1", func(h *facts.Host) {
		h.Kubeconfigs, h.KubeletConfig, h.KubeletCredentials, h.CA = map[string]bool{}, false, false, nil
	})
	delete(seen.API.Nodes, "w1")
	delete(seen.API.Objects, "DaemonSet kube-flannel/kube-flannel-ds")
	plan := Make(wish, seen)
	waits := map[string]bool{"cluster/token/mint": false, "w1/join": false, "cluster/network": false, "cluster/settings/record": false}
	for _, step := range plan.Steps {
		if _, ok := waits[step.ID]; ok {
			waits[step.ID] = slices.Contains(step.Needs, "cp2/init")
		}
		if step.ID == "w1/kubernetes" && !slices.Equal(step.GivesWayTo, []string{"cp2/kubernetes"}) {
			t.Errorf("%s gives way to %q", step.ID, step.GivesWayTo)
		}
	}
	for id, is := range waits {
		if !is {
			t.Errorf("%s does not wait for init on cp2:\n%s", id, Show(plan))
		}
	}
}

// TestHalfFinished has a case for each row of DESIGN's table of half-finished things, and for
// what tells one row from the next.
func TestHalfFinished(t *testing.T) {
	refused := world.Refused()
	onHost := func(name string, changes ...func(*facts.Host)) func(*facts.Facts) {
		return func(f *facts.Facts) {
			for _, change := range changes {
				world.ChangeHost(*f, name, change)
			}
		}
	}
	kubeadmIs := func(state string) func(*facts.Host) {
		return func(h *facts.Host) { h.Units[templates.KubeadmService] = facts.Unit{Load: "loaded", Active: state} }
	}
	silent := func(changes ...func(*facts.Host)) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.API = facts.API{Err: refused}
			onHost("cp1", changes...)(f)
		}
	}
	without := func(names ...string) func(*facts.Host) {
		return func(h *facts.Host) {
			for _, name := range names {
				delete(h.Kubeconfigs, name)
			}
		}
	}
	etcdUnbegun := func(h *facts.Host) { h.EtcdUnbegun = true }
	// bare is a host that was prepared and on which kubeadm has not been at work.
	bare := func(name string, has func(*facts.Host)) func(*facts.Facts) {
		return func(f *facts.Facts) {
			world.ChangeHost(*f, name, func(h *facts.Host) {
				h.Kubeconfigs, h.KubeletConfig, h.KubeletCredentials, h.CA, h.Manifests = map[string]bool{}, false, false, nil, nil
				if has != nil {
					has(h)
				}
			})
			delete(f.API.Nodes, name)
		}
	}
	unmarked := func(name string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			world.ChangeNode(*f, name, func(n *object.Node) { delete(n.Labels, object.LabelControlPlane) })
		}
	}
	joining := func(host, how string) string {
		return "cluster/token/mint: create Secret kube-system/bootstrap-token-… (lives at most 30m0s), read /etc/kubernetes/pki/ca.crt\n" +
			host + "/join: " + how + "\ncluster/token/revoke: delete Secret kube-system/bootstrap-token-…"
	}
	const (
		newInit   = "cp1/init: init"
		initAgain = "cp1/init: init again"
		registers = "; wait until node w1 is registered"
		pki       = "copy the shared certificates and keys from a control plane; "
		alone     = "; wait until node cp2 is registered (etcd membership)"
		follow    = "follow fairlead-kubeadm.service"
		atWork    = "more: kubeadm of an earlier run is still at work on "
		begins    = "let etcd begin anew, whose log holds no entry; "
		awaits    = "wait until /readyz answers"
		notYet    = "\nmore: the API server on cp1 does not answer yet"
	)
	for _, c := range []struct {
		name   string
		edit   func(*inventory.Cluster)
		fresh  bool
		change func(*facts.Facts)
		want   string
	}{
		{name: "nothing is half finished"},
		{name: "nothing is there", edit: world.OnlyControlPlane, fresh: true, want: newInit},

		{name: "the first init is at work", edit: world.OnlyControlPlane, fresh: true, change: onHost("cp1", kubeadmIs("active")), want: "cp1/await-kubeadm: " + follow + "\n" + atWork + "cp1"},
		{name: "a join is starting", change: bare("w1", kubeadmIs("activating")), want: "w1/await-kubeadm: " + follow + "\n" + atWork + "w1"},
		{name: "a kubeadm has ended", change: onHost("w1", kubeadmIs("inactive"))},

		{name: "init did not come to its end", edit: world.OnlyControlPlane, change: func(f *facts.Facts) { f.API.Missing = []string{"ClusterRole a", "DaemonSet b"} }, want: initAgain},
		{name: "init failed", edit: world.OnlyControlPlane, change: silent(kubeadmIs("failed")), want: initAgain},
		{name: "init failed before the manifests", edit: world.OnlyControlPlane, change: silent(kubeadmIs("failed"), func(h *facts.Host) { h.Manifests = nil }), want: initAgain},
		{name: "init ended before admin.conf", edit: world.OnlyControlPlane, change: silent(without("admin.conf")), want: initAgain},
		{name: "init has given admin.conf no rights yet", edit: world.OnlyControlPlane, change: func(f *facts.Facts) { f.API = facts.API{Err: world.Forbidden()} }, want: initAgain},
		{name: "somebody took admin.conf's rights away", edit: world.ThreeControlPlanes, change: func(f *facts.Facts) { f.API = facts.API{Err: world.Forbidden()} },
			want: "blocked : reach the API server: the API server refuses this administrator; give the group kubeadm:cluster-admins its rights again, with super-admin.conf"},
		{name: "the API server is silent", edit: world.OnlyControlPlane, change: silent(), want: "cp1/await-api: " + awaits + notYet},
		{name: "init failed, and etcd has not begun", edit: world.OnlyControlPlane, change: silent(kubeadmIs("failed"), etcdUnbegun), want: "cp1/init: " + begins + "init again"},
		{name: "the API server is silent, and etcd has not begun", edit: world.OnlyControlPlane, change: silent(etcdUnbegun), want: "cp1/await-api: " + begins + awaits + notYet},
		{name: "a further control plane's etcd has not begun", edit: world.ThreeControlPlanes, change: onHost("cp2", etcdUnbegun)},
		{name: "the API server is silent without manifests", edit: world.OnlyControlPlane, change: silent(func(h *facts.Host) { h.Manifests = nil }), want: initAgain},
		{name: "the API server is silent after a change that was cut off", edit: world.OnlyControlPlane, change: silent(func(h *facts.Host) {
			for _, component := range []string{templates.ComponentAPIServer, templates.ComponentEtcd} {
				h.Files[templates.FormerManifest(component)] = facts.File{Mode: 0o600}
			}
		}), want: "cp1/await-api: put back the former manifests of etcd, kube-apiserver; " + awaits + notYet},
		{name: "the first control plane is away and the second is silent", edit: world.ThreeControlPlanes, change: func(f *facts.Facts) {
			silent()(f)
			f.Hosts["cp1"] = facts.Host{Unreachable: world.NoRoute()}
		}, want: "cp2/await-api: " + awaits + "\nblocked cp1: prepare the host: the host cannot be looked at\nmore: the API server on cp2 does not answer yet"},
		{name: "all control planes are away", change: func(f *facts.Facts) {
			silent()(f)
			f.Hosts["cp1"] = facts.Host{Unreachable: world.NoRoute()}
		}, want: "blocked cp1: prepare the host: the host cannot be looked at\nblocked : reach the API server: no control-plane host of the cluster can be reached"},
		{name: "a control plane that may hold the cluster is away", edit: world.ThreeControlPlanes, fresh: true, change: func(f *facts.Facts) { f.Hosts["cp3"] = facts.Host{Unreachable: world.NoRoute()} },
			want: "blocked cp3: prepare the host: the host cannot be looked at\nblocked cp1: initialise the first control plane: control-plane host cp3 cannot be looked at and may hold the cluster"},

		{name: "a host that never joined", change: bare("w1", nil), want: joining("w1", "join"+registers)},
		{name: "a join began", change: bare("w1", func(h *facts.Host) { h.Kubeconfigs["bootstrap-kubelet.conf"] = true }), want: joining("w1", "join again"+registers)},
		{name: "a join got the CA", change: bare("w1", func(h *facts.Host) { h.CA = []byte(world.CA) }), want: joining("w1", "join again"+registers)},
		{name: "a join got manifests", change: bare("w1", func(h *facts.Host) { h.Manifests = []string{"etcd.yaml"} }), want: joining("w1", "join again"+registers)},
		{name: "a join got a kubeconfig", change: bare("w1", func(h *facts.Host) { h.Kubeconfigs["kubelet.conf"] = true }), want: joining("w1", "join again"+registers)},
		{name: "a join got a configuration", change: bare("w1", func(h *facts.Host) { h.KubeletConfig = true }), want: joining("w1", "join"+registers)},
		{name: "a join started the kubelet", change: bare("w1", func(h *facts.Host) { h.Kubeconfigs["kubelet.conf"], h.KubeletConfig = true, true }), want: joining("w1", "join again"+registers)},
		{name: "a member without a Node", change: func(f *facts.Facts) { delete(f.API.Nodes, "w1") }, want: "w1/join: systemctl restart kubelet.service" + registers},
		{name: "a member without a Node while nobody can say", change: func(f *facts.Facts) {
			silent()(f)
			delete(f.API.Nodes, "w1")
		}, want: "cp1/await-api: " + awaits + notYet},

		{name: "a control plane that never joined", edit: world.ThreeControlPlanes, change: bare("cp2", nil), want: joining("cp2", pki+"join as control plane"+alone)},
		{name: "a control plane whose join began", edit: world.ThreeControlPlanes, change: bare("cp2", func(h *facts.Host) { h.CA = []byte(world.CA) }), want: joining("cp2", pki+"join as control plane again"+alone)},
		{name: "a control plane whose kubelet was not let in", edit: world.ThreeControlPlanes, change: bare("cp2", func(h *facts.Host) {
			h.Kubeconfigs["kubelet.conf"], h.KubeletConfig, h.CA, h.Manifests = true, true, []byte(world.CA), []string{"kube-apiserver.yaml"}
		}), want: joining("cp2", pki+"join as control plane again"+alone)},
		{name: "a control plane that is not marked", edit: world.ThreeControlPlanes, change: unmarked("cp2"), want: joining("cp2", pki+"join as control plane past the kubelet again"+alone)},
		{name: "a control plane that lacks a manifest", edit: world.ThreeControlPlanes, change: onHost("cp2", func(h *facts.Host) { h.Manifests = h.Manifests[:3] }),
			want: joining("cp2", pki+"join as control plane past the kubelet again"+alone)},
		{name: "a control plane that nobody can ask about", edit: world.ThreeControlPlanes, change: func(f *facts.Facts) {
			silent()(f)
			onHost("cp2", func(h *facts.Host) { h.Manifests = h.Manifests[:3] })(f)
		}, want: "cp1/await-api: " + awaits + notYet},
		{name: "the first control plane is not marked", change: unmarked("cp1")},
		{name: "a worker of another cluster", change: onHost("w1", func(h *facts.Host) { h.CA = []byte(world.ForeignCA) })},
		{name: "another machine of that name", change: func(f *facts.Facts) {
			node := f.API.Nodes["w1"]
			bare("w1", nil)(f)
			f.API.Nodes["w1"] = node
		}},
		{name: "tokens of a run that was killed", change: func(f *facts.Facts) { f.API.StaleTokens = []string{"abcdef", "ghijkl"} },
			want: "cluster/token/sweep: delete bootstrap tokens abcdef, ghijkl"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish := world.State(t, c.edit)
			wish.Cluster.IgnorePreflight = []string{"Mem"}
			seen := world.Converged(t, wish)
			if c.fresh {
				seen = world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
			}
			if c.change != nil {
				c.change(&seen)
			}
			plan := Make(wish, seen)
			WantSameFromFile(t, wish, seen)
			if err := plan.Sound(); err != nil {
				t.Error(err)
			}
			if got := memberSteps(t, plan); got != c.want {
				t.Errorf("planned is\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
