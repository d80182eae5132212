package templates

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Values of Placement.On.
const (
	OnControlPlane = "control-plane"
	OnWorkers      = "workers"
	OnAll          = "all"
)

const controlPlaneLabel = "node-role.kubernetes.io/control-plane"

// Placement says on which nodes pods run. The zero value says nothing.
type Placement struct {
	On           string
	NodeSelector map[string]string
}

func (p Placement) zero() bool { return p.On == "" && len(p.NodeSelector) == 0 }

// Place makes a pod's specification one that runs where the placement says: with the
// selector or the affinity, and the toleration of the control planes' taint where they
// are meant.
func Place(pod map[string]any, p Placement) error {
	if p.zero() {
		return nil
	}
	selector, _ := pod["nodeSelector"].(map[string]any)
	selector = maps.Clone(selector)
	if selector == nil {
		selector = map[string]any{}
	}
	switch p.On {
	case OnControlPlane:
		if requiresWorkers(pod) {
			return errors.New("the pods keep off control planes by their own node affinity, and placement control-plane: remove one of the two")
		}
		selector[controlPlaneLabel] = ""
	case OnWorkers:
		if err := keepOffControlPlanes(pod); err != nil {
			return err
		}
	case OnAll, "":
	default:
		return fmt.Errorf("placement %q is none of %s, %s, %s", p.On, OnControlPlane, OnWorkers, OnAll)
	}
	for key, value := range p.NodeSelector {
		selector[key] = value
	}
	if len(selector) > 0 {
		pod["nodeSelector"] = selector
	}
	if p.On != OnWorkers {
		tolerateControlPlane(pod)
	}
	return nil
}

func tolerateControlPlane(pod map[string]any) {
	tolerations, _ := pod["tolerations"].([]any)
	has := slices.ContainsFunc(tolerations, func(t any) bool {
		fields, _ := t.(map[string]any)
		key, _ := fields["key"].(string)
		effect, _ := fields["effect"].(string)
		return fields["operator"] == "Exists" && (key == controlPlaneLabel || key == "") && (effect == "" || effect == "NoSchedule")
	})
	if !has {
		pod["tolerations"] = append(slices.Clone(tolerations), map[string]any{
			"key": controlPlaneLabel, "operator": "Exists", "effect": "NoSchedule",
		})
	}
}

// PodEdits are the edits to published manifests that people make by hand.
type PodEdits struct {
	// HostNetwork puts pods that listen on ports into the host's network: those of
	// Deployments, DaemonSets and StatefulSets, and bare Pods, whose containers name ports.
	HostNetwork bool
	Placement   Placement
	// ImagePullPolicy is that of all containers; empty leaves theirs.
	ImagePullPolicy string
}

// EditPods makes the edits to an object if it is a workload. Jobs run wherever there is
// room: they are only given the policy and the placement.
func EditPods(object map[string]any, e PodEdits) error {
	pod := podOf(object)
	if pod == nil {
		return nil
	}
	kind, _ := object["kind"].(string)
	if e.HostNetwork && kind != "Job" && kind != "CronJob" && listens(pod) {
		pod["hostNetwork"] = true
		if policy, _ := pod["dnsPolicy"].(string); policy == "" || policy == "ClusterFirst" {
			pod["dnsPolicy"] = "ClusterFirstWithHostNet"
		}
		if err := freePortsFirst(object); err != nil {
			return err
		}
	}
	if e.ImagePullPolicy != "" {
		for _, container := range containersOf(pod) {
			container["imagePullPolicy"] = e.ImagePullPolicy
		}
	}
	return Place(pod, e.Placement)
}

// podOf is the pods' specification in a workload of the built-in kinds, nil in others.
func podOf(object map[string]any) map[string]any {
	kind, _ := object["kind"].(string)
	template := []string{"spec", "template", "spec"}
	path, known := map[string][]string{
		"Pod": {"spec"}, "PodTemplate": {"template", "spec"},
		"Deployment": template, "DaemonSet": template, "StatefulSet": template, "ReplicaSet": template,
		"ReplicationController": template, "Job": template,
		"CronJob": {"spec", "jobTemplate", "spec", "template", "spec"},
	}[kind]
	if !known {
		return nil
	}
	pod, err := mapAt(object, path...)
	if err != nil {
		return nil // the API server will say what is wrong with it
	}
	return pod
}

func containersOf(pod map[string]any) []map[string]any {
	var all []map[string]any
	for _, field := range []string{"initContainers", "containers"} {
		list, _ := pod[field].([]any)
		for _, element := range list {
			if container, ok := element.(map[string]any); ok {
				all = append(all, container)
			}
		}
	}
	return all
}
