package kube

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/provision/object"

	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"
)

func request(name, user string, decided bool) *certificatesv1.CertificateSigningRequest {
	r := &certificatesv1.CertificateSigningRequest{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: certificatesv1.CertificateSigningRequestSpec{Username: user}}
	if decided {
		r.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.CertificateApproved}}
	}
	return r
}

// With a node goes all that stands for it, and nothing of others; a second time changes nothing.
func TestForgetNode(t *testing.T) {
	lease := func(name string) *coordinationv1.Lease {
		return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: corev1.NamespaceNodeLease, Name: name}}
	}
	mirror := func(p *corev1.Pod) { p.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "x"} }
	client, clientset := fakeClient(
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "cp1"}}, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "cp2"}}, lease("cp1"), lease("cp2"),
		pod("etcd-cp1", "cp1", mirror), pod("agent", "cp1", controlledBy("DaemonSet")), pod("etcd-cp2", "cp2", mirror),
		request("open", "system:node:cp1", false), request("decided", "system:node:cp1", true), request("other", "system:node:cp2", false), request("joining", "system:bootstrap:abcdef", false),
	)
	for range 2 {
		if err := client.ForgetNode(t.Context(), "cp1"); err != nil {
			t.Fatal(err)
		}
	}
	var left []string
	nodes, _ := clientset.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	for _, n := range nodes.Items {
		left = append(left, "node "+n.Name)
	}
	leases, _ := clientset.CoordinationV1().Leases(corev1.NamespaceNodeLease).List(t.Context(), metav1.ListOptions{})
	for _, l := range leases.Items {
		left = append(left, "lease "+l.Name)
	}
	pods, _ := clientset.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	for _, p := range pods.Items {
		left = append(left, "pod "+p.Name)
	}
	requests, _ := clientset.CertificatesV1().CertificateSigningRequests().List(t.Context(), metav1.ListOptions{})
	for _, r := range requests.Items {
		left = append(left, "request "+r.Name)
	}
	slices.Sort(left)
	if want := []string{"lease cp2", "node cp2", "pod etcd-cp2", "request decided", "request joining", "request other"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
}

// What is lost is what lies on the node alone.
func TestLoad(t *testing.T) {
	scratch := func(medium corev1.StorageMedium) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			controlledBy("ReplicaSet")(p)
			p.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: medium}}}}
		}
	}
	volume := func(name string, claim string, terms ...corev1.NodeSelectorTerm) *corev1.PersistentVolume {
		v := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if len(terms) > 0 {
			v.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: terms}}
		}
		if claim != "" {
			v.Spec.ClaimRef = &corev1.ObjectReference{Namespace: "app", Name: claim}
		}
		return v
	}
	on := func(key string, values ...string) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: corev1.NodeSelectorOpIn, Values: values}}}
	}
	field := corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{"w1"}}}}
	client, _ := fakeClient(
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "w1", Labels: map[string]string{corev1.LabelHostname: "host1"}}},
		pod("bare", "w1", nil), pod("cache", "w1", scratch("")), pod("memory", "w1", scratch(corev1.StorageMediumMemory)), pod("agent", "w1", controlledBy("DaemonSet")),
		pod("over", "w1", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }), pod("elsewhere", "w2", nil),
		volume("by-label", "db", on(corev1.LabelHostname, "host1")), volume("by-name", "", field), volume("other-host", "", on(corev1.LabelHostname, "host2")),
		volume("two-hosts", "", on(corev1.LabelHostname, "host1", "host2")), volume("either", "", on(corev1.LabelHostname, "host1"), on(corev1.LabelHostname, "host2")),
		volume("zone", "", on(corev1.LabelTopologyZone, "a")), volume("anywhere", ""),
	)
	load, err := client.Load(t.Context(), "w1")
	if err != nil || !slices.Equal(load.Bare, []string{"app/bare"}) || !slices.Equal(load.LocalData, []string{"app/cache (scratch)"}) || !slices.Equal(load.Volumes, []string{"by-label (claim app/db)", "by-name"}) {
		t.Errorf("%+v, %v", load, err)
	}
	if load, err := client.Load(t.Context(), "w9"); err != nil || !load.Empty() {
		t.Errorf("of no node: %+v, %v", load, err)
	}
}

// A mark stays as it was made, lives beside others and goes alone.
func TestMarksOfRemovedNodes(t *testing.T) {
	client, clientset := fakeClient()
	since := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	if all, err := client.Removed(t.Context()); len(all) > 0 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
	if err := client.ForgetRemoved(t.Context(), "cp1"); err != nil {
		t.Error(err)
	}
	first := object.Removed{Node: "cp1", Address: "192.0.2.11", MachineID: "abc", Member: "255", Since: since}
	for _, mark := range []object.Removed{first, {Node: "w1", Since: since}, {Node: "cp1", Since: since.Add(time.Hour)}} {
		if err := client.MarkRemoved(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
	}
	all, err := client.Removed(t.Context())
	if err != nil || len(all) != 2 || all["cp1"] != first {
		t.Errorf("%+v, %v", all, err)
	}
	if err := client.ForgetRemoved(t.Context(), "w1"); err != nil {
		t.Error(err)
	}
	record, err := clientset.CoreV1().ConfigMaps("kube-system").Get(t.Context(), object.RemovedRecord, metav1.GetOptions{})
	if err != nil || len(record.Data) != 1 {
		t.Errorf("%v, %v", record, err)
	}
	record.Data["w2"] = "{"
	if _, err := clientset.CoreV1().ConfigMaps("kube-system").Update(t.Context(), record, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if all, err := client.Removed(t.Context()); err != nil || all["w2"].Node != "w2" {
		t.Errorf("one that cannot be read is none: %+v, %v", all, err)
	}
}

// A machine that is off has nothing once its pods and its attachments of volumes are gone; what is left is told.
func TestWaitDetached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, clientset := fakeClient(pod("web", "w1", nil), pod("agent", "w1", controlledBy("DaemonSet")),
			&storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: "csi-1"}, Spec: storagev1.VolumeAttachmentSpec{NodeName: "w1"}},
			&storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: "csi-2"}, Spec: storagev1.VolumeAttachmentSpec{NodeName: "w2"}})
		client.retry = retryInterval
		var reasons []string
		err := client.WaitDetached(t.Context(), "w1", func(reason string) {
			switch reasons = append(reasons, reason); len(reasons) {
			case 1:
				_ = clientset.CoreV1().Pods("app").Delete(t.Context(), "web", metav1.DeleteOptions{})
			case 2:
				_ = clientset.StorageV1().VolumeAttachments().Delete(t.Context(), "csi-1", metav1.DeleteOptions{})
			}
		})
		if want := "still there: pod app/web, VolumeAttachment csi-1; still there: VolumeAttachment csi-1"; err != nil || strings.Join(reasons, "; ") != want {
			t.Errorf("%v, %q", err, reasons)
		}
	})
	client, clientset := fakeClient()
	clientset.PrependReactor("list", "pods", func(k8stesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(podResource, "", errors.New("no"))
	})
	if err := client.WaitDetached(t.Context(), "w1", nil); !apierrors.IsForbidden(err) {
		t.Errorf("%v", err)
	}
}
