//go:build cluster

package cluster

import (
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// syncPeriod is a setting of the controller manager, as it stands in an inventory.
const syncPeriod = `    ClusterConfiguration:
      controllerManager: {extraArgs: [{name: horizontal-pod-autoscaler-sync-period, value: 10s}]}
`

// settingsBegin is where settings are put into the lab's inventory.
const settingsBegin = "  config:\n"

func testSettings(t *testing.T) {
	s := clusterSite(t)
	hosts := []string{"cp1", "w1", "w2"}
	s.planned(0)
	s.settled()
	plain := s.read(s.file)
	t.Run("ControllerManager", func(t *testing.T) {
		s := s.sub(t)
		s.edit(settingsBegin, settingsBegin+syncPeriod)
		s.planned(3).says("ClusterConfiguration.controllerManager.extraArgs[horizontal-pod-autoscaler-sync-period] is absent, want \"10s\"")
		before, pods := s.containers(hosts...), s.pods()
		probe := s.probeAPI(0, "cp1")
		s.mustUp()
		probe.wantNoFailure()
		s.wantNewContainers(before, pods, "kube-controller-manager-cp1")
		s.wantArgument("kube-controller-manager-cp1", "--horizontal-pod-autoscaler-sync-period=10s")
		s.planned(0)
	})
	t.Run("Kubelet", func(t *testing.T) {
		s := s.sub(t)
		s.edit("    KubeletConfiguration:\n", "    KubeletConfiguration:\n      maxPods: 64\n")
		s.planned(3).says("KubeletConfiguration.maxPods is absent, want 64")
		before, pods := s.containers(hosts...), s.pods()
		watch := s.watchNodes()
		events := s.mustUp().events()
		watch.wantAlwaysReady()
		s.wantNewContainers(before, pods)
		for _, pair := range [][2]string{{"cp1", "w1"}, {"w1", "w2"}, {"cp1", "w2"}} {
			if err := overlap(events, pair[0]+"/kubelet-settings", pair[1]+"/kubelet-settings"); err != nil {
				t.Error(err)
			}
		}
		for _, host := range hosts {
			if is := s.kubectl("get", "node", host, "--output", "jsonpath={.status.capacity.pods}"); is != "64" {
				t.Errorf("node %s takes %s pods", host, is)
			}
		}
		s.planned(0)
	})
	t.Run("Certificate", func(t *testing.T) {
		s := s.sub(t)
		s.edit("    ClusterConfiguration:\n", "    ClusterConfiguration:\n      apiServer: {certSANs: [api.lab.example]}\n")
		s.planned(3).says("the API server's certificate is not for api.lab.example")
		before, pods := s.containers(hosts...), s.pods()
		s.mustUp()
		s.wantNewContainers(before, pods)
		s.eventually("the new name", 2*time.Minute, func() string { return errorText(s.serves("cp1", "api.lab.example")) })
		if err := s.serves("cp1", s.address("cp1")); err != nil {
			t.Errorf("the old name: %v", err)
		}
		s.planned(0)
	})
	t.Run("KubeProxy", func(t *testing.T) {
		s := s.sub(t)
		s.edit("    KubeProxyConfiguration:\n", "    KubeProxyConfiguration:\n      iptables: {syncPeriod: 45s}\n")
		s.planned(3).says("KubeProxyConfiguration.iptables.syncPeriod is \"0s\", want \"45s\"")
		before := s.pods()
		s.mustUp()
		for name, uid := range s.pods() {
			if was, existed := before[name]; strings.HasPrefix(name, "kube-proxy-") == (existed && was == uid) {
				t.Errorf("pod %s: existed before %v", name, existed)
			}
		}
		if text := s.kubectl("get", "configmap", "--namespace", "kube-system", "kube-proxy", "--output", "yaml"); !strings.Contains(text, "syncPeriod: 45s") {
			t.Errorf("kube-proxy's ConfigMap:\n%s", text)
		}
		s.planned(0)
	})
	t.Run("Drift", func(t *testing.T) {
		s := s.sub(t)
		s.shell("cp1", "sed -i s/sync-period=10s/sync-period=20s/ /etc/kubernetes/manifests/kube-controller-manager.yaml")
		s.planned(3).says("lacks --horizontal-pod-autoscaler-sync-period=10s")
		s.mustUp()
		s.wantArgument("kube-controller-manager-cp1", "--horizontal-pod-autoscaler-sync-period=10s")
		s.planned(0)
	})
	t.Run("Withdrawn", func(t *testing.T) {
		s := s.sub(t)
		// What somebody else has set in the meantime stays.
		s.shell("cp1", kubectl+` --namespace kube-system get configmap kubeadm-config --output yaml |
			sed 's/^    scheduler: {}/    scheduler: {extraArgs: [{name: v, value: "1"}]}/' | `+kubectl+" replace --filename -")
		s.write(s.file, plain)
		s.planned(3).says("extraArgs[horizontal-pod-autoscaler-sync-period] is \"10s\" and no longer wanted", "KubeletConfiguration.maxPods is 64 and no longer wanted")
		s.mustUp()
		if text := s.shell("cp1", "cat /etc/kubernetes/manifests/kube-controller-manager.yaml"); strings.Contains(text, "sync-period") {
			t.Error("the controller manager still has the argument")
		}
		for _, host := range hosts {
			if is := s.kubectl("get", "node", host, "--output", "jsonpath={.status.capacity.pods}"); is != "110" {
				t.Errorf("node %s takes %s pods", host, is)
			}
		}
		if text := s.kubectl("get", "configmap", "--namespace", "kube-system", "kubeadm-config", "--output", "yaml"); !strings.Contains(text, "name: v") {
			t.Errorf("what others have set is gone:\n%s", text)
		}
		s.planned(0)
	})
	t.Run("Fixed", func(t *testing.T) {
		s := s.sub(t)
		s.edit("  podSubnet: 10.244.0.0/16\n", "  podSubnet: 10.245.0.0/16\n")
		s.fairlead("up").exits(1).says("networking.podSubnet is \"10.244.0.0/16\", want \"10.245.0.0/16\"", "it is fixed when a cluster is made", "nothing was changed")
		s.write(s.file, plain)
		s.planned(0)
	})
	t.Run("Bad", func(t *testing.T) {
		s := s.sub(t)
		s.edit(settingsBegin, settingsBegin+strings.ReplaceAll(syncPeriod, "10s", "soon"))
		s.fairlead("up").exits(1).saysOf("cp1", "wait for static pod kube-controller-manager-cp1: it ends again and again", "soon", "the former manifest was put back")
		s.eventually("the former controller manager", 2*time.Minute, func() string {
			out, err := s.tryKubectl("wait", "--for=condition=Ready", "--namespace=kube-system", "pod/kube-controller-manager-cp1", "--timeout=5s")
			if err != nil {
				return out + err.Error()
			}
			return ""
		})
		s.write(s.file, plain)
		s.fairlead("up").exits(0)
		s.planned(0)
	})
	t.Run("Killed", func(t *testing.T) {
		s := s.sub(t)
		s.edit(settingsBegin, settingsBegin+"    ClusterConfiguration:\n      apiServer: {extraArgs: [{name: audit-log-maxage, value: soon}]}\n")
		s.killAt("Settings", func(e event) bool { return e.Kind == "output" && e.Step == "cp1/settings" })
		ca := s.clusterCA()
		s.eventually("the API server to be away", 2*time.Minute, func() string {
			if s.alive(s.ctx, ca, "cp1") == nil {
				return "it answers"
			}
			return ""
		})
		s.write(s.file, plain)
		s.planned(3).says("put back the former manifests of kube-apiserver")
		s.mustUp()
		s.wantNodes(hosts...)
		s.planned(0)
	})
	t.Run("SchedulerAndEtcd", func(t *testing.T) { s.sub(t).wantSchedulerAndEtcdChanged(hosts, plain) })
}

// schedulerAndEtcd are arguments of both, as they stand in an inventory.
const schedulerAndEtcd = `    ClusterConfiguration:
      scheduler: {extraArgs: [{name: authorization-webhook-cache-authorized-ttl, value: 12s}]}
      etcd: {local: {extraArgs: [{name: quota-backend-bytes, value: "4294967296"}]}}
`

// wantSchedulerAndEtcdChanged gives both an argument and takes it away again. Of one control plane
// the only member of etcd is started anew: the API is there again when up ends.
func (s *site) wantSchedulerAndEtcdChanged(hosts []string, plain string) {
	s.t.Helper()
	const ttl, quota = "--authorization-webhook-cache-authorized-ttl=12s", "--quota-backend-bytes=4294967296"
	s.edit(settingsBegin, settingsBegin+schedulerAndEtcd)
	s.planned(3).says("scheduler.extraArgs[authorization-webhook-cache-authorized-ttl] is absent", "etcd.local.extraArgs[quota-backend-bytes] is absent")
	s.mustUp()
	s.wantNodes(hosts...)
	s.wantArgument("kube-scheduler-cp1", ttl)
	s.wantArgument("etcd-cp1", quota)
	for program, argument := range map[string]string{"kube-scheduler": ttl, "etcd": quota} {
		if line := s.shell("cp1", "tr '\\0' ' ' </proc/$(pgrep --exact "+program+")/cmdline"); !strings.Contains(line, argument) {
			s.t.Errorf("%s runs as %s", program, line)
		}
	}
	s.planned(0)
	s.write(s.file, plain)
	s.mustUp()
	for _, component := range []string{"kube-scheduler", "etcd"} {
		if text := s.shell("cp1", "cat /etc/kubernetes/manifests/"+component+".yaml"); strings.Contains(text, ttl) || strings.Contains(text, quota) {
			s.t.Errorf("%s still has the argument", component)
		}
	}
	s.planned(0)
}

// containers are the running containers of hosts.
func (s *site) containers(hosts ...string) []string {
	s.t.Helper()
	var all []string
	for _, host := range hosts {
		all = append(all, strings.Fields(s.shell(host, "ctr --namespace k8s.io tasks ls --quiet | sort"))...)
	}
	return all
}

// pods are the UIDs of all pods by name.
func (s *site) pods() map[string]string {
	s.t.Helper()
	all := map[string]string{}
	for line := range strings.Lines(s.kubectl("get", "pods", "--all-namespaces", "--output", `jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}{"\n"}{end}`)) {
		name, uid, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[name] = uid
	}
	return all
}

// wantNewContainers fails the test unless exactly the named pods were started anew, each with
// one container and its sandbox.
func (s *site) wantNewContainers(containers []string, pods map[string]string, names ...string) {
	s.t.Helper()
	started := 0
	for _, id := range s.containers("cp1", "w1", "w2") {
		if !slices.Contains(containers, id) {
			started++
		}
	}
	if started != 2*len(names) {
		s.t.Errorf("%d containers are new, want those of %v", started, names)
	}
	for name, uid := range s.pods() {
		if anew := pods[name] != uid; anew != slices.Contains(names, name) {
			s.t.Errorf("pod %s: made anew %v", name, anew)
		}
	}
}

func (s *site) wantArgument(pod, argument string) {
	s.t.Helper()
	command := s.kubectl("get", "pod", "--namespace", "kube-system", pod, "--output", "jsonpath={.spec.containers[0].command}")
	if !strings.Contains(command, argument) {
		s.t.Errorf("%s runs %s", pod, command)
	}
}

// serves connects to the API server on a host and verifies that it is the one of that name.
func (s *site) serves(host, name string) error {
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: s.clusterCA(), ServerName: name, MinVersion: tls.VersionTLS12}}
	conn, err := dialer.DialContext(s.ctx, "tcp", net.JoinHostPort(s.address(host), "6443"))
	if err != nil {
		return err
	}
	return conn.Close()
}
