package kube

import (
	"errors"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestInitComplete(t *testing.T) {
	system := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "kube-system", Name: name} }
	all := []runtime.Object{
		&corev1.ConfigMap{ObjectMeta: system("kubeadm-config")},
		&corev1.ConfigMap{ObjectMeta: system("kubelet-config")},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-public", Name: "cluster-info"}},
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "kubeadm:cluster-admins"}},
		&appsv1.Deployment{ObjectMeta: system("coredns")},
		&appsv1.DaemonSet{ObjectMeta: system("kube-proxy")},
	}
	names := []string{
		"ConfigMap kube-system/kubeadm-config", "ConfigMap kube-system/kubelet-config", "ConfigMap kube-public/cluster-info",
		"ClusterRoleBinding kubeadm:cluster-admins", "Deployment kube-system/coredns", "DaemonSet kube-system/kube-proxy",
	}
	for i := range all {
		client, _ := fakeClient(slices.Delete(slices.Clone(all), i, i+1)...)
		if missing, err := client.InitComplete(t.Context()); err != nil || !slices.Equal(missing, names[i:i+1]) {
			t.Errorf("without %s: %q, %v", names[i], missing, err)
		}
	}
	whole, _ := fakeClient(all...)
	if missing, err := whole.InitComplete(t.Context()); err != nil || len(missing) != 0 {
		t.Errorf("complete: %q, %v", missing, err)
	}
	part, _ := fakeClient(all[:4]...)
	if missing, err := part.InitComplete(t.Context(), CoreDNS, KubeProxy); err != nil || len(missing) != 0 {
		t.Errorf("without add-ons: %q, %v", missing, err)
	}
	if missing, err := part.InitComplete(t.Context(), KubeProxy); err != nil || !slices.Equal(missing, names[4:5]) {
		t.Errorf("without kube-proxy: %q, %v", missing, err)
	}
	for resource, want := range map[string]struct {
		text string
		all  bool // what is asked for first is refused: so is the rest
	}{
		"clusterrolebindings": {"look for ClusterRoleBinding kubeadm:cluster-admins: ", false},
		"configmaps":          {"look for ConfigMap kube-system/kubeadm-config: ", true},
	} {
		client, clientset := fakeClient(all...)
		clientset.PrependReactor("get", resource, refuseWith(apierrors.NewForbidden(schema.GroupResource{}, "", nil)))
		missing, err := client.InitComplete(t.Context())
		if !apierrors.IsForbidden(err) || errors.Is(err, ErrRefused) != want.all || missing != nil || !strings.HasPrefix(err.Error(), want.text) {
			t.Errorf("%s forbidden: %q, %v", resource, missing, err)
		}
	}
}
