package provision

import (
	"errors"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/templates"
)

// config makes an inventory say something about one of kubeadm's documents.
func config(kind string, fields map[string]any) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) {
		merged := map[string]map[string]any{}
		for k, v := range c.Kubernetes.Config {
			merged[k] = v
		}
		merged[kind] = fields
		c.Kubernetes.Config = merged
	}
}

func all(edits ...func(*inventory.Cluster)) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) {
		for _, edit := range edits {
			edit(c)
		}
	}
}

func args(pairs ...string) []any {
	var list []any
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, map[string]any{"name": pairs[i], "value": pairs[i+1]})
	}
	return list
}

func manifestOf(component string, arguments ...string) []byte {
	return []byte("spec:\n  containers:\n  - command:\n    - " + strings.Join(append([]string{component}, arguments...), "\n    - ") + "\n")
}

// TestSettingsPlan has a case for settings that are new, changed, withdrawn, set by others,
// fixed, drifted on one host, and for hosts that cannot be reached.
func TestSettingsPlan(t *testing.T) {
	syncPeriod := config(templates.KindCluster, map[string]any{"controllerManager": map[string]any{
		"extraArgs": args("horizontal-pod-autoscaler-sync-period", "10s"),
	}})
	maxPods := config(templates.KindKubelet, map[string]any{"maxPods": 200})
	for _, c := range []struct {
		name   string
		before func(*inventory.Cluster) // what the cluster was made with
		edit   func(*inventory.Cluster)
		change func(*Facts)
	}{
		{name: "settings-controller-manager", before: threeControlPlanes, edit: all(threeControlPlanes, syncPeriod)},
		{name: "settings-withdrawn", before: all(syncPeriod, maxPods)},
		{name: "settings-of-others", before: syncPeriod, change: func(f *Facts) {
			f.API.RecordedSettings = nil // an inventory that comes to a cluster made without it
		}},
		{name: "settings-kubelet", edit: maxPods},
		{name: "settings-kubelet-of-one", before: maxPods, edit: maxPods, change: func(f *Facts) {
			changeHost(*f, "w2", func(h *HostFacts) {
				h.Contents[kubeletConfig] = []byte(strings.Replace(string(h.Contents[kubeletConfig]), "200", "110", 1))
			})
		}},
		{name: "settings-kube-proxy", edit: config(templates.KindKubeProxy, map[string]any{"mode": "nftables"})},
		{name: "settings-certificate", edit: config(templates.KindCluster, map[string]any{"apiServer": map[string]any{"certSANs": []any{"api.lab.example"}}})},
		{name: "settings-fixed", edit: config(templates.KindCluster, map[string]any{"networking": map[string]any{"dnsDomain": "lab.example"}}), change: func(f *Facts) {
			f.API.Settings[templates.KindCluster] = strings.Replace(f.API.Settings[templates.KindCluster], "networking:\n", "networking:\n  dnsDomain: cluster.local\n", 1)
		}},
		{name: "settings-manifest-edited", before: syncPeriod, edit: syncPeriod, change: func(f *Facts) {
			changeHost(*f, "cp1", func(h *HostFacts) {
				h.Contents[manifestPath(componentControllerManager)] = manifestOf(componentControllerManager, "--horizontal-pod-autoscaler-sync-period=15s")
				h.Contents[manifestPath(componentScheduler)] = manifestOf(componentScheduler)
			})
		}},
		{name: "settings-cut-off", change: func(f *Facts) {
			changeHost(*f, "cp1", func(h *HostFacts) { h.Files[formerManifest(componentScheduler)] = FileFacts{Mode: 0o600} })
		}},
		{name: "settings-cut-off-api-away", edit: syncPeriod, change: func(f *Facts) {
			f.API = APIFacts{Err: errors.New("connection refused")}
			changeHost(*f, "cp1", func(h *HostFacts) { h.Files[formerManifest(componentAPIServer)] = FileFacts{Mode: 0o600} })
		}},
		{name: "settings-unreachable", before: threeControlPlanes, edit: all(threeControlPlanes, syncPeriod), change: func(f *Facts) {
			f.Hosts["cp2"] = HostFacts{Unreachable: errors.New("no route to host")}
		}},
		{name: "settings-of-an-old-kubeadm", change: func(f *Facts) {
			f.API.Settings[templates.KindCluster] = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish := testWish(t, c.edit)
			facts := converged(t, wish)
			keepSettings(t, testWish(t, c.before), &facts)
			if c.change != nil {
				c.change(&facts)
			}
			plan := MakePlan(wish, facts)
			golden(t, c.name, show(plan))
			sound(t, plan)
		})
	}
}

// Documents for kubeadm keep what others have set, and do not have what is withdrawn.
func TestReconfigurationKeepsTheRest(t *testing.T) {
	before := config(templates.KindCluster, map[string]any{"scheduler": map[string]any{"extraArgs": args("v", "4")}})
	wish := testWish(t, config(templates.KindCluster, map[string]any{"controllerManager": map[string]any{"extraArgs": args("v", "3")}}))
	facts := converged(t, wish)
	keepSettings(t, testWish(t, before), &facts)
	facts.API.Settings[templates.KindCluster] += "apiServer:\n  extraArgs:\n  - {name: profiling, value: \"false\"}\n"
	facts.API.Settings[templates.KindCluster] = strings.Replace(facts.API.Settings[templates.KindCluster],
		"apiServer:\n  certSANs:\n  - 192.0.2.11\n", "", 1)
	plan := MakePlan(wish, facts)
	for _, step := range plan.Steps {
		for _, action := range step.Actions {
			run, ok := action.(RunKubeadm)
			if !ok || run.Verb[0] != "init" {
				continue
			}
			text := string(run.Document)
			if !strings.Contains(text, "name: profiling") || strings.Contains(text, "scheduler:\n  extraArgs") || !strings.Contains(text, "controllerManager:\n  extraArgs:\n  - name: v\n    value: \"3\"\n") {
				t.Errorf("%s of %s gets\n%s", run.Describe(), step.ID, text)
			}
		}
	}
	if len(plan.Steps) == 0 {
		t.Error("nothing is planned")
	}
}
