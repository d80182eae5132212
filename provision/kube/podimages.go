package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PodImage is an image that a container of a pod uses.
type PodImage struct {
	Pod   string // NAMESPACE/NAME
	Node  string
	Image string // as the pod names it
	// ID is what the runtime runs, with its digest; empty until the container has started.
	ID string
}

// PodImages lists the images of all containers of all pods.
func (c *Client) PodImages(ctx context.Context) ([]PodImage, error) {
	pods, err := c.clientset.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	var images []PodImage
	for _, pod := range pods.Items {
		ids := map[string]string{}
		for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses} {
			for _, status := range statuses {
				ids[status.Name] = status.ImageID
			}
		}
		add := func(container, image string) {
			images = append(images, PodImage{Pod: pod.Namespace + "/" + pod.Name, Node: pod.Spec.NodeName, Image: image, ID: ids[container]})
		}
		for _, container := range pod.Spec.InitContainers {
			add(container.Name, container.Image)
		}
		for _, container := range pod.Spec.Containers {
			add(container.Name, container.Image)
		}
		for _, container := range pod.Spec.EphemeralContainers {
			add(container.Name, container.Image)
		}
	}
	return images, nil
}
