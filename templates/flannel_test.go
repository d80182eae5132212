package templates

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

func TestFlannel(t *testing.T) {
	for _, tt := range []struct {
		file string
		in   FlannelOptions
	}{
		{"flannel.yaml", FlannelOptions{PodSubnet: "10.244.0.0/16", Image: "ghcr.io/flannel-io/flannel:v0.28.7", APIServer: "192.0.2.11:6443"}},
		{"flannel-dual.yaml", FlannelOptions{PodSubnet: "10.244.0.0/16,fd00:1::/56", Image: "registry.lab:5000/flannel:v0.28.7", APIServer: "api.lab.example:8443"}},
		{"flannel-dual-ipv6-first.yaml", FlannelOptions{PodSubnet: "fd00:1::/56,10.244.0.0/16", Image: "registry.lab:5000/flannel:v0.28.7", APIServer: "[2001:db8::11]:6443"}},
		{"packages/flannel-plugin.yaml", FlannelOptions{
			PodSubnet: "10.244.0.0/16", Image: "ghcr.io/flannel-io/flannel:v0.28.7", PluginImage: "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel1", APIServer: "192.0.2.11:6443",
		}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			objects, err := Flannel(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			goldenObjects(t, tt.file, objects)
		})
	}
}

// goldenObjects compares objects with testdata/name, and each with its upstream type.
func goldenObjects(t *testing.T, name string, objects []map[string]any) {
	t.Helper()
	var text bytes.Buffer
	for _, object := range objects {
		doc, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n")
		text.Write(doc)
		checkCanonical(t, object)
		runtime.DeepCopyJSON(object) // panics on values that client-go does not take
	}
	golden(t, name, text.Bytes())
}

// checkCanonical reads an object strictly into its upstream type and back: what
// was written must come out again in the same form.
func checkCanonical(t *testing.T, object map[string]any) {
	t.Helper()
	kind, _ := object["kind"].(string)
	typed := map[string]any{
		"Namespace": &corev1.Namespace{}, "ServiceAccount": &corev1.ServiceAccount{}, "ConfigMap": &corev1.ConfigMap{},
		"ClusterRole": &rbacv1.ClusterRole{}, "ClusterRoleBinding": &rbacv1.ClusterRoleBinding{}, "DaemonSet": &appsv1.DaemonSet{},
		"RoleBinding": &rbacv1.RoleBinding{}, "Deployment": &appsv1.Deployment{}, "Service": &corev1.Service{},
		"IngressClass": &networkingv1.IngressClass{}, "APIService": &apiService{},
	}[kind]
	if typed == nil {
		t.Fatalf("unexpected kind %q", kind)
	}
	in, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(in, typed); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	out, err := json.Marshal(typed)
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeObject(string(out))
	if err != nil {
		t.Fatal(err)
	}
	subset(t, kind, object, back)
}

// subset reports every value of want that got has not.
func subset(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		for key, value := range want {
			subset(t, path+"."+key, value, g[key])
		}
	case []any:
		g, _ := got.([]any)
		if len(g) != len(want) {
			t.Errorf("%s has %d elements, want %d", path, len(g), len(want))
			return
		}
		for i := range want {
			subset(t, path+"[]", want[i], g[i])
		}
	default:
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s is written as %#v and comes back as %#v", path, want, got)
		}
	}
}

func TestFlannelConfigChangeRestartsPods(t *testing.T) {
	annotations := func(subnet string) any {
		objects, err := Flannel(FlannelOptions{PodSubnet: subnet, Image: "flannel:1", APIServer: "a:1"})
		if err != nil {
			t.Fatal(err)
		}
		metadata, err := mapAt(objects[len(objects)-1], "spec", "template", "metadata")
		if err != nil {
			t.Fatal(err)
		}
		return metadata["annotations"]
	}
	if a, b := annotations("10.244.0.0/16"), annotations("10.200.0.0/16"); a == nil || reflect.DeepEqual(a, b) {
		t.Errorf("annotations are %v and %v", a, b)
	}
	if a, b := annotations("10.244.0.0/16"), annotations("10.244.0.0/16"); !reflect.DeepEqual(a, b) {
		t.Errorf("annotations are %v and %v", a, b)
	}
}

func TestFlannelRefuses(t *testing.T) {
	for _, in := range []FlannelOptions{
		{PodSubnet: "", Image: "flannel:1", APIServer: "a:1"},
		{PodSubnet: "10.244.0.0", Image: "flannel:1", APIServer: "a:1"},
		{PodSubnet: "10.244.0.0/16,10.245.0.0/16", Image: "flannel:1", APIServer: "a:1"},
		{PodSubnet: "10.244.0.0/16"},
	} {
		if objects, err := Flannel(in); err == nil {
			t.Errorf("%+v gave %d objects", in, len(objects))
		}
	}
}

// The plugin is there before the configuration that names it: its container is the first one,
// has its own image, and puts the file where the runtime looks for it.
func TestFlannelPlugin(t *testing.T) {
	objects, err := Flannel(FlannelOptions{PodSubnet: "10.244.0.0/16", Image: "flannel:1", PluginImage: "plugin:2", APIServer: "a:1"})
	if err != nil {
		t.Fatal(err)
	}
	var set appsv1.DaemonSet
	text, err := yaml.Marshal(objects[len(objects)-1])
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &set); err != nil {
		t.Fatal(err)
	}
	pod := set.Spec.Template.Spec
	if len(pod.InitContainers) < 2 {
		t.Fatalf("init containers are %+v", pod.InitContainers)
	}
	first := pod.InitContainers[0]
	if first.Image != "plugin:2" || !reflect.DeepEqual(append(first.Command, first.Args...), []string{"cp", "-f", "/flannel", "/opt/cni/bin/flannel"}) {
		t.Errorf("the first init container is %+v", first)
	}
	if len(first.VolumeMounts) != 1 || first.VolumeMounts[0].MountPath != "/opt/cni/bin" || len(first.Env) > 0 {
		t.Errorf("the first init container is %+v", first)
	}
	for _, volume := range pod.Volumes {
		if volume.Name == first.VolumeMounts[0].Name && volume.HostPath != nil && volume.HostPath.Path == "/opt/cni/bin" {
			return
		}
	}
	t.Errorf("volumes are %+v", pod.Volumes)
}
