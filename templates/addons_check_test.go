package templates

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// apiService has the fields of kube-aggregator's type, which would be a module of its own.
type apiService struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Service struct {
			Namespace string `json:"namespace"`
			Name      string `json:"name"`
			Port      int32  `json:"port"`
		} `json:"service"`
		Group                 string `json:"group"`
		Version               string `json:"version"`
		InsecureSkipTLSVerify bool   `json:"insecureSkipTLSVerify,omitempty"`
		CABundle              []byte `json:"caBundle,omitempty"`
		GroupPriorityMinimum  int32  `json:"groupPriorityMinimum"`
		VersionPriority       int32  `json:"versionPriority"`
	} `json:"spec"`
}

func itoa(number int32) string { return strconv.Itoa(int(number)) }

// workloadObject is what Deployments and DaemonSets have in common.
type workloadObject struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Selector metav1.LabelSelector   `json:"selector"`
		Template corev1.PodTemplateSpec `json:"template"`
	} `json:"spec"`
}

// workloadOf is nil for other objects. It does not use podOf, which is tested by it.
func workloadOf(t *testing.T, object map[string]any) *workloadObject {
	t.Helper()
	if object["kind"] != "Deployment" && object["kind"] != "DaemonSet" {
		return nil
	}
	var w workloadObject
	typed(t, object, &w)
	return &w
}

func typed(t *testing.T, object map[string]any, into any) {
	t.Helper()
	text, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// containerOf is the only container of the only workload.
func containerOf(t *testing.T, objects []map[string]any) corev1.Container {
	t.Helper()
	for _, object := range objects {
		if w := workloadOf(t, object); w != nil && len(w.Spec.Template.Spec.Containers) == 1 {
			return w.Spec.Template.Spec.Containers[0]
		}
	}
	t.Fatal("there is no workload with one container")
	return corev1.Container{}
}

// checkPod checks a pod's image, its requests, and that its rights are the fewest.
func checkPod(t *testing.T, w *workloadObject, image string, root bool) {
	t.Helper()
	pod := w.Spec.Template.Spec
	if len(pod.InitContainers)+len(pod.EphemeralContainers) > 0 || pod.HostPID || pod.HostIPC || pod.HostNetwork != root {
		t.Errorf("pod is %+v", pod)
	}
	for _, volume := range pod.Volumes {
		if volume.HostPath != nil {
			t.Errorf("volume %s is a folder of the host", volume.Name)
		}
	}
	for _, c := range pod.Containers {
		if c.Image != image || c.ImagePullPolicy != corev1.PullIfNotPresent {
			t.Errorf("image of %s is %s (%s), want %s", c.Name, c.Image, c.ImagePullPolicy, image)
		}
		if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() {
			t.Errorf("%s requests %v", c.Name, c.Resources.Requests)
		}
		if c.LivenessProbe == nil || c.ReadinessProbe == nil {
			t.Errorf("%s has not both probes", c.Name)
		}
		checkRights(t, c, root)
	}
}

func checkRights(t *testing.T, c corev1.Container, root bool) {
	t.Helper()
	s := c.SecurityContext
	yes := func(b *bool) bool { return b != nil && *b }
	switch {
	case s == nil || s.Capabilities == nil || s.SeccompProfile == nil || s.RunAsUser == nil || s.AllowPrivilegeEscalation == nil:
		t.Fatalf("security of %s is incomplete: %+v", c.Name, s)
	case yes(s.Privileged), yes(s.AllowPrivilegeEscalation), !yes(s.ReadOnlyRootFilesystem),
		s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault, !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}):
		t.Errorf("security of %s is %+v", c.Name, s)
	}
	if root {
		if *s.RunAsUser != 0 || yes(s.RunAsNonRoot) || !slices.Equal(s.Capabilities.Add, []corev1.Capability{"NET_BIND_SERVICE"}) {
			t.Errorf("%s runs as %d with %v, want root with NET_BIND_SERVICE alone", c.Name, *s.RunAsUser, s.Capabilities)
		}
	} else if *s.RunAsUser == 0 || !yes(s.RunAsNonRoot) || len(s.Capabilities.Add) > 0 {
		t.Errorf("%s runs as %d with %v, want another user than root without capabilities", c.Name, *s.RunAsUser, s.Capabilities)
	}
}

// checkReferences checks that every object has its type and a name of its own, and that what
// objects name exists: before them where the order of creation matters.
func checkReferences(t *testing.T, objects []map[string]any) {
	t.Helper()
	clusterWide := []string{"Namespace", "ClusterRole", "ClusterRoleBinding", "IngressClass", "APIService"}
	known := map[string]bool{ // what every cluster has
		"Namespace /kube-system": true, "ClusterRole /system:auth-delegator": true,
		"Role kube-system/extension-apiserver-authentication-reader": true,
	}
	need := func(by, what string) {
		if !known[what] {
			t.Errorf("%s names %s, which is not there before it", by, what)
		}
	}
	for _, object := range objects {
		var o struct {
			metav1.TypeMeta   `json:",inline"`
			metav1.ObjectMeta `json:"metadata"`
			RoleRef           rbacv1.RoleRef   `json:"roleRef"`
			Subjects          []rbacv1.Subject `json:"subjects"`
		}
		typed(t, object, &o)
		key := o.Kind + " " + o.Namespace + "/" + o.Name
		if o.APIVersion == "" || o.Kind == "" || o.Name == "" || known[key] {
			t.Errorf("object is without type or name, or there are two of it: %s, %s", o.APIVersion, key)
		}
		if o.Namespace == "" != slices.Contains(clusterWide, o.Kind) {
			t.Errorf("%s: namespace is %q", key, o.Namespace)
		}
		if o.Namespace != "" {
			need(key, "Namespace /"+o.Namespace)
		}
		if strings.HasSuffix(o.Kind, "Binding") {
			role := o.RoleRef.Kind + " /" + o.RoleRef.Name
			if o.RoleRef.Kind == "Role" {
				role = "Role " + o.Namespace + "/" + o.RoleRef.Name
			}
			need(key, role)
			if len(o.Subjects) != 1 {
				t.Errorf("%s: %d subjects, want 1", key, len(o.Subjects))
			}
			for _, subject := range o.Subjects {
				need(key, subject.Kind+" "+subject.Namespace+"/"+subject.Name)
			}
		}
		if w := workloadOf(t, object); w != nil {
			need(key, "ServiceAccount "+o.Namespace+"/"+w.Spec.Template.Spec.ServiceAccountName)
			checkWorkload(t, w, need)
		}
		known[key] = true
	}
	checkServices(t, objects)
}

// checkWorkload checks what a workload names: its pods, its volumes and its ports.
func checkWorkload(t *testing.T, w *workloadObject, need func(by, what string)) {
	t.Helper()
	checkSelects(t, w.Name, w.Spec.Selector.MatchLabels, w)
	pod := w.Spec.Template.Spec
	volumes := map[string]bool{}
	for _, volume := range pod.Volumes {
		volumes[volume.Name] = true
		if volume.ConfigMap != nil {
			need(w.Name, "ConfigMap "+w.Namespace+"/"+volume.ConfigMap.Name)
		}
	}
	for _, c := range pod.Containers {
		for _, mount := range c.VolumeMounts {
			if !volumes[mount.Name] {
				t.Errorf("%s mounts %s, which is no volume", c.Name, mount.Name)
			}
		}
		for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe} {
			port := probe.HTTPGet.Port
			named := slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == port.StrVal })
			if port.StrVal != "" && !named {
				t.Errorf("%s is probed at port %s, which it has not", c.Name, port.StrVal)
			}
		}
	}
}

// checkServices checks that Services lead to a port of the workload, and APIServices to a Service.
func checkServices(t *testing.T, objects []map[string]any) {
	t.Helper()
	container := containerOf(t, objects)
	services := map[string]int32{}
	for _, object := range objects {
		switch object["kind"] {
		case "Service":
			var service corev1.Service
			typed(t, object, &service)
			for _, w := range objects {
				if workload := workloadOf(t, w); workload != nil {
					checkSelects(t, service.Name, service.Spec.Selector, workload)
				}
			}
			for _, port := range service.Spec.Ports {
				services[service.Namespace+"/"+service.Name] = port.Port
				if !slices.ContainsFunc(container.Ports, func(p corev1.ContainerPort) bool { return p.Name == port.TargetPort.StrVal }) {
					t.Errorf("Service %s leads to port %s, which the pods have not", service.Name, port.TargetPort.String())
				}
			}
		case "APIService":
			var api apiService
			typed(t, object, &api)
			to := api.Spec.Service
			if port := services[to.Namespace+"/"+to.Name]; port == 0 || port != to.Port {
				t.Errorf("APIService %s leads to %+v, which is not there before it", api.Name, to)
			}
			if api.Name != api.Spec.Version+"."+api.Spec.Group {
				t.Errorf("APIService %s is of %s.%s", api.Name, api.Spec.Version, api.Spec.Group)
			}
		}
	}
}

func checkSelects(t *testing.T, by string, selector map[string]string, w *workloadObject) {
	t.Helper()
	if len(selector) == 0 {
		t.Errorf("%s selects every pod", by)
	}
	for key, value := range selector {
		if w.Spec.Template.Labels[key] != value {
			t.Errorf("%s selects %s=%s, which pods of %s have not", by, key, value, w.Name)
		}
	}
}
