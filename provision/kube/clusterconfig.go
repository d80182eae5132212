package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ClusterConfiguration returns the document of that name that kubeadm keeps in the cluster, as it stands there; nil when the
// cluster has none, as one that is not kubeadm's.
func (c *Client) ClusterConfiguration(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	kept, err := c.clientset.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, "kubeadm-config", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ConfigMap kube-system/kubeadm-config: %w", err)
	}
	return []byte(kept.Data["ClusterConfiguration"]), nil
}
