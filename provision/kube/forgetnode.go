package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ForgetNode deletes the node of a host that is gone, and the objects of its static pods, which nobody else ends for a while: by them
// kubeadm finds the members of etcd and the API servers. What is not there is fine. All other pods of the node go by themselves.
func (c *Client) ForgetNode(ctx context.Context, name string) error {
	if err := c.DeleteNode(ctx, name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	pods, err := c.clientset.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + name})
	if err != nil {
		return fmt.Errorf("list pods of node %s: %w", name, err)
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if _, mirror := pod.Annotations[corev1.MirrorPodAnnotationKey]; !mirror || pod.Spec.NodeName != name {
			continue
		}
		options := metav1.DeleteOptions{GracePeriodSeconds: new(int64), Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}
		err := c.clientset.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, options)
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("delete pod %s/%s: %w", pod.Namespace, pod.Name, err)
		}
	}
	return nil
}
