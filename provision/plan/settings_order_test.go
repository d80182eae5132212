package plan

import (
	"slices"
	"strings"
	"testing"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// Settings of every kind change in an order: announced before the first, control planes one after
// another, then what the cluster keeps, then kube-proxy and the kubelets host by host, and the
// record after the last.
func TestSettingsOrder(t *testing.T) {
	all := world.All(world.ThreeControlPlanes,
		world.Config(templates.KindCluster, map[string]any{"scheduler": map[string]any{"extraArgs": world.Args("v", "4")}}),
		world.Config(templates.KindKubelet, map[string]any{"maxPods": 200}),
		world.Config(templates.KindKubeProxy, map[string]any{"mode": "nftables"}))
	seen := world.Converged(t, world.State(t, world.ThreeControlPlanes))
	made := Make(world.State(t, all), seen)
	const announce = " cluster/settings/announce"
	kubelets := []string{"cp1", "cp2", "cp3", "w1", "w2"}
	want := map[string]string{
		"cluster/settings/announce":   "",
		"cp1/settings":                announce,
		"cp2/settings":                "cp1/settings" + announce,
		"cp3/settings":                "cp1/settings cp2/settings" + announce,
		"cp1/keep-settings":           "cp1/settings cp2/settings cp3/settings" + announce,
		"cluster/settings/kube-proxy": "cp1/keep-settings" + announce,
		"cluster/settings/record":     "cluster/settings/kube-proxy cp1/keep-settings cp1/kubelet-settings cp1/settings cp2/kubelet-settings cp2/settings cp3/kubelet-settings cp3/settings w1/kubelet-settings w2/kubelet-settings",
	}
	for i, host := range kubelets {
		needs := []string{"cp1/keep-settings"}
		for _, before := range kubelets[:i] {
			needs = append(needs, before+"/kubelet-settings")
		}
		want[host+"/kubelet-settings"] = strings.Join(needs, " ") + announce
	}
	for _, step := range made.Steps {
		if _, known := want[step.ID]; !known {
			t.Errorf("step %s is planned", step.ID)
		}
	}
	for id, needs := range want {
		i := slices.IndexFunc(made.Steps, func(s Step) bool { return s.ID == id })
		if i < 0 {
			t.Errorf("step %s is not planned", id)
			continue
		}
		is, wanted := slices.Sorted(slices.Values(made.Steps[i].Needs)), slices.Sorted(slices.Values(strings.Fields(needs)))
		if !slices.Equal(is, wanted) {
			t.Errorf("%s comes after %v, want %v", id, is, wanted)
		}
	}
}

// A control plane that cannot be looked at and may run with what a run that was cut off has left
// hinders nothing else when the cluster keeps what it should.
func TestSettingsCutOffAndUnreachable(t *testing.T) {
	wish := world.State(t, world.ThreeControlPlanes)
	seen := world.Converged(t, wish)
	seen.API.RecordedSettings[templates.KindCluster+".to-come.0123"] = "scheduler:\n  extraArgs:\n  - {name: v, value: \"4\"}\n"
	seen.Hosts["cp2"] = facts.Host{Unreachable: world.NoRoute()}
	made := Make(wish, seen)
	var blocked []string
	for _, each := range made.Blocked {
		blocked = append(blocked, each.Host+": "+each.Title+": "+each.Reason)
	}
	want := []string{"cp2: prepare the host: the host cannot be looked at", "cp2: change the control plane's settings: the host cannot be looked at"}
	if !slices.Equal(blocked, want) {
		t.Errorf("blocked is %q, want %q", blocked, want)
	}
	var steps []string
	for _, step := range made.Steps {
		steps = append(steps, step.ID)
	}
	if want := []string{"cp1/settings", "cp3/settings"}; !slices.Equal(steps, want) {
		t.Errorf("planned are %q, want %q", steps, want)
	}
}

// A record that cannot be read is said, and no settings are changed on the ground of it.
func TestSettingsRecordThatCannotBeRead(t *testing.T) {
	wish := world.State(t, world.Config(templates.KindKubelet, map[string]any{"maxPods": 200}))
	seen := world.Converged(t, world.State(t, nil))
	seen.API.RecordedSettings[templates.KindKubelet] = "maxPods: [110\n"
	made := Make(wish, seen)
	if len(made.Steps) > 0 || len(made.Blocked) != 1 || !strings.HasPrefix(made.Blocked[0].Reason, "ConfigMap kube-system/fairlead-settings: KubeletConfiguration: ") {
		t.Errorf("planned are %+v, blocked %+v", made.Steps, made.Blocked)
	}
}

// The command of a static pod is that of its first container, as far as there is one.
func TestCommandOf(t *testing.T) {
	for manifest, want := range map[string]string{
		"spec: {containers: [{command: [etcd, --a=1, --b=2]}]}":                "etcd --a=1 --b=2",
		"spec: {containers: [{command: [etcd, --a=1]}, {command: [sidecar]}]}": "etcd --a=1",
		"spec: {containers: [{name: etcd}]}":                                   "",
		"spec: {containers: []}":                                               "",
		"spec: {}":                                                             "",
		"":                                                                     "",
		"spec: [":                                                              "",
	} {
		if got := strings.Join(CommandOf([]byte(manifest)), " "); got != want {
			t.Errorf("%q has the command %q, want %q", manifest, got, want)
		}
	}
}

// The arguments of each static pod are looked for where kubeadm has them.
func TestExtraArgs(t *testing.T) {
	document := "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
	for _, section := range []string{"apiServer", "controllerManager", "scheduler"} {
		document += section + ": {extraArgs: [{name: of, value: " + section + "}, {name: v, value: \"4\"}]}\n"
	}
	document += "etcd: {local: {extraArgs: [{name: of, value: etcd}]}}\n"
	fields, err := templates.ReadSettings(templates.KindCluster, []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	for component, want := range map[string]string{
		"kube-apiserver": "--of=apiServer --v=4", "kube-controller-manager": "--of=controllerManager --v=4",
		"kube-scheduler": "--of=scheduler --v=4", "etcd": "--of=etcd",
	} {
		if got := strings.Join(ExtraArgs(fields, component), " "); got != want {
			t.Errorf("%s gets %q, want %q", component, got, want)
		}
		if got := ExtraArgs(templates.Fields{}, component); len(got) > 0 {
			t.Errorf("%s gets %q from nothing", component, got)
		}
	}
}
