package apply_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/provision/plan"
	"fairlead/templates"
)

const (
	manifest  = "/etc/kubernetes/manifests/kube-scheduler.yaml"
	former    = "/var/lib/fairlead/former/kube-scheduler.yaml"
	scheduler = "/api/v1/namespaces/kube-system/pods/kube-scheduler-cp1"
)

// change is the change of the scheduler's static pod that the tests make; phase is what kubeadm is told for it.
var (
	change = plan.ChangeStaticPod{Node: "cp1", Component: "kube-scheduler", Document: []byte("kind: ClusterConfiguration\n")}
	phase  = strings.Join(templates.KubeadmPhase("kube-scheduler"), " ")
)

// pod is a pod with one container, ready or not.
func pod(image string, ready bool) fields {
	status := map[bool]string{true: "True", false: "False"}[ready]
	return fields{
		"spec":   fields{"containers": []any{fields{"name": "kube-scheduler", "image": image}}},
		"status": fields{"conditions": []any{fields{"type": "Ready", "status": status, "message": "starting"}}},
	}
}

// manifestText is a manifest with one container.
func manifestText(image string) string {
	return "spec:\n  containers:\n  - name: kube-scheduler\n    image: " + image + "\n"
}

// kubeadmWrites has kubeadm write a manifest before it ends as the answer says.
func (w *world) kubeadmWrites(manifestText string, a answer) {
	a.do = func([]string, []byte) { w.cp1.put(manifest, "600", manifestText) }
	w.cp1.answer(a, templates.ScriptKubeadm)
}

// staticPod prepares cp1: the scheduler runs with the image old, and kubeadm will write a manifest with the image new.
func (w *world) staticPod() {
	w.cp1.put(manifest, "600", manifestText("old"))
	w.api.put(scheduler, pod("old", true))
	w.kubeadmWrites(manifestText("new"), answer{})
}

// kept is the journal of a change up to kubeadm's end.
func kept() []string {
	return []string{
		"cp1: read " + former, "cp1: read " + manifest, "cp1: write " + former + " 600",
		"cp1: write /run/fairlead/kubeadm.yaml 600", "cp1: " + kubeadmRun(phase),
	}
}

// TestChangeStaticPod keeps the manifest, has kubeadm write another, and forgets the kept one only when the pod runs as the
// other says.
func TestChangeStaticPod(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.staticPod()
		time.AfterFunc(9*time.Second, func() {
			if got := w.cp1.file(former); got != "600 "+manifestText("old") {
				t.Errorf("while the pod starts, %s is kept", got)
			}
			w.api.put(scheduler, pod("new", true))
		})
		start := time.Now()
		w.well(w.do(change))
		if took := time.Since(start); took < 9*time.Second || took > 10*time.Second {
			t.Errorf("done after %s", took)
		}
		w.did(append(kept(), "cp1: read "+manifest, "cp1: remove-files "+former)...)
		w.told("progress it still runs with another spec.containers[name=kube-scheduler].image")
		if got := w.cp1.file(manifest); got != "600 "+manifestText("new") || w.cp1.file(templates.KubeadmConfigFile) != "600 kind: ClusterConfiguration\n" {
			t.Errorf("the manifest is %s", got)
		}
	})
}

// TestChangeStaticPodAgain has an earlier run have kept the manifest: what is there now may be anything, and is not kept.
func TestChangeStaticPodAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.staticPod()
		w.cp1.put(former, "600", manifestText("older"))
		w.kubeadmWrites(manifestText("new"), answer{code: 1})
		if said := w.do(change); !strings.HasSuffix(said, "; the former manifest was put back") {
			t.Errorf("said %q", said)
		}
		if got := w.cp1.file(manifest); got != "600 "+manifestText("older") {
			t.Errorf("put back was %s", got)
		}
	})
}

// TestChangeStaticPodGoesBack has a change not go well: the former manifest is there again, no other is kept, and the error says
// why and that.
func TestChangeStaticPodGoesBack(t *testing.T) {
	kubeadm := kept()
	awaiting := append(kept(), "cp1: read "+manifest)
	for name, c := range map[string]struct {
		spoil func(w *world)
		says  string
		done  []string
	}{
		"kubeadm": {func(w *world) { w.kubeadmWrites(manifestText("new"), answer{code: 1}) }, "kubeadm " + phase + ": ", kubeadm},
		"no YAML": {func(w *world) { w.kubeadmWrites("spec: [", answer{}) }, "read " + manifest + ": error converting YAML", awaiting},
		"no manifest": {func(w *world) {
			w.cp1.answer(answer{do: func([]string, []byte) { w.cp1.remove([]string{manifest}) }}, templates.ScriptKubeadm)
		}, "read " + manifest + ": ", awaiting},
		"no API": {func(w *world) { w.apiError = errors.New("no API server") }, "no API server; the former", awaiting},
		"never ready": {func(w *world) { w.api.put(scheduler, pod("new", false)) }, "wait for static pod kube-scheduler-cp1: context deadline exceeded; last seen: not Ready: starting",
			append(slices.Clone(awaiting), "cp1: watch-kubelet", "cp1: last-words kube-scheduler")},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.staticPod()
				c.spoil(w)
				start := time.Now()
				if said := w.do(change); !strings.HasPrefix(said, c.says) || !strings.HasSuffix(said, "; the former manifest was put back") {
					t.Errorf("said %q, want %q", said, c.says)
				}
				if took := time.Since(start).Round(time.Second); took != 0 && took != 3*time.Minute {
					t.Errorf("given up after %s", took)
				}
				w.did(append(c.done, "cp1: read "+former, "cp1: write "+manifest+" 600", "cp1: remove-files "+former)...)
				if got := w.cp1.file(manifest) + w.cp1.file(former); got != "600 "+manifestText("old")+"absent" {
					t.Errorf("manifest and former one are %s", got)
				}
			})
		})
	}
}

// TestChangeStaticPodCannotGoBack has neither the change nor the way back go well: both reasons are told.
func TestChangeStaticPodCannotGoBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.staticPod()
		w.kubeadmWrites(manifestText("new"), answer{code: 1, stderr: "kubeadm's reason\n"})
		w.cp1.fails("write "+manifest, "Read-only file system")
		said := w.do(change)
		if !strings.Contains(said, "kubeadm's reason; put back the former manifest: write "+manifest+": ") || !strings.HasSuffix(said, ": Read-only file system") {
			t.Errorf("said %q", said)
		}
		if got := w.cp1.file(former); got != "600 "+manifestText("old") {
			t.Errorf("the former manifest is %s, which the next run needs", got)
		}
	})
}

// TestChangeStaticPodIsStopped ends the run while kubeadm works: the next run sees that from what is kept, so nothing is put back.
func TestChangeStaticPodIsStopped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.staticPod()
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("interrupted")
		w.cp1.answer(answer{hangs: true, do: func([]string, []byte) { cancel(why) }}, templates.ScriptKubeadm)
		if err := w.perform(ctx, step("cp1", change)); !errors.Is(err, why) || strings.Contains(err.Error(), "former") {
			t.Errorf("got %v", err)
		}
		w.did(kept()...)
	})
}

// TestChangeStaticPodKeepsFirst has the manifest not be kept: then it is not changed.
func TestChangeStaticPodKeepsFirst(t *testing.T) {
	for what, complaint := range map[string]string{"read " + former: "Input/output error", "read " + manifest: "Input/output error", "write " + former: "No space left on device"} {
		inWorld(t, func(t *testing.T, w *world) {
			w.staticPod()
			w.cp1.fails(what, complaint)
			path := strings.Fields(what)[1]
			if said := w.do(change); said != what+": "+path+": "+complaint {
				t.Errorf("said %q", said)
			}
			if got := w.cp1.file(manifest); got != "600 "+manifestText("old") {
				t.Errorf("%s: the manifest is %s", what, got)
			}
		})
	}
}

// TestRestoreManifests puts manifests back in their order. One that cannot be put back stays kept, and the ones after it untouched.
func TestRestoreManifests(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const etcd = "/var/lib/fairlead/former/etcd.yaml"
		w.cp1.put(etcd, "600", "of etcd\n")
		w.cp1.put(former, "600", "of the scheduler\n")
		action := plan.RestoreManifests{Components: []string{"etcd", "kube-scheduler"}}
		w.well(w.do(action))
		w.did("cp1: read "+etcd, "cp1: write /etc/kubernetes/manifests/etcd.yaml 600", "cp1: remove-files "+etcd,
			"cp1: read "+former, "cp1: write "+manifest+" 600", "cp1: remove-files "+former)
		if got := w.cp1.file("/etc/kubernetes/manifests/etcd.yaml") + w.cp1.file(manifest); got != "600 of etcd\n600 of the scheduler\n" {
			t.Errorf("manifests %s", got)
		}
		if said := w.do(action); !strings.HasPrefix(said, "read "+etcd+": ") {
			t.Errorf("nothing is kept: %q", said)
		}
		w.did("cp1: read " + etcd)
		w.cp1.put(etcd, "600", "of etcd\n")
		w.cp1.answer(answer{code: 1, stderr: "busy\n"}, templates.ScriptRemoveFiles)
		if said := w.do(action); !strings.HasPrefix(said, "remove "+etcd+": ") || !strings.HasSuffix(said, "busy") {
			t.Errorf("what was kept stays: %q", said)
		}
		w.did("cp1: read "+etcd, "cp1: remove-files "+etcd)
	})
}

// TestRunKubeadm runs one phase of kubeadm with the document of the plan.
func TestRunKubeadm(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cp1.answer(answer{stdout: "[certs] done\n"}, templates.ScriptKubeadm)
		w.well(w.do(plan.RunKubeadm{Document: []byte("kind: X\n"), Verb: []string{"init", "phase", "certs"}}))
		w.did("cp1: write /run/fairlead/kubeadm.yaml 600", "cp1: "+kubeadmRun("init phase certs"))
		w.told("output [certs] done")
		if got := w.cp1.file(templates.KubeadmConfigFile); got != "600 kind: X\n" {
			t.Errorf("kubeadm got %s", got)
		}
	})
}
