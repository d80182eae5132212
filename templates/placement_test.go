package templates

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// podPaths says where each kind of workload has its pods.
func podPaths() map[string][]string {
	template := []string{"spec", "template", "spec"}
	return map[string][]string{
		"Deployment": template, "DaemonSet": template, "StatefulSet": template, "ReplicaSet": template,
		"ReplicationController": template, "Job": template,
		"CronJob":     {"spec", "jobTemplate", "spec", "template", "spec"},
		"Pod":         {"spec"},
		"PodTemplate": {"template", "spec"},
	}
}

// workload is an object of a kind with the pods, and with things beside them.
func workload(t *testing.T, kind, pod string) map[string]any {
	t.Helper()
	object := decoded(t, pod)
	for _, key := range slices.Backward(podPaths()[kind]) {
		object = map[string]any{key: object, "other": map[string]any{"hostNetwork": "untouched"}}
	}
	object["kind"], object["apiVersion"] = kind, "example/v1"
	return object
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	object, err := decodeObject(text)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func wantSame(t *testing.T, got, want map[string]any) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	texts := make([]string, 2)
	for i, object := range []map[string]any{got, want} {
		text, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	t.Errorf("got:\n%s\nwant:\n%s", texts[0], texts[1])
}

// freesFirst is how pods on their hosts' ports are replaced.
const freesFirst = "type: RollingUpdate\nrollingUpdate: {maxSurge: 0, maxUnavailable: 1}\n"

func TestEditPodsOfEveryKind(t *testing.T) {
	const before = `
initContainers: [{name: wait, image: a, imagePullPolicy: Always}]
containers: [{name: web, image: b, ports: [{containerPort: 80}]}, {name: side, image: c}]
nodeSelector: {disk: ssd}
tolerations: [{key: gpu, operator: Exists}]
`
	const placed = `
initContainers: [{name: wait, image: a, imagePullPolicy: Never}]
containers: [{name: web, image: b, ports: [{containerPort: 80}], imagePullPolicy: Never}, {name: side, image: c, imagePullPolicy: Never}]
nodeSelector: {disk: ssd, node-role.kubernetes.io/control-plane: ""}
tolerations: [{key: gpu, operator: Exists}, {key: node-role.kubernetes.io/control-plane, operator: Exists, effect: NoSchedule}]
`
	edits := PodEdits{HostNetwork: true, Placement: Placement{On: OnControlPlane}, ImagePullPolicy: "Never"}
	for _, kind := range slices.Sorted(maps.Keys(podPaths())) {
		t.Run(kind, func(t *testing.T) {
			after := placed + "hostNetwork: true\ndnsPolicy: ClusterFirstWithHostNet\n"
			if kind == "Job" || kind == "CronJob" {
				after = placed
			}
			got, want := workload(t, kind, before), workload(t, kind, after)
			if kind == "Deployment" {
				want["spec"].(map[string]any)["strategy"] = decoded(t, freesFirst)
			}
			for range 2 { // twice is once
				if err := EditPods(got, edits); err != nil {
					t.Fatal(err)
				}
				wantSame(t, got, want)
			}
			untouched := workload(t, kind, before)
			if err := EditPods(untouched, PodEdits{}); err != nil {
				t.Fatal(err)
			}
			wantSame(t, untouched, workload(t, kind, before))
		})
	}
}

func TestEditPodsHostNetwork(t *testing.T) {
	const edited = "hostNetwork: true\ndnsPolicy: ClusterFirstWithHostNet\n"
	for name, tt := range map[string]struct{ before, added string }{
		"listens":             {"containers: [{name: a, ports: [{containerPort: 80}]}]\n", edited},
		"second one listens":  {"containers: [{name: a}, {name: b, ports: [{containerPort: 80}]}]\n", edited},
		"sidecar listens":     {"initContainers: [{name: b, restartPolicy: Always, ports: [{containerPort: 80}]}]\ncontainers: [{name: a}]\n", edited},
		"no ports":            {"containers: [{name: a}]\n", ""},
		"empty list of ports": {"containers: [{name: a, ports: []}]\n", ""},
		"no ports, own DNS":   {"containers: [{name: a}]\ndnsPolicy: Default\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := workload(t, "Deployment", tt.before)
			if err := EditPods(got, PodEdits{HostNetwork: true}); err != nil {
				t.Fatal(err)
			}
			want := workload(t, "Deployment", tt.before+tt.added)
			if tt.added != "" {
				want["spec"].(map[string]any)["strategy"] = decoded(t, freesFirst)
			}
			wantSame(t, got, want)
		})
	}
	// What the cluster's DNS resolves must stay so: the default would become the host's DNS.
	got := workload(t, "Pod", "containers: [{name: a, ports: [{containerPort: 80}]}]\ndnsPolicy: ClusterFirst\n")
	if err := EditPods(got, PodEdits{HostNetwork: true}); err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, workload(t, "Pod", "containers: [{name: a, ports: [{containerPort: 80}]}]\n"+edited))
}

func TestEditPodsLeavesOthers(t *testing.T) {
	const pod = "template: {spec: {containers: [{name: a, image: b, ports: [{containerPort: 80}]}]}}"
	for name, text := range map[string]string{
		"ConfigMap":           "kind: ConfigMap\ndata: {spec: text}",
		"Service":             "kind: Service\nspec: {ports: [{port: 80}], selector: {app: a}}",
		"unknown kind":        "kind: Rollout\nspec: {" + pod + "}",
		"no kind":             "spec: {" + pod + "}",
		"kind is a number":    "kind: 5\nspec: {" + pod + "}",
		"no spec":             "kind: Deployment",
		"no template":         "kind: Deployment\nspec: {replicas: 1}",
		"spec is null":        "kind: DaemonSet\nspec: null",
		"pods are a list":     "kind: StatefulSet\nspec: {template: {spec: [a]}}",
		"CronJob like a Job":  "kind: CronJob\nspec: {" + pod + "}",
		"Pod with a template": "kind: Pod\n" + pod,
	} {
		t.Run(name, func(t *testing.T) {
			got := decoded(t, text)
			edits := PodEdits{HostNetwork: true, Placement: Placement{On: "nowhere"}, ImagePullPolicy: "Never"}
			if err := EditPods(got, edits); err != nil {
				t.Fatal(err)
			}
			wantSame(t, got, decoded(t, text))
		})
	}
}

const (
	noControlPlane = "{key: node-role.kubernetes.io/control-plane, operator: DoesNotExist}"
	onControlPlane = "{key: node-role.kubernetes.io/control-plane, operator: Exists}"
)

// requiring is a node affinity of terms.
func requiring(terms string) string {
	return "affinity: {podAntiAffinity: {}, nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [" + terms + "]}}}\n"
}

func TestPlace(t *testing.T) {
	const (
		toleration = "{key: node-role.kubernetes.io/control-plane, operator: Exists, effect: NoSchedule}"
		tolerates  = "tolerations: [" + toleration + "]\n"
		selected   = "nodeSelector: {node-role.kubernetes.io/control-plane: ''}\n"
		affinity   = "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}\n"
		workers    = `affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [
{key: node-role.kubernetes.io/control-plane, operator: DoesNotExist}]}]}}}
`
	)
	ssd := map[string]string{"disk": "ssd", "zone": "a"}
	for _, tt := range []struct {
		name          string
		placement     Placement
		before, after string
	}{
		{"nothing said", Placement{}, "nodeSelector: null\n", "nodeSelector: null\n"},
		{"nothing said, empty selector", Placement{NodeSelector: map[string]string{}}, affinity, affinity},
		{"control planes", Placement{On: OnControlPlane}, "", selected + tolerates},
		{"control planes, no selector", Placement{On: OnControlPlane}, "nodeSelector: null\ntolerations: null\n", selected + tolerates},
		{"control planes with labels", Placement{On: OnControlPlane, NodeSelector: ssd}, "",
			"nodeSelector: {node-role.kubernetes.io/control-plane: '', disk: ssd, zone: a}\n" + tolerates},
		{"control planes, affinity kept", Placement{On: OnControlPlane}, affinity, affinity + selected + tolerates},
		{"all", Placement{On: OnAll}, "", tolerates},
		{"all, selector kept", Placement{On: OnAll}, "nodeSelector: {gpu: a}\n", "nodeSelector: {gpu: a}\n" + tolerates},
		{"workers", Placement{On: OnWorkers}, "", workers},
		{"workers with labels", Placement{On: OnWorkers, NodeSelector: ssd}, "", workers + "nodeSelector: {disk: ssd, zone: a}\n"},
		{"workers, others kept", Placement{On: OnWorkers}, "nodeSelector: {gpu: a}\n" + tolerates, "nodeSelector: {gpu: a}\n" + workers + tolerates},
		{"labels", Placement{NodeSelector: ssd}, "", "nodeSelector: {disk: ssd, zone: a}\n" + tolerates},
		{"labels beside labels", Placement{NodeSelector: ssd}, "nodeSelector: {gpu: a, disk: hdd}\n",
			"nodeSelector: {gpu: a, disk: ssd, zone: a}\n" + tolerates},
		{"tolerated already", Placement{On: OnAll}, tolerates, tolerates},
		{"tolerated with every effect", Placement{On: OnAll}, "tolerations: [{key: node-role.kubernetes.io/control-plane, operator: Exists}]\n",
			"tolerations: [{key: node-role.kubernetes.io/control-plane, operator: Exists}]\n"},
		{"everything tolerated", Placement{On: OnAll}, "tolerations: [{operator: Exists}]\n", "tolerations: [{operator: Exists}]\n"},
		{"another effect tolerated", Placement{On: OnAll}, "tolerations: [{operator: Exists, effect: NoExecute}]\n",
			"tolerations: [{operator: Exists, effect: NoExecute}, " + toleration + "]\n"},
		{"workers, own affinity", Placement{On: OnWorkers}, requiring("{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [linux]}]}"),
			requiring("{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [linux]}, " + noControlPlane + "]}")},
		{"workers, every term of it", Placement{On: OnWorkers},
			requiring("{matchExpressions: [{key: a, operator: Exists}]}, {matchFields: [{key: metadata.name, operator: In, values: [w1]}]}, {matchExpressions: [" + noControlPlane + "]}, {}"),
			requiring("{matchExpressions: [{key: a, operator: Exists}, " + noControlPlane + "]}, {matchFields: [{key: metadata.name, operator: In, values: [w1]}], matchExpressions: [" +
				noControlPlane + "]}, {matchExpressions: [" + noControlPlane + "]}, {}")},
		{"workers, an alternative that cannot be", Placement{On: OnWorkers},
			requiring("{matchExpressions: [" + onControlPlane + "]}, {matchExpressions: [{key: a, operator: Exists}]}"),
			requiring("{matchExpressions: [" + onControlPlane + ", " + noControlPlane + "]}, {matchExpressions: [{key: a, operator: Exists}, " + noControlPlane + "]}")},
		{"control planes, own affinity", Placement{On: OnControlPlane}, requiring("{matchExpressions: [" + onControlPlane + "]}"), requiring("{matchExpressions: ["+onControlPlane+"]}") + selected + tolerates},
		{"workers, empty affinity", Placement{On: OnWorkers}, "affinity: {}\n", workers},
		{"others tolerated", Placement{On: OnAll}, "tolerations: [{key: gpu, operator: Exists}, {key: a, value: b}]\n",
			"tolerations: [{key: gpu, operator: Exists}, {key: a, value: b}, " + toleration + "]\n"},
		{"another value tolerated", Placement{On: OnAll}, "tolerations: [{key: node-role.kubernetes.io/control-plane, operator: Equal, value: b}]\n",
			"tolerations: [{key: node-role.kubernetes.io/control-plane, operator: Equal, value: b}, " + toleration + "]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := podSpec(t, tt.before)
			if err := Place(got, tt.placement); err != nil {
				t.Fatal(err)
			}
			wantSame(t, got, podSpec(t, tt.after))
			if err := Place(got, tt.placement); err != nil {
				t.Fatal(err)
			}
			wantSame(t, got, podSpec(t, tt.after))
		})
	}
	if len(ssd) != 2 {
		t.Errorf("the caller's labels are now %v", ssd)
	}
}

func podSpec(t *testing.T, text string) map[string]any {
	t.Helper()
	return decoded(t, "containers: [{name: a}]\n"+text)
}

func TestPlaceRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, before, want string
		placement          Placement
	}{
		{"unknown", "", `placement "masters" is none of control-plane, workers, all`, Placement{On: "masters"}},
		{"unknown with labels", "nodeSelector: {gpu: a}\n", "is none of", Placement{On: "Workers", NodeSelector: map[string]string{"disk": "ssd"}}},
		{"workers against an affinity", "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}\n",
			"an affinity without nodeSelectorTerms", Placement{On: OnWorkers, NodeSelector: map[string]string{"disk": "ssd"}}},
		{"workers against control planes", requiring("{matchExpressions: [" + onControlPlane + "]}, {}"), "require control planes by node-role", Placement{On: OnWorkers}},
		{"workers against a selector", "nodeSelector: {node-role.kubernetes.io/control-plane: ''}\n", "select control planes by node-role", Placement{On: OnWorkers}},
		{"control planes against workers", requiring("{matchExpressions: [" + noControlPlane + "]}"), "keep off control planes by their own node affinity", Placement{On: OnControlPlane}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pod := podSpec(t, tt.before)
			if err := Place(pod, tt.placement); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %s", err, tt.want)
			}
			wantSame(t, pod, podSpec(t, tt.before))
			object := workload(t, "DaemonSet", "containers: [{name: a}]\n"+tt.before)
			if err := EditPods(object, PodEdits{Placement: tt.placement}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %s", err, tt.want)
			}
		})
	}
}

// The selector and the tolerations may be those of other pods, too.
func TestPlaceDoesNotChangeShared(t *testing.T) {
	selector := map[string]any{"gpu": "a"}
	tolerations := make([]any, 1, 2)
	tolerations[0] = map[string]any{"key": "gpu", "operator": "Exists"}
	one := map[string]any{"nodeSelector": selector, "tolerations": tolerations}
	if err := Place(one, Placement{On: OnControlPlane, NodeSelector: map[string]string{"disk": "ssd"}}); err != nil {
		t.Fatal(err)
	}
	expressions := make([]any, 1, 2)
	expressions[0] = map[string]any{"key": "a", "operator": "Exists"}
	term := map[string]any{"matchExpressions": expressions}
	two := map[string]any{"affinity": map[string]any{"nodeAffinity": map[string]any{requiredNodes: map[string]any{"nodeSelectorTerms": []any{term}}}}}
	if err := Place(two, Placement{On: OnWorkers}); err != nil {
		t.Fatal(err)
	}
	if len(term["matchExpressions"].([]any)) != 1 || expressions[:2][1] != nil {
		t.Errorf("the term is now %v", term)
	}
	if !reflect.DeepEqual(selector, map[string]any{"gpu": "a"}) || tolerations[:2][1] != nil {
		t.Errorf("selector is now %v, tolerations are %v", selector, tolerations[:2])
	}
}
