//go:build cluster

package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
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
		probe := s.probeAPI("cp1")
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
		s.fairlead("up").exits(1).says("cp1", "wait for static pod kube-controller-manager-cp1: it ends again and again", "soon", "the former manifest was put back")
		s.eventually("the former controller manager", time.Minute, func() string {
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

// watched looks at something until it is asked what it has seen.
type watched struct {
	s     *site
	stop  context.CancelFunc
	group sync.WaitGroup
	looks int
	bad   []string
}

func (s *site) watch(look func(context.Context) error) *watched {
	ctx, cancel := context.WithCancel(s.ctx)
	w := &watched{s: s, stop: cancel}
	w.group.Go(func() {
		ticker := time.NewTicker(pollInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			w.looks++
			if err := look(ctx); err != nil && ctx.Err() == nil {
				w.bad = append(w.bad, err.Error())
			}
		}
	})
	return w
}

func (w *watched) wantGood(what string) {
	w.s.t.Helper()
	w.stop()
	w.group.Wait()
	if len(w.bad) > 0 || w.looks < 5 {
		w.s.t.Errorf("%s: %d of %d looks failed: %s", what, len(w.bad), w.looks, strings.Join(w.bad, "; "))
	}
	w.s.t.Logf("%s: %d looks, %d failed", what, w.looks, len(w.bad))
}

func (w *watched) wantNoFailure() { w.s.t.Helper(); w.wantGood("the API server answers") }

func (w *watched) wantAlwaysReady() { w.s.t.Helper(); w.wantGood("all nodes are Ready") }

// alive asks an API server whether it is alive.
func (s *site) alive(ctx context.Context, ca *x509.CertPool, host string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+net.JoinHostPort(s.address(host), "6443")+"/livez", nil)
	if err != nil {
		return err
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/livez: %s", answer.Status)
	}
	return nil
}

// probeAPI asks the API servers of hosts over and over whether they are alive.
func (s *site) probeAPI(hosts ...string) *watched {
	s.t.Helper()
	ca := s.clusterCA()
	return s.watch(func(ctx context.Context) error {
		for _, host := range hosts {
			if err := s.alive(ctx, ca, host); err != nil {
				return fmt.Errorf("%s: %w", host, err)
			}
		}
		return nil
	})
}

// watchNodes looks over and over whether all nodes are Ready.
func (s *site) watchNodes() *watched {
	return s.watch(func(context.Context) error {
		out, err := s.tryKubectl("get", "nodes", "--output", "json")
		var list struct{ Items []node }
		if err == nil {
			err = json.Unmarshal([]byte(out), &list)
		}
		for _, n := range list.Items {
			if !n.ready() {
				err = fmt.Errorf("node %s is not Ready", n.Metadata.Name)
			}
		}
		return err
	})
}
