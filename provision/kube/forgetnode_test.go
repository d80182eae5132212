package kube

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Of the pods of a node that is forgotten only those go that nobody else ends, and none of other nodes.
func TestForgetNode(t *testing.T) {
	pod := func(name, node string, mirror bool) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "kube-system"}, Spec: corev1.PodSpec{NodeName: node}}
		if mirror {
			p.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "x"}
		}
		return p
	}
	client, clientset := fakeClient(readyNode("cp1", corev1.ConditionTrue, ""), readyNode("cp2", corev1.ConditionUnknown, ""),
		pod("etcd-cp1", "cp1", true), pod("etcd-cp2", "cp2", true), pod("kube-apiserver-cp2", "cp2", true), pod("coredns", "cp2", false))
	for range 2 {
		if err := client.ForgetNode(t.Context(), "cp2"); err != nil {
			t.Fatal(err)
		}
	}
	nodes, err := clientset.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 1 || nodes.Items[0].Name != "cp1" {
		t.Errorf("nodes are %v, %v", nodes.Items, err)
	}
	pods, err := clientset.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	var left []string
	for _, p := range pods.Items {
		left = append(left, p.Name)
	}
	if slices.Sort(left); err != nil || !slices.Equal(left, []string{"coredns", "etcd-cp1"}) {
		t.Errorf("left are %v, %v", left, err)
	}
}
