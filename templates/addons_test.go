package templates

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

const (
	testMetricsImage  = "registry.lab:5000/k8s/metrics-server/metrics-server:v0.8.1"
	testTraefikImage  = "docker.io/library/traefik:v3.7.6"
	testApproverImage = "fairlead.invalid/fairlead-approver:v1"
)

func testNodes() []ApproverNode {
	addresses := func(texts ...string) []netip.Addr {
		var all []netip.Addr
		for _, text := range texts {
			all = append(all, netip.MustParseAddr(text))
		}
		return all
	}
	return []ApproverNode{
		{Node: "cp1", DNSNames: []string{"cp1"}, Addresses: addresses("192.0.2.11")},
		{Node: "cp2", DNSNames: []string{"cp2", "cp2.lab.example"}, Addresses: addresses("2001:db8::12")},
		{Node: "w1", DNSNames: []string{"w1"}, Addresses: addresses("192.0.2.21", "2001:DB8:0:0::21")},
	}
}

func metricsServer(insecure bool) func() ([]map[string]any, error) {
	return func() ([]map[string]any, error) {
		return MetricsServer(MetricsServerOptions{Image: testMetricsImage, InsecureTLS: insecure})
	}
}

func traefik(hostNetwork bool, p Placement) func() ([]map[string]any, error) {
	return func() ([]map[string]any, error) {
		return Traefik(TraefikOptions{Image: testTraefikImage, HostNetwork: hostNetwork, Placement: p})
	}
}

func approver(nodes []ApproverNode) func() ([]map[string]any, error) {
	return func() ([]map[string]any, error) {
		return ServingApprover(ApproverOptions{Image: testApproverImage, Nodes: nodes})
	}
}

func built(t *testing.T, build func() ([]map[string]any, error)) []map[string]any {
	t.Helper()
	objects, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func TestAddons(t *testing.T) {
	selected := Placement{NodeSelector: map[string]string{"disk": "ssd", "zone": "a"}}
	both := Placement{On: OnWorkers, NodeSelector: map[string]string{"disk": "ssd"}}
	for _, tt := range []struct {
		file, image string
		build       func() ([]map[string]any, error)
		root        bool // with the one capability that it needs
	}{
		{"metrics-server.yaml", testMetricsImage, metricsServer(false), false},
		{"metrics-server-insecure.yaml", testMetricsImage, metricsServer(true), false},
		{"kubelet-approver.yaml", testApproverImage, approver(testNodes()), false},
		{"traefik-control-plane.yaml", testTraefikImage, traefik(true, Placement{On: OnControlPlane}), true},
		{"traefik-workers.yaml", testTraefikImage, traefik(true, Placement{On: OnWorkers}), true},
		{"traefik-all.yaml", testTraefikImage, traefik(true, Placement{On: OnAll}), true},
		{"traefik-selected.yaml", testTraefikImage, traefik(true, selected), true},
		{"traefik-load-balancer.yaml", testTraefikImage, traefik(false, both), false},
	} {
		t.Run(tt.file, func(t *testing.T) {
			objects := built(t, tt.build)
			goldenObjects(t, tt.file, objects)
			checkReferences(t, objects)
			pods := 0
			for _, object := range objects {
				if w := workloadOf(t, object); w != nil {
					pods++
					checkPod(t, w, tt.image, tt.root)
				}
			}
			if pods != 1 {
				t.Errorf("%d workloads, want 1", pods)
			}
			if again := built(t, tt.build); !reflect.DeepEqual(again, objects) {
				t.Error("a second call gives other objects")
			}
			objects[0]["kind"] = "Changed"
			if again := built(t, tt.build); again[0]["kind"] == "Changed" {
				t.Error("two calls share their objects")
			}
		})
	}
}

func TestMetricsServerVerifies(t *testing.T) {
	const (
		authority = "--kubelet-certificate-authority=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
		insecure  = "--kubelet-insecure-tls"
		byAddress = "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname"
	)
	verified, unverified := built(t, metricsServer(false)), built(t, metricsServer(true))
	for _, tt := range []struct {
		name          string
		objects       []map[string]any
		with, without string
	}{
		{"verified", verified, authority, insecure},
		{"insecure", unverified, insecure, authority},
	} {
		container := containerOf(t, tt.objects)
		for flag, want := range map[string]int{tt.with: 1, tt.without: 0, byAddress: 1} {
			name, _, _ := strings.Cut(flag, "=")
			got := count(container.Args, func(arg string) bool { return arg == flag })
			same := count(container.Args, func(arg string) bool { return arg == name || strings.HasPrefix(arg, name+"=") })
			if got != want || same != want {
				t.Errorf("%s: %s is there %d times, and %d times with any value, want %d", tt.name, flag, got, same, want)
			}
		}
	}
	for i, object := range verified {
		if differ := !reflect.DeepEqual(object, unverified[i]); differ != (object["kind"] == "Deployment") {
			t.Errorf("%v: differs is %v without verification", object["kind"], differ)
		}
	}
}

func count(list []string, is func(string) bool) int {
	return len(slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !is(s) }))
}

func TestTraefikPorts(t *testing.T) {
	for _, tt := range []struct {
		name        string
		hostNetwork bool
		ports       map[string]int32
		pingHost    string
	}{
		{"host network", true, map[string]int32{"web": 80, "websecure": 443}, "127.0.0.1"},
		{"load balancer", false, map[string]int32{"web": 8000, "websecure": 8443}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			objects := built(t, traefik(tt.hostNetwork, Placement{On: OnAll}))
			container := containerOf(t, objects)
			at := slices.IndexFunc(container.Args, func(arg string) bool { return strings.HasPrefix(arg, "--ping.entrypoint=") })
			if at < 0 {
				t.Fatalf("ping has no entry point: %q", container.Args)
			}
			flags := []string{"--entrypoints." + strings.TrimPrefix(container.Args[at], "--ping.entrypoint=") + ".address=" + tt.pingHost + ":8080"}
			for _, port := range container.Ports {
				flags = append(flags, "--entrypoints."+port.Name+".address=:"+itoa(tt.ports[port.Name]))
				wantHost := int32(0)
				if tt.hostNetwork {
					wantHost = tt.ports[port.Name]
				}
				if port.ContainerPort != tt.ports[port.Name] || port.HostPort != wantHost {
					t.Errorf("port is %+v", port)
				}
			}
			if len(flags) != 3 {
				t.Errorf("%d ports, want 2", len(container.Ports))
			}
			for _, flag := range flags {
				if count(container.Args, func(arg string) bool { return arg == flag }) != 1 {
					t.Errorf("%s is not there once: %q", flag, container.Args)
				}
			}
			for _, probe := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe} {
				if get := probe.HTTPGet; get.Host != tt.pingHost || get.Port.IntVal != 8080 || get.Path != "/ping" {
					t.Errorf("a probe asks %+v, but ping listens on %q:8080", get, tt.pingHost)
				}
			}
			services := slices.ContainsFunc(objects, func(o map[string]any) bool { return o["kind"] == "Service" })
			if services == tt.hostNetwork {
				t.Errorf("there is a Service: %v", services)
			}
		})
	}
}

func TestApproverNodes(t *testing.T) {
	text := func(objects []map[string]any) string {
		for _, object := range objects {
			if data, err := mapAt(object, "data"); err == nil {
				nodes, _ := data["nodes.json"].(string)
				return nodes
			}
		}
		t.Fatal("there are no nodes")
		return ""
	}
	for _, nodes := range [][]ApproverNode{testNodes(), testNodes()[:1], nil} {
		var got []ApproverNode
		if err := json.Unmarshal([]byte(text(built(t, approver(nodes)))), &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, nodes) {
			t.Errorf("nodes are read as %+v, want %+v", got, nodes)
		}
	}
	for _, object := range built(t, approver(testNodes())) {
		w := workloadOf(t, object)
		if w == nil {
			continue
		}
		pod := w.Spec.Template.Spec
		if _, is := pod.NodeSelector[controlPlaneLabel]; !is || len(pod.Tolerations) != 1 || pod.Tolerations[0].Key != controlPlaneLabel {
			t.Errorf("the approver runs on %v and tolerates %v", pod.NodeSelector, pod.Tolerations)
		}
	}
	// The program reads the file for each request: other nodes restart nothing.
	all, one := built(t, approver(testNodes())), built(t, approver(testNodes()[:1]))
	for i, object := range all {
		if differ := !reflect.DeepEqual(object, one[i]); differ != (object["kind"] == "ConfigMap") {
			t.Errorf("%v: differs is %v with other nodes", object["kind"], differ)
		}
	}
}

func TestAddonsRefuse(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		build      func() ([]map[string]any, error)
	}{
		{"metrics-server without image", "write the objects of metrics-server: image is empty",
			func() ([]map[string]any, error) { return MetricsServer(MetricsServerOptions{InsecureTLS: true}) }},
		{"approver without image", "write the objects of kubelet-approver: image is empty",
			func() ([]map[string]any, error) { return ServingApprover(ApproverOptions{Nodes: testNodes()}) }},
		{"Traefik without image", "write the objects of ingress controller: image is empty",
			func() ([]map[string]any, error) { return Traefik(TraefikOptions{HostNetwork: true}) }},
		{"Traefik nowhere", `write the objects of ingress controller: placement "masters" is none of control-plane, workers, all`,
			traefik(true, Placement{On: "masters"})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			objects, err := tt.build()
			if err == nil || err.Error() != tt.want || objects != nil {
				t.Errorf("%d objects and error %v, want %s", len(objects), err, tt.want)
			}
		})
	}
}
