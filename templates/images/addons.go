package images

// addonImages are the repositories of images that published manifests of add-ons name
// outside of pods' image fields: in an argument, an environment variable or a value of a
// ConfigMap. There they are as much images as in a pod, whatever their version.
func addonImages() []struct {
	addon, where string
	repositories []string
} {
	return []struct {
		addon, where string
		repositories []string
	}{
		{"cert-manager", "--acme-http01-solver-image", []string{"quay.io/jetstack/cert-manager-acmesolver"}},
		{"prometheus-operator", "--prometheus-config-reloader, RELATED_IMAGE_*", []string{
			"quay.io/prometheus-operator/prometheus-config-reloader",
			"quay.io/prometheus/prometheus", "quay.io/prometheus/alertmanager", "quay.io/thanos/thanos",
		}},
		{"longhorn", "--*-image in the manager's command, CSI_*_IMAGE", []string{
			"docker.io/longhornio/backing-image-manager", "docker.io/longhornio/longhorn-engine",
			"docker.io/longhornio/longhorn-instance-manager", "docker.io/longhornio/longhorn-manager",
			"docker.io/longhornio/longhorn-share-manager", "docker.io/longhornio/support-bundle-kit",
			"docker.io/longhornio/csi-attacher", "docker.io/longhornio/csi-provisioner", "docker.io/longhornio/csi-resizer",
			"docker.io/longhornio/csi-snapshotter", "docker.io/longhornio/csi-node-driver-registrar", "docker.io/longhornio/livenessprobe",
		}},
		{"rook", "ROOK_CSI_*_IMAGE in ConfigMap rook-ceph-operator-config", []string{
			"quay.io/cephcsi/cephcsi", "registry.k8s.io/sig-storage/csi-node-driver-registrar",
			"registry.k8s.io/sig-storage/csi-resizer", "registry.k8s.io/sig-storage/csi-provisioner",
			"registry.k8s.io/sig-storage/csi-attacher", "registry.k8s.io/sig-storage/csi-snapshotter",
		}},
		{"knative", "queue-sidecar-image in ConfigMap config-deployment", []string{"gcr.io/knative-releases/knative.dev/serving/cmd/queue"}},
	}
}
