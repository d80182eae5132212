package kube

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Addon is an add-on that `kubeadm init` installs unless its configuration disables it.
type Addon string

// kubeadm's add-ons.
const (
	CoreDNS   Addon = "coredns"
	KubeProxy Addon = "kube-proxy"
)

// InitComplete returns which of the objects that `kubeadm init` creates last do not exist, in
// the form "Kind namespace/name"; none means that it ran to its end. disabled names the
// add-ons that are not expected.
func (c *Client) InitComplete(ctx context.Context, disabled ...Addon) (missing []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	configMap := func(namespace, name string) func() error {
		return func() error {
			_, err := c.clientset.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
			return err
		}
	}
	for i, object := range []struct {
		name  string
		addon Addon
		get   func() error
	}{
		{"ConfigMap kube-system/kubeadm-config", "", configMap(metav1.NamespaceSystem, "kubeadm-config")},
		{"ConfigMap kube-system/kubelet-config", "", configMap(metav1.NamespaceSystem, "kubelet-config")},
		{"ConfigMap kube-public/cluster-info", "", configMap(metav1.NamespacePublic, "cluster-info")},
		{"ClusterRoleBinding kubeadm:cluster-admins", "", func() error {
			_, err := c.clientset.RbacV1().ClusterRoleBindings().Get(ctx, "kubeadm:cluster-admins", metav1.GetOptions{})
			return err
		}},
		{"Deployment kube-system/coredns", CoreDNS, func() error {
			_, err := c.clientset.AppsV1().Deployments(metav1.NamespaceSystem).Get(ctx, string(CoreDNS), metav1.GetOptions{})
			return err
		}},
		{"DaemonSet kube-system/kube-proxy", KubeProxy, func() error {
			_, err := c.clientset.AppsV1().DaemonSets(metav1.NamespaceSystem).Get(ctx, string(KubeProxy), metav1.GetOptions{})
			return err
		}},
	} {
		if object.addon != "" && slices.Contains(disabled, object.addon) {
			continue
		}
		if err := object.get(); apierrors.IsNotFound(err) {
			missing = append(missing, object.name)
		} else if apierrors.IsForbidden(err) && i == 0 {
			return nil, fmt.Errorf("look for %s: %w: %w", object.name, ErrRefused, err)
		} else if err != nil {
			return nil, fmt.Errorf("look for %s: %w", object.name, err)
		}
	}
	return missing, nil
}
