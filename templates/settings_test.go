package templates

import (
	"reflect"
	"strings"
	"testing"
)

func parsed(t *testing.T, text string) Fields {
	t.Helper()
	fields, err := ParseFields([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestSettle(t *testing.T) {
	for _, c := range []struct{ name, live, wanted, before, want string }{
		{"nothing", "a: 1", "", "", "a: 1"},
		{"new", "a: 1", "b: 2", "", "{a: 1, b: 2}"},
		{"changed", "a: 1", "a: 2", "a: 1", "a: 2"},
		{"withdrawn", "{a: 1, b: 2}", "", "a: 1", "b: 2"},
		{"withdrawn with its section", "{s: {a: 1}, b: 2}", "", "s: {a: 1}", "b: 2"},
		{"withdrawn beside what others set", "s: {a: 1, b: 2}", "", "s: {a: 1}", "s: {b: 2}"},
		{"withdrawn but changed by others since", "a: 3", "", "a: 1", "a: 3"},
		{"argument", "args: {extraArgs: [{name: v, value: '2'}]}", "args: {extraArgs: [{name: w, value: '1'}]}", "",
			"args: {extraArgs: [{name: v, value: '2'}, {name: w, value: '1'}]}"},
		{"argument changed", "extraArgs: [{name: v, value: '2'}, {name: w, value: '1'}]", "extraArgs: [{name: v, value: '3'}]", "extraArgs: [{name: v, value: '2'}]",
			"extraArgs: [{name: w, value: '1'}, {name: v, value: '3'}]"},
		{"argument withdrawn", "extraArgs: [{name: v, value: '2'}, {name: w, value: '1'}]", "", "extraArgs: [{name: v, value: '2'}]", "extraArgs: [{name: w, value: '1'}]"},
		{"last argument withdrawn", "extraArgs: [{name: v, value: '2'}]", "", "extraArgs: [{name: v, value: '2'}]", "{}"},
		{"certSANs of others stay", "certSANs: [a, b]", "certSANs: [c]", "certSANs: [b]", "certSANs: [a, c]"},
		{"list as one value", "enforce: [a]", "enforce: [b]", "enforce: [a]", "enforce: [b]"},
		{"list withdrawn", "enforce: [a]", "", "enforce: [a]", "{}"},
		{"withdrawn and gone already", "b: 2", "", "a: 1", "b: 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			live := parsed(t, c.live)
			got := Settle(live, parsed(t, c.wanted), parsed(t, c.before))
			if want := parsed(t, c.want); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if !reflect.DeepEqual(live, parsed(t, c.live)) {
				t.Error("the live document was changed")
			}
			if again := Settle(got, parsed(t, c.wanted), parsed(t, c.wanted)); len(SettingChanges(got, again)) > 0 {
				t.Errorf("settling again changes %v", SettingChanges(got, again))
			}
		})
	}
}

func TestSettingChanges(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"a: 1", "a: 1", ""},
		{"a: 1", "a: 2", "a is 1, want 2"},
		{"{}", "s: {a: x}", `s.a is absent, want "x"`},
		{"s: {a: x}", "{}", `s.a is "x" and no longer wanted`},
		{"s: {}", "{}", ""},
		{"{a: '', l: []}", "{}", ""},
		{"extraArgs: [{name: b, value: '1'}, {name: a, value: '1'}]", "extraArgs: [{name: a, value: '1'}, {name: b, value: '2'}]", `extraArgs[b] is "1", want "2"`},
		{"extraArgs: [{name: a, value: '1'}]", "extraArgs: [{name: a, value: '1'}, {name: a, value: '2'}]", `extraArgs[a] is "1", want ["1","2"]`},
		{"extraVolumes: [{name: a, hostPath: /x}]", "extraVolumes: [{name: a, hostPath: /y}]", `extraVolumes[a].hostPath is "/x", want "/y"`},
		{"certSANs: [a]", "certSANs: [a, b]", `certSANs is ["a"], want ["a","b"]`},
	} {
		var got []string
		for _, change := range SettingChanges(parsed(t, c.from), parsed(t, c.to)) {
			got = append(got, change.String())
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s to %s: %s, want %s", c.from, c.to, text, c.want)
		}
	}
}

// What upstream's types spell in their own way is no difference.
func TestWantedSettingsAreInUpstreamsSpelling(t *testing.T) {
	cluster := testCluster()
	cluster.Overrides = Overrides{
		KindKubelet: {"failCgroupV1": false, "nodeStatusUpdateFrequency": "60s", "evictionHard": map[string]any{"memory.available": "5%"}},
		KindCluster: {"apiServer": map[string]any{"certSANs": []any{"api.example"}}},
	}
	wanted, err := WantedSettings(cluster)
	if err != nil {
		t.Fatal(err)
	}
	kubelet := wanted[KindKubelet]
	if kubelet["nodeStatusUpdateFrequency"] != "1m0s" || kubelet["failCgroupV1"] != false || kubelet["cgroupDriver"] != "systemd" {
		t.Errorf("kubelet: %v", kubelet)
	}
	if _, exists := kubelet["maxPods"]; exists {
		t.Errorf("fields that nobody set: %v", kubelet)
	}
	if _, exists := wanted[KindCluster]["kubernetesVersion"]; exists {
		t.Errorf("cluster: %v", wanted[KindCluster])
	}
	for _, kind := range SettingKinds() {
		text, err := SettingsDocument(kind, wanted[kind])
		if err != nil {
			t.Fatal(err)
		}
		live, err := ReadSettings(kind, text)
		if err != nil {
			t.Fatal(err)
		}
		if changes := SettingChanges(live, Settle(live, wanted[kind], nil)); len(changes) > 0 {
			t.Errorf("%s: %v", kind, changes)
		}
	}
}

func TestReadSettingsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n": "want kubeadm.k8s.io/v1beta4",
		"a: [": "read ClusterConfiguration",
		"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nscheduler: 1\n": "decode fields",
	} {
		if _, err := ReadSettings(KindCluster, []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := ReadSettings("Secret", nil); err == nil {
		t.Error("any kind is read")
	}
}
