//go:build cluster

package cluster

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/lab"
)

// guarded is a Deployment with a disruption budget that never lets its only pod go.
const guarded = `apiVersion: apps/v1
kind: Deployment
metadata: {name: guarded}
spec:
  selector: {matchLabels: {app: guarded}}
  template:
    metadata: {labels: {app: guarded}}
    spec:
      terminationGracePeriodSeconds: 1
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [w1]}]}
      volumes: [{name: scratch, emptyDir: {}}]
      containers: [{name: probe, image: "lab.fairlead.example/probe:v1", args: [serve, ":8080"], volumeMounts: [{name: scratch, mountPath: /scratch}]}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: keeps-one}
spec: {minAvailable: 1, selector: {matchLabels: {app: guarded}}}
`

// TestRemove has hosts leave a cluster of three control planes and two workers, dead and alive, the first control plane among them.
// An address that the test moves by hand stands for what is in front of the API servers.
func TestRemove(t *testing.T) {
	controlPlanes, workers := []string{"cp1", "cp2", "cp3"}, []string{"w1", "w2"}
	hosts := slices.Concat(controlPlanes, workers)
	s := freshSite(t, hosts...)
	t.Cleanup(func() { shared.up = false })
	s.inventory(lab.InventoryOptions{ControlPlanes: controlPlanes, Workers: workers, Bundle: shared.bundle})
	s.edit("controlPlane:\n", "controlPlane: # three of them\n  endpoint: "+s.vip()+":6443\n", "workers:\n  hosts:\n", "workers:\n  hosts:\n    # the first one\n")
	s.takeAddress("cp1", hosts)
	before := s.snapshots("w1", "cp3")
	s.mustUp()
	s.wantNodes(hosts...)

	if !t.Run("WorkerAlive", func(t *testing.T) { s.sub(t).removeGuarded(before["w1"]) }) {
		return
	}
	if !t.Run("FirstControlPlaneAndWorkerDead", func(t *testing.T) { s.sub(t).removeDead() }) {
		return
	}
	t.Run("FirstControlPlaneReborn", func(t *testing.T) { s.sub(t).rejoinReborn() })
	t.Run("WorkerWakes", func(t *testing.T) { s.sub(t).wake() })
	t.Run("ControlPlaneAlive", func(t *testing.T) { s.sub(t).removeControlPlane(before["cp3"]) })
}

// takeAddress gives the address in front of the API servers to a host.
func (s *site) takeAddress(host string, all []string) {
	s.t.Helper()
	s.shell(host, "ip address add "+s.vip()+"/24 dev eth0")
	for _, other := range all {
		s.shell(other, "ip neighbour flush to "+s.vip())
	}
}

// asks runs kubectl on a control plane.
func (s *site) asks(host string, args ...string) string {
	s.t.Helper()
	out, err := s.lab.Exec(s.ctx, host, append(strings.Fields(kubectl+" --server https://"+s.address(host)+":6443"), args...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// removeGuarded removes a worker with a pod that a budget keeps.
func (s *site) removeGuarded(before string) {
	s.t.Helper()
	if _, err := s.lab.ExecInput(s.ctx, "cp1", strings.NewReader(guarded), append(strings.Fields(kubectl), "apply", "-f", "-")...); err != nil {
		s.t.Fatal(err)
	}
	s.kubectl("wait", "--for=condition=Available", "deployment/guarded", "--timeout=1m")
	s.eventually("a budget that counts", time.Minute, func() string {
		if s.kubectl("get", "pdb", "keeps-one", "--output", "jsonpath={.status.currentHealthy}") != "1" {
			return "the budget counts no pod"
		}
		return ""
	})
	file, others := s.read(s.file), s.list("cp1", "cp2", "cp3", "w2")
	s.fairlead("remove", "w1", "--yes", "--drain-timeout", "10s").exits(1).says("default/guarded-", "disruption budget keeps-one", "emptyDir", "--force-drain")
	if s.read(s.file) != file {
		s.t.Error("the file was changed before the host had left")
	}
	if s.kubectl("get", "node", "w1", "--output", "jsonpath={.spec.unschedulable}") != "true" {
		s.t.Error("w1 is not cordoned")
	}
	s.kubectl("patch", "pdb", "keeps-one", "--type", "merge", "--patch", `{"spec":{"minAvailable":0}}`)
	s.fairlead("remove", "w1", "--yes").exits(0)
	s.wantNodes("cp1", "cp2", "cp3", "w2")
	s.untouchedBut(others, "container ", "file /var/lib/cni", "file /var/lib/kubelet")
	if text := s.read(s.file); strings.Contains(text, "w1") || !strings.Contains(text, "w2") || !strings.Contains(text, "# three of them") {
		s.t.Errorf("the file is:\n%s", text)
	}
	s.restored(map[string]string{"w1": before})
	s.planned(0)
}

// removeDead removes the first control plane and a worker whose machines are off.
func (s *site) removeDead() {
	s.t.Helper()
	s.fairlead("remove", "cp1", "--unreachable", "--yes").exits(1).says("cp1 answers")
	for _, host := range []string{"cp1", "w2"} {
		if err := s.lab.Kill(s.ctx, host); err != nil {
			s.t.Fatal(err)
		}
	}
	s.takeAddress("cp2", []string{"cp2", "cp3"})
	s.fairlead("remove", "cp1", "--yes").exits(1).says("--unreachable")
	s.fairlead("remove", "cp1", "--unreachable", "--yes").exits(1).says("not proven to be off")
	s.eventually("nodes that are not Ready", 2*time.Minute, func() string {
		ready := s.asks("cp2", "get", "nodes", "cp1", "w2", "--output", `jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}`)
		if strings.Contains(ready, "True") {
			return "Ready are " + ready
		}
		return ""
	})
	others := s.list("cp2", "cp3")
	s.fairlead("remove", "cp1", "w2", "--unreachable", "--yes").exits(0)
	s.untouchedBut(others, "container ", "file /var/lib/cni", "file /var/lib/kubelet")
	if nodes := s.asks("cp2", "get", "nodes", "--output", "jsonpath={.items[*].metadata.name}"); nodes != "cp2 cp3" {
		s.t.Errorf("nodes are %s", nodes)
	}
	if members := s.memberNames("cp2"); !slices.Equal(members, []string{"cp2", "cp3"}) {
		s.t.Errorf("members are %v", members)
	}
	if marks := s.asks("cp2", "get", "configmap", "fairlead-removed", "--namespace", "kube-system", "--output", "jsonpath={.data}"); !strings.Contains(marks, `"cp1"`) || !strings.Contains(marks, `"w2"`) || !strings.Contains(marks, `machineID`) {
		s.t.Errorf("the marks are %s", marks)
	}
	s.planned(0)
	if config := s.fairlead("kubeconfig").exits(0).stdout; !strings.Contains(config, "https://"+s.vip()+":6443") {
		s.t.Errorf("the kubeconfig leads elsewhere:\n%s", config)
	}
	through := s.command("kubectl", "get", "nodes")
	through.Args = through.Args[:len(through.Args)-2] // the file is the default one: what follows is kubectl's
	if out, err := through.CombinedOutput(); err != nil || !strings.Contains(string(out), "cp3") {
		s.t.Errorf("fairlead kubectl: %v: %s", err, out)
	}
}

func (s *site) memberNames(host string) []string {
	s.t.Helper()
	var list struct{ Members []struct{ Name string } }
	args := etcdctl()
	args[slices.Index(args, "etcd-cp1")] = "etcd-" + host
	out := s.asks(host, append(args, "member", "list", "--write-out", "json")...)
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	var names []string
	for _, m := range list.Members {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	return names
}

// rejoinReborn has a new machine of the first control plane's name and address join.
func (s *site) rejoinReborn() {
	s.t.Helper()
	if err := s.lab.Remove(s.ctx, "cp1"); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.lab.Add(s.ctx, "cp1"); err != nil {
		s.t.Fatal(err)
	}
	s.shell("cp1", "ip neighbour flush to "+s.vip())
	s.fairlead("join", "cp1", "--address", s.address("cp1"), "--control-plane").exits(0)
	s.wantNodes("cp1", "cp2", "cp3")
	s.wantMembers("cp1", "cp2", "cp3")
	if marks := s.asks("cp2", "get", "configmap", "fairlead-removed", "--namespace", "kube-system", "--output", "jsonpath={.data}"); strings.Contains(marks, `"cp1"`) {
		s.t.Errorf("cp1 is still marked: %s", marks)
	}
	s.planned(0)
}

// wake switches a worker on that was removed: it is known, and refused until it is reset.
func (s *site) wake() {
	s.t.Helper()
	if err := s.lab.Start(s.ctx, "w2"); err != nil {
		s.t.Fatal(err)
	}
	s.eventually("the node of the woken host", time.Minute, func() string {
		if nodes := s.asks("cp2", "get", "nodes", "--output", "name"); !strings.Contains(nodes, "node/w2") {
			return "nodes are " + nodes
		}
		return ""
	})
	s.fairlead("plan").exits(0).says("node w2 was removed", "has come back")
	s.fairlead("join", "w2", "--address", s.address("w2")).exits(1).says("while it could not be reached", "fairlead reset w2")
	s.fairlead("reset", "w2", "--yes").exits(0)
	s.mustUp()
	s.wantNodes("cp1", "cp2", "cp3", "w2")
	s.planned(0)
}

// removeControlPlane removes one that lives.
func (s *site) removeControlPlane(before string) {
	s.t.Helper()
	others := s.list("cp1", "cp2", "w2")
	s.fairlead("remove", "cp3", "--yes").exits(0)
	s.wantNodes("cp1", "cp2", "w2")
	s.wantMembers("cp1", "cp2")
	s.untouchedBut(others, "container ", "file /var/lib/cni", "file /var/lib/kubelet")
	s.restored(map[string]string{"cp3": before})
	s.planned(0)
}
