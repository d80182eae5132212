package plan

import (
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// TestSettingsPlan has a case for settings that are new, changed, withdrawn, set by others,
// fixed, drifted on one host, and for hosts that cannot be reached.
func TestSettingsPlan(t *testing.T) {
	syncPeriod := world.Config(templates.KindCluster, map[string]any{"controllerManager": map[string]any{
		"extraArgs": world.Args("horizontal-pod-autoscaler-sync-period", "10s"),
	}})
	maxPods := world.Config(templates.KindKubelet, map[string]any{"maxPods": 200})
	sans := func(names ...any) func(*inventory.Cluster) {
		return world.Config(templates.KindCluster, map[string]any{"apiServer": map[string]any{"certSANs": names}})
	}
	for _, c := range []struct {
		name   string
		before func(*inventory.Cluster) // what the cluster was made with
		edit   func(*inventory.Cluster)
		change func(*facts.Facts)
	}{
		{name: "settings-controller-manager", before: world.ThreeControlPlanes, edit: world.All(world.ThreeControlPlanes, syncPeriod)},
		{name: "settings-withdrawn", before: world.All(syncPeriod, maxPods)},
		{name: "settings-of-others", before: syncPeriod, change: func(f *facts.Facts) {
			f.API.RecordedSettings = nil // an inventory that comes to a cluster made without it
		}},
		{name: "settings-kubelet", edit: maxPods},
		{name: "settings-kubelet-of-one", before: maxPods, edit: maxPods, change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w2", func(h *facts.Host) {
				h.Contents[templates.KubeletConfigFile] = []byte(strings.Replace(string(h.Contents[templates.KubeletConfigFile]), "200", "110", 1))
			})
		}},
		{name: "settings-kube-proxy", edit: world.Config(templates.KindKubeProxy, map[string]any{"mode": "nftables"})},
		{name: "settings-certificate", edit: sans("api.lab.example")},
		{name: "settings-public-endpoint", edit: world.Publicly("api.lab.example:443")},
		{name: "settings-public-endpoint-in-both-places", edit: world.All(world.Publicly("api.lab.example:443"), sans("api.lab.example", "other.lab.example"))},
		{name: "settings-public-endpoint-withdrawn", before: world.Publicly("api.lab.example:443")},
		{name: "settings-fixed", edit: world.Config(templates.KindCluster, map[string]any{"networking": map[string]any{"dnsDomain": "lab.example"}}), change: func(f *facts.Facts) {
			f.API.Settings[templates.KindCluster] = strings.Replace(f.API.Settings[templates.KindCluster], "networking:\n", "networking:\n  dnsDomain: cluster.local\n", 1)
		}},
		{name: "settings-manifest-edited", before: syncPeriod, edit: syncPeriod, change: func(f *facts.Facts) {
			world.ChangeHost(*f, "cp1", func(h *facts.Host) {
				h.Contents[templates.ManifestPath(templates.ComponentControllerManager)] = world.ManifestOf(templates.ComponentControllerManager, "--horizontal-pod-autoscaler-sync-period=15s")
				h.Contents[templates.ManifestPath(templates.ComponentScheduler)] = world.ManifestOf(templates.ComponentScheduler)
			})
		}},
		{name: "settings-cut-off", change: func(f *facts.Facts) {
			world.ChangeHost(*f, "cp1", func(h *facts.Host) {
				h.Files[templates.FormerManifest(templates.ComponentScheduler)] = facts.File{Mode: 0o600}
			})
		}},
		{name: "settings-cut-off-api-away", edit: syncPeriod, change: func(f *facts.Facts) {
			f.API = facts.API{Err: world.Refused()}
			world.ChangeHost(*f, "cp1", func(h *facts.Host) {
				h.Files[templates.FormerManifest(templates.ComponentAPIServer)] = facts.File{Mode: 0o600}
			})
		}},
		{name: "settings-unreachable", before: world.ThreeControlPlanes, edit: world.All(world.ThreeControlPlanes, syncPeriod), change: func(f *facts.Facts) {
			f.Hosts["cp2"] = facts.Host{Unreachable: world.NoRoute()}
		}},
		{name: "settings-of-an-old-kubeadm", change: func(f *facts.Facts) {
			f.API.Settings[templates.KindCluster] = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wish := world.State(t, c.edit)
			facts := world.Converged(t, wish)
			world.KeepSettings(t, world.State(t, c.before), &facts)
			if c.change != nil {
				c.change(&facts)
			}
			plan := Make(wish, facts)
			Golden(t, c.name, Show(plan))
			if err := plan.Sound(); err != nil {
				t.Error(err)
			}
			WantSameFromFile(t, wish, facts)
		})
	}
}

// Documents for kubeadm keep what others have set, and do not have what is withdrawn.
func TestReconfigurationKeepsTheRest(t *testing.T) {
	before := world.Config(templates.KindCluster, map[string]any{"scheduler": map[string]any{"extraArgs": world.Args("v", "4")}})
	wish := world.State(t, world.Config(templates.KindCluster, map[string]any{"controllerManager": map[string]any{"extraArgs": world.Args("v", "3")}}))
	facts := world.Converged(t, wish)
	world.KeepSettings(t, world.State(t, before), &facts)
	facts.API.Settings[templates.KindCluster] += "apiServer:\n  extraArgs:\n  - {name: profiling, value: \"false\"}\n"
	facts.API.Settings[templates.KindCluster] = strings.Replace(facts.API.Settings[templates.KindCluster],
		"apiServer:\n  certSANs:\n  - 192.0.2.11\n", "", 1)
	plan := Make(wish, facts)
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
