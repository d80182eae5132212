package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fairlead/provision/object"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Load is what is lost with a node: persistent volumes that can be used on it alone, what pods keep in emptyDir volumes, and pods
// that nothing makes again. What DaemonSets and the host itself run is not counted.
func (c *Client) Load(ctx context.Context, node string) (object.Load, error) {
	var load object.Load
	pods, err := c.podsOn(ctx, node)
	if err != nil {
		return load, err
	}
	for i := range pods {
		pod := &pods[i]
		if stays(pod) || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		name := pod.Namespace + "/" + pod.Name
		if metav1.GetControllerOf(pod) == nil {
			load.Bare = append(load.Bare, name)
		}
		if volumes := emptyDirs(pod); len(volumes) > 0 {
			load.LocalData = append(load.LocalData, fmt.Sprintf("%s (%s)", name, strings.Join(volumes, ", ")))
		}
	}
	load.Volumes, err = c.localVolumes(ctx, node)
	return load, err
}

// emptyDirs are the volumes of a pod whose data ends with it and lies on a disk.
func emptyDirs(pod *corev1.Pod) []string {
	var names []string
	for _, volume := range pod.Spec.Volumes {
		if volume.EmptyDir != nil && volume.EmptyDir.Medium == corev1.StorageMediumDefault {
			names = append(names, volume.Name)
		}
	}
	return names
}

// localVolumes are the persistent volumes that no other node can use.
func (c *Client) localVolumes(ctx context.Context, node string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	is, err := c.clientset.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return nil, absentIsFine(err, "get node "+node)
	}
	hostname := is.Labels[corev1.LabelHostname]
	list, err := c.clientset.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list persistent volumes: %w", err)
	}
	var names []string
	for i := range list.Items {
		volume := &list.Items[i]
		if !bound(volume, node, hostname) {
			continue
		}
		name := volume.Name
		if claim := volume.Spec.ClaimRef; claim != nil {
			name += fmt.Sprintf(" (claim %s/%s)", claim.Namespace, claim.Name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// bound says that every way in which a volume may be used leads to this one node.
func bound(volume *corev1.PersistentVolume, node, hostname string) bool {
	if volume.Spec.NodeAffinity == nil || volume.Spec.NodeAffinity.Required == nil {
		return false
	}
	terms := volume.Spec.NodeAffinity.Required.NodeSelectorTerms
	for _, term := range terms {
		names := func(r corev1.NodeSelectorRequirement) bool {
			return r.Operator == corev1.NodeSelectorOpIn && len(r.Values) == 1 &&
				(r.Key == corev1.LabelHostname && r.Values[0] == hostname || r.Key == metav1.ObjectNameField && r.Values[0] == node)
		}
		if !slices.ContainsFunc(term.MatchExpressions, names) && !slices.ContainsFunc(term.MatchFields, names) {
			return false
		}
	}
	return len(terms) > 0
}
