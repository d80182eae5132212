package templates

import (
	"slices"
	"testing"
)

// A pod on its host's ports is ended before the next one starts: else neither could go on.
func TestHostNetworkCanRoll(t *testing.T) {
	const pods = "template: {spec: {containers: [{name: a, ports: [{containerPort: 80}]}]}}\n"
	for name, c := range map[string]struct{ kind, before, after string }{
		"Deployment":                     {"Deployment", "", "strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}\n"},
		"Deployment that surges":         {"Deployment", "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n", "strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}\n"},
		"Deployment with parts":          {"Deployment", "strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}\n", "strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 25%}}\n"},
		"Deployment that ends all first": {"Deployment", "strategy: {type: Recreate}\n", "strategy: {type: Recreate}\n"},
		"DaemonSet":                      {"DaemonSet", "", ""},
		"DaemonSet that surges":          {"DaemonSet", "updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0%}}\n", "updateStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}\n"},
		"DaemonSet by hand":              {"DaemonSet", "updateStrategy: {type: OnDelete}\n", "updateStrategy: {type: OnDelete}\n"},
		"StatefulSet":                    {"StatefulSet", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]any{"kind": c.kind, "spec": decoded(t, pods+c.before)}
			want := map[string]any{"kind": c.kind, "spec": decoded(t, pods+c.after)}
			if err := EditPods(want, PodEdits{}); err != nil {
				t.Fatal(err)
			}
			pod := podOf(want)
			pod["hostNetwork"], pod["dnsPolicy"] = true, "ClusterFirstWithHostNet"
			for range 2 { // twice is once
				if err := EditPods(got, PodEdits{HostNetwork: true}); err != nil {
					t.Fatal(err)
				}
				wantSame(t, got, want)
			}
		})
	}
}

func TestHostPorts(t *testing.T) {
	for _, c := range []struct {
		kind, pod string
		want      []string
	}{
		{"Deployment", "containers: [{name: a, ports: [{containerPort: 80}]}]", nil},
		{"Deployment", "containers: [{name: a, ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 53, hostPort: 53, protocol: UDP, hostIP: 127.0.0.1}]}]", []string{"8080/TCP", "53/UDP of 127.0.0.1"}},
		{"DaemonSet", "hostNetwork: true\ncontainers: [{name: a, ports: [{containerPort: 80}, {containerPort: 80, hostIP: 0.0.0.0}]}]\ninitContainers: [{name: b, ports: [{containerPort: 9}]}]", []string{"9/TCP", "80/TCP"}},
		{"Pod", "hostNetwork: true\ncontainers: [{name: a}]", nil},
		{"Job", "hostNetwork: true\ncontainers: [{name: a, ports: [{containerPort: 80}]}]", nil},
	} {
		var got []string
		for _, port := range HostPorts(workload(t, c.kind, c.pod)) {
			got = append(got, port.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %s: %v, want %v", c.kind, c.pod, got, c.want)
		}
	}
	for _, c := range []struct {
		a, b HostPort
		want bool
	}{
		{HostPort{"TCP", 80, ""}, HostPort{"TCP", 80, "127.0.0.1"}, true},
		{HostPort{"TCP", 80, "127.0.0.1"}, HostPort{"TCP", 80, "127.0.0.1"}, true},
		{HostPort{"TCP", 80, "127.0.0.1"}, HostPort{"TCP", 80, "127.0.0.2"}, false},
		{HostPort{"TCP", 80, ""}, HostPort{"UDP", 80, ""}, false},
		{HostPort{"TCP", 80, ""}, HostPort{"TCP", 81, ""}, false},
	} {
		if got := c.a.Clashes(c.b); got != c.want {
			t.Errorf("%v and %v: %v", c.a, c.b, got)
		}
	}
}
