package apply_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// node is where the API has the node w1, lease where it has what is heard of its kubelet.
const (
	node  = "/api/v1/nodes/w1"
	lease = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/w1"
)

// condition is a node with a Ready condition.
func condition(status string) fields {
	return fields{"status": fields{"conditions": []any{fields{"type": "Ready", "status": status, "message": "CNI is missing"}}}}
}

// renewed is a lease that was renewed at a second.
func renewed(second int) fields {
	return fields{"spec": fields{"renewTime": fmt.Sprintf("2000-01-01T00:00:%02d.000000Z", second)}}
}

// TestAPIActionsNeedTheAPI has no way to the API server: each action that needs it says so, and waits for nothing.
func TestAPIActionsNeedTheAPI(t *testing.T) {
	config := fields{"apiVersion": "v1", "kind": "ConfigMap", "metadata": fields{"name": "x"}}
	for _, action := range []plan.Action{
		plan.ApplyObject{Object: config}, plan.AwaitObject{Object: config}, plan.RecordApplied{Set: "network"}, plan.PruneObjects{Set: "network"},
		plan.MintToken{}, plan.DeleteTokens{IDs: []string{"aaaaaa"}}, plan.CopyPKI{}, plan.RemoveFormerMember{}, plan.AwaitAPI{}, plan.AwaitNode{Name: "w1"},
		plan.ChangeNode{Name: "w1"}, plan.AwaitKubelet{Node: "w1"}, plan.ApproveServing{}, plan.DrainNode{Name: "w1"}, plan.DeleteNode{Name: "w1"},
		plan.ForgetNode{Name: "w1"}, plan.AwaitDetached{Name: "w1"}, plan.CheckQuorum{}, plan.RemoveMember{}, plan.MarkRemoved{}, plan.ForgetRemoved{Node: "w1"},
	} {
		inWorld(t, func(t *testing.T, w *world) {
			w.apiError = errors.New("no admin.conf")
			start := time.Now()
			if said := w.do(action); said != "no admin.conf" || time.Since(start) > 0 {
				t.Errorf("%T: said %q after %s", action, said, time.Since(start))
			}
		})
	}
}

// TestWaits has the cluster take its time: each wait goes on until then, and tells for what it waits.
func TestWaits(t *testing.T) {
	for name, c := range map[string]struct {
		action        plan.Action
		before, after func(w *world)
		told          []string
	}{
		"API": {plan.AwaitAPI{}, func(w *world) { w.api.refuse("GET /readyz", 500) }, func(w *world) { w.api.refuse("GET /readyz", 0) },
			[]string{"progress ask API server for readiness: Internal Server Error"}},
		"registered": {plan.AwaitNode{Name: "w1"}, func(*world) {}, func(w *world) { w.api.put(node, condition("False")) },
			[]string{"progress the node is not registered"}},
		"ready": {plan.AwaitNode{Name: "w1", Ready: true}, func(w *world) { w.api.put(node, condition("False")) }, func(w *world) { w.api.put(node, condition("True")) },
			[]string{"progress CNI is missing"}},
		"kubelet": {plan.AwaitKubelet{Node: "w1"}, func(w *world) { w.api.put(lease, renewed(1)); w.api.put(node, condition("True")) },
			func(w *world) { w.api.put(lease, renewed(11)) }, []string{"progress it was last heard of at 00:00:01"}},
		"kubelet's node": {plan.AwaitKubelet{Node: "w1"}, func(w *world) {
			w.api.put(lease, renewed(1))
			w.api.put(node, condition("False"))
			time.AfterFunc(time.Second, func() { w.api.put(lease, renewed(11)) })
		}, func(w *world) { w.api.put(node, condition("True")) }, []string{"progress it was last heard of at 00:00:01", "progress CNI is missing"}},
		"object": {plan.AwaitObject{Object: configMap("x")}, func(*world) {}, func(w *world) { w.api.put(configMaps+"x", configMap("x")) },
			[]string{"progress it does not exist"}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				c.before(w)
				time.AfterFunc(7*time.Second, func() { c.after(w) })
				start := time.Now()
				w.well(w.do(c.action))
				if took := time.Since(start); took < 7*time.Second || took > 8*time.Second {
					t.Errorf("done after %s", took)
				}
				w.told(c.told...)
			})
		})
	}
}

// TestWaitsEnd has what is waited for never come: each wait has its end, and its error says what was seen last.
func TestWaitsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		action plan.Action
		before func(w *world)
		want   time.Duration
		says   string
	}{
		"API":        {plan.AwaitAPI{}, func(w *world) { w.api.refuse("GET /readyz", 500) }, 3 * time.Minute, "wait for API server: "},
		"registered": {plan.AwaitNode{Name: "w1"}, func(*world) {}, 4 * time.Minute, "wait for node w1: "},
		"kubelet":    {plan.AwaitKubelet{Node: "w1"}, func(w *world) { w.api.put(lease, renewed(1)) }, 2 * time.Minute, "wait for the kubelet of w1: "},
		"object":     {plan.AwaitObject{Object: configMap("x")}, func(*world) {}, 5 * time.Minute, "wait for ConfigMap app/x: "},
		"serving":    {plan.ApproveServing{Identity: object.ServingIdentity{Node: "w1"}}, func(*world) {}, 2 * time.Minute, "wait for the serving certificate of w1: "},
		"drain": {plan.DrainNode{Name: "w1"}, func(w *world) {
			w.api.put(node, fields{})
			w.api.put(podPath, fields{"spec": fields{"nodeName": "w1"}})
			w.api.refuse("POST "+podPath+"/eviction", 429)
		}, 5 * time.Minute, "drain node w1: "},
		"drain in less time": {plan.DrainNode{Name: "w1", Limit: time.Minute}, func(w *world) {
			w.api.put(node, fields{})
			w.api.put(podPath, fields{"spec": fields{"nodeName": "w1"}})
			w.api.refuse("POST "+podPath+"/eviction", 429)
		}, time.Minute, "drain node w1: "},
		"drain by force that does not come to that in time": {plan.DrainNode{Name: "w1", Limit: time.Minute, Force: 2 * time.Minute}, func(w *world) {
			w.api.put(node, fields{})
			w.api.put(podPath, fields{"spec": fields{"nodeName": "w1"}})
			w.api.refuse("POST "+podPath+"/eviction", 429)
			w.api.refuse("DELETE "+podPath, 429)
		}, 4 * time.Minute, "drain node w1: "},
		"prune": {plan.PruneObjects{Set: "network", Objects: []object.Applied{applied("x")}}, func(w *world) {
			w.api.put(configMaps+"x", owned("network"))
			w.api.lingers[configMaps+"x"] = true
		}, 5 * time.Minute, "wait for the end of ConfigMap app/x: "},
		"replace": {plan.ApplyObject{Object: configMap("x"), Replace: true}, func(w *world) {
			w.api.put(configMaps+"x", owned("network"))
			w.api.lingers[configMaps+"x"] = true
		}, 5 * time.Minute, "wait for the end of ConfigMap app/x: "},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				c.before(w)
				if took, said := w.lasts(c.action); took != c.want || !strings.HasPrefix(said, c.says) {
					t.Errorf("after %s: %s", took, said)
				}
			})
		})
	}
}

// TestAwaitAPIAsksTheHostsOwn waits for the API server on the step's host, not for any.
func TestAwaitAPIAsksTheHostsOwn(t *testing.T) {
	inWorld(t, func(_ *testing.T, w *world) {
		w.well(w.doOn("w1", plan.AwaitAPI{}))
		w.did("through w1")
	})
}

// TestChangeNode changes the labels of a node, and says which node could not be changed.
func TestChangeNode(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		value := "true"
		action := plan.ChangeNode{Name: "w1", Change: object.NodeChange{Labels: map[string]*string{"gpu": &value}}}
		w.api.put(node, fields{})
		w.well(w.doOn("", action))
		w.did("api: PATCH " + node)
		if body := w.api.body("PATCH " + node); !strings.Contains(body, `"labels":{"gpu":"true"}`) {
			t.Errorf("changed by %s", body)
		}
		w.api.refuse("PATCH "+node, 422)
		if said := w.doOn("", action); !strings.HasPrefix(said, "change node w1: ") {
			t.Errorf("said %q", said)
		}
	})
}

// podPath is where the API has a pod on w1.
const podPath = "/api/v1/namespaces/app/pods/web"

// TestDrainAndDelete cordons a node and evicts its pods before it is deleted.
func TestDrainAndDelete(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.api.put(node, fields{})
		w.api.put(podPath, fields{"spec": fields{"nodeName": "w1"}})
		w.well(w.doOn("", plan.DrainNode{Name: "w1"}, plan.DeleteNode{Name: "w1"}))
		w.did("api: PATCH "+node, "api: POST "+podPath+"/eviction", "api: DELETE "+node)
		w.told("progress 1 pods are ending: app/web")
		if w.api.has(node) || w.api.has(podPath) {
			t.Error("the node or its pod is there")
		}
		w.api.refuse("DELETE "+node, 422)
		if said := w.doOn("", plan.DeleteNode{Name: "w1"}); !strings.HasPrefix(said, "delete node w1: ") {
			t.Errorf("said %q", said)
		}
	})
}

// TestCopyPKI hands the shared certificates and keys to another control plane, for root alone: all that kubeadm wants to be there,
// and nothing of the first host's own.
func TestCopyPKI(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var want []string
		for _, name := range []string{"ca.crt", "ca.key", "sa.key", "sa.pub", "front-proxy-ca.crt", "front-proxy-ca.key", "etcd/ca.crt", "etcd/ca.key"} {
			path := "/etc/kubernetes/pki/" + name
			w.cp1.put(path, "644", "content of "+name)
			w.secret("content of " + name)
			want = append(want, "cp1: read "+path, "w1: write "+path+" 600")
		}
		w.well(w.doOn("w1", plan.CopyPKI{}))
		w.did(want...)
		if got := w.w1.file("/etc/kubernetes/pki/etcd/ca.key"); got != "600 content of etcd/ca.key" {
			t.Errorf("copied %s", got)
		}
		w.w1.fails("write "+templates.CACertificate, "No space left on device")
		w.w1.remove([]string{templates.CACertificate})
		if said := w.doOn("w1", plan.CopyPKI{}); said != "write "+templates.CACertificate+": "+templates.CACertificate+": No space left on device" {
			t.Errorf("said %q", said)
		}
		w.cp1.remove([]string{templates.CACertificate})
		if said := w.doOn("w1", plan.CopyPKI{}); !strings.HasPrefix(said, "on cp1: read "+templates.CACertificate+": ") {
			t.Errorf("said %q", said)
		}
	})
}
