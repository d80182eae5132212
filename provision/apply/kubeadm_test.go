package apply_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"fairlead/pki"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// kubeadmRun is what the journal says of kubeadm with a verb.
func kubeadmRun(verb string) string {
	return strings.TrimSuffix("kubeadm fairlead-kubeadm.service /var/lib/fairlead/kubeadm.log /run/fairlead/kubeadm.yaml "+verb, " ")
}

func cluster() templates.Cluster {
	return templates.Cluster{KubernetesVersion: "1.37.2", Endpoint: "192.0.2.11:6443", PodSubnet: "10.244.0.0/16", ServiceSubnet: "10.96.0.0/12"}
}

// TestKubeadmInit runs kubeadm init with the document of the plan, for root's eyes only, and takes away the bootstrap token that it
// leaves, but not those of others.
func TestKubeadmInit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.w1.answer(answer{stdout: "[init] Using Kubernetes version: v1.37.2\n"}, templates.ScriptKubeadm)
		w.api.put(secrets+"bootstrap-token-aaaaaa", bootstrapToken(templates.InitTokenDescription))
		w.api.put(secrets+"bootstrap-token-bbbbbb", bootstrapToken("somebody else's"))
		action := plan.KubeadmInit{Cluster: cluster(), Node: templates.Node{Name: "w1", Address: "192.0.2.11"}}
		w.well(w.doOn("w1", action))
		w.did("w1: write /run/fairlead/kubeadm.yaml 600", "w1: "+kubeadmRun("init --skip-token-print"), "through w1", "api: DELETE "+secrets+"bootstrap-token-aaaaaa")
		w.told("output [init] Using Kubernetes version: v1.37.2")
		if _, _, want := action.Diff(); w.w1.file(templates.KubeadmConfigFile) != "600 "+string(want) {
			t.Errorf("kubeadm got %s", w.w1.file(templates.KubeadmConfigFile))
		}
	})
}

// TestKubeadmInitFails has init fail at each of its parts: what comes after that is not done.
func TestKubeadmInitFails(t *testing.T) {
	good := plan.KubeadmInit{Cluster: cluster(), Node: templates.Node{Name: "cp1", Address: "192.0.2.11"}}
	write, run, through := "cp1: write /run/fairlead/kubeadm.yaml 600", "cp1: "+kubeadmRun("init --skip-token-print"), "through cp1"
	for name, c := range map[string]struct {
		action plan.KubeadmInit
		spoil  func(w *world)
		says   string
		done   []string
	}{
		"document": {plan.KubeadmInit{}, func(*world) {}, "write kubeadm's configuration: write init documents: ", nil},
		"placing it": {good, func(w *world) { w.cp1.fails("write /run/fairlead/kubeadm.yaml", "No space left on device") },
			"write /run/fairlead/kubeadm.yaml: /run/fairlead/kubeadm.yaml: No space left on device", []string{write}},
		"kubeadm":    {good, func(w *world) { w.cp1.answer(answer{code: 1, stderr: "preflight\n"}, templates.ScriptKubeadm) }, "kubeadm init --skip-token-print: ", []string{write, run}},
		"way to API": {good, func(w *world) { w.apiError = errors.New("no admin.conf") }, "reach the new API server: no admin.conf", []string{write, run, through}},
		"tokens": {good, func(w *world) { w.api.refuse("GET /api/v1/namespaces/kube-system/secrets", 422) },
			"find the bootstrap token of kubeadm init: list bootstrap tokens: ", []string{write, run, through}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.cp1.answer(answer{}, templates.ScriptKubeadm)
				c.spoil(w)
				if said := w.do(c.action); !strings.HasPrefix(said, c.says) {
					t.Errorf("said %q, want %q", said, c.says)
				}
				w.did(c.done...)
			})
		})
	}
}

// TestJoinNeedsToken has no token be made before: joining without one is no way to go.
func TestJoinNeedsToken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if said := w.do(plan.KubeadmJoin{Cluster: cluster()}); said != "join: there is no bootstrap token in this run" {
			t.Errorf("said %q", said)
		}
		w.did()
	})
}

// TestKubeadmJoin joins with the token and the pin of the run: they are in the document for root, and nowhere else.
func TestKubeadmJoin(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		authority := w.makeCA()
		w.signTokens()
		w.w1.answer(answer{}, templates.ScriptKubeadm)
		w.well(w.doOn("", plan.MintToken{}))
		w.did("cp1: read /etc/kubernetes/pki/ca.crt", "api: POST "+strings.TrimSuffix(secrets, "/"))
		action := plan.KubeadmJoin{Cluster: cluster(), Node: templates.Node{Name: "w1", Address: "192.0.2.21"}, ControlPlane: true}
		w.well(w.doOn("w1", action))
		w.did("w1: write /run/fairlead/kubeadm.yaml 600", "w1: "+kubeadmRun("join"))
		hash, err := pki.CAHash(authority.CertificatePEM())
		if err != nil {
			t.Fatal(err)
		}
		want, err := action.Document(templates.Join{Token: w.token().Value(), CAHashes: []string{hash}})
		if got := w.w1.file(templates.KubeadmConfigFile); err != nil || got != "600 "+string(want) {
			t.Errorf("kubeadm got\n%s\nwant\n%s, %v", got, want, err)
		}
		w.w1.answer(answer{code: 1, stderr: "could not find a JWS signature\n"}, templates.ScriptKubeadm)
		if said := w.doOn("w1", action); !strings.HasPrefix(said, "kubeadm join: ") || !strings.HasSuffix(said, ": exit 1: could not find a JWS signature") {
			t.Errorf("said %q", said)
		}
		if said := w.doOn("w1", plan.KubeadmJoin{}); !strings.HasPrefix(said, "write kubeadm's configuration: ") {
			t.Errorf("said %q", said)
		}
	})
}

// TestAwaitKubeadm follows a kubeadm that runs already: how it ends is told and is no error, as the host is looked at again.
func TestAwaitKubeadm(t *testing.T) {
	inWorld(t, func(_ *testing.T, w *world) {
		w.cp1.answer(answer{stdout: "[init] done\n"}, templates.ScriptKubeadm)
		w.well(w.do(plan.AwaitKubeadm{}))
		w.told("output [init] done")
		w.cp1.answer(answer{code: 3}, templates.ScriptKubeadm)
		w.well(w.do(plan.AwaitKubeadm{}))
		w.told("output the kubeadm of the earlier run failed with exit code 3")
		w.did("cp1: "+kubeadmRun(""), "cp1: "+kubeadmRun(""))
	})
}

// TestAwaitKubeadmIsStopped ends the run while a kubeadm is followed: that is no end of kubeadm.
func TestAwaitKubeadmIsStopped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("interrupted")
		w.cp1.answer(answer{hangs: true, do: func([]string, []byte) { cancel(why) }}, templates.ScriptKubeadm)
		err := w.perform(ctx, step("cp1", plan.AwaitKubeadm{}))
		if !errors.Is(err, why) || !strings.HasPrefix(err.Error(), "follow kubeadm: ") {
			t.Errorf("got %v", err)
		}
		w.told()
	})
}
