package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ForgetNode deletes a node with all that stands for it: the pods that are bound to it, which no kubelet ends any more, its Lease,
// and its undecided requests for certificates. kubeadm finds etcd members by the mirror pods of control planes, and counts versions
// by them, so these must not outlive their node. What is not there is fine.
func (c *Client) ForgetNode(ctx context.Context, name string) error {
	if err := c.DeleteNode(ctx, name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	lease := c.clientset.CoordinationV1().Leases(corev1.NamespaceNodeLease).Delete(ctx, name, metav1.DeleteOptions{})
	errs := []error{absentIsFine(lease, "delete the Lease of node "+name)}
	pods, err := c.podsOn(ctx, name)
	errs = append(errs, err)
	for i := range pods {
		errs = append(errs, c.drop(ctx, &pods[i]))
	}
	return errors.Join(append(errs, c.dropRequests(ctx, name))...)
}

// drop deletes a pod at once: nobody is there to end it.
func (c *Client) drop(ctx context.Context, pod *corev1.Pod) error {
	now := int64(0)
	err := c.clientset.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
	})
	if apierrors.IsConflict(err) {
		return nil // another one has its name by now
	}
	return absentIsFine(err, fmt.Sprintf("delete pod %s/%s", pod.Namespace, pod.Name))
}

// dropRequests deletes the requests for certificates of a node that nobody has decided on.
func (c *Client) dropRequests(ctx context.Context, node string) error {
	requests := c.clientset.CertificatesV1().CertificateSigningRequests()
	list, err := requests.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list certificate signing requests: %w", err)
	}
	var errs []error
	for _, request := range list.Items {
		if strings.TrimPrefix(request.Spec.Username, nodeUserPrefix) != node || len(request.Status.Conditions) > 0 {
			continue
		}
		err := requests.Delete(ctx, request.Name, metav1.DeleteOptions{})
		errs = append(errs, absentIsFine(err, "delete certificate signing request "+request.Name))
	}
	return errors.Join(errs...)
}

// podsOn are the pods that are bound to a node, in the order of their names.
func (c *Client) podsOn(ctx context.Context, node string) ([]corev1.Pod, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	list, err := c.clientset.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + node})
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	pods := slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return pod.Spec.NodeName != node })
	slices.SortFunc(pods, func(a, b corev1.Pod) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return pods, nil
}

func absentIsFine(err error, what string) error {
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// WaitDetached waits until nothing of a node runs and no volume is attached to it: its pods are gone, but for those of the host
// itself and of DaemonSets, and so are its VolumeAttachments. That is what the out-of-service taint brings about.
func (c *Client) WaitDetached(ctx context.Context, node string, report func(reason string)) error {
	w := &waiting{what: "wait until all is detached from node " + node, report: report}
	return c.wait(ctx, w, func(ctx context.Context) (bool, error) {
		left, err := c.attached(ctx, node)
		if err != nil || len(left) == 0 {
			return err == nil, err
		}
		w.note("still there: " + several(left))
		return false, nil
	})
}

// attached are the pods and the attachments of volumes that a node still has.
func (c *Client) attached(ctx context.Context, node string) ([]string, error) {
	pods, err := c.podsOn(ctx, node)
	if err != nil {
		return nil, err
	}
	var left []string
	for i := range pods {
		if !stays(&pods[i]) {
			left = append(left, "pod "+pods[i].Namespace+"/"+pods[i].Name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	attachments, err := c.clientset.StorageV1().VolumeAttachments().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list volume attachments: %w", err)
	}
	for _, attachment := range attachments.Items {
		if attachment.Spec.NodeName == node {
			left = append(left, "VolumeAttachment "+attachment.Name)
		}
	}
	return left, nil
}

// several are as many names as a report holds.
func several(names []string) string {
	if len(names) > podsNamed {
		names = append(slices.Clone(names[:podsNamed]), "…")
	}
	return strings.Join(names, ", ")
}
