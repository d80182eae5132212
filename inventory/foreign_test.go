package inventory

import (
	"slices"
	"strings"
	"testing"
)

// TestForeignFiles has files as other tools' documents show them. Each is called by its name at the line that tells it, and
// nothing else is said of it.
func TestForeignFiles(t *testing.T) {
	importable := []string{"a k0sctl file", "a KubeOne file", "a KubeKey file", "a kubeconfig", "an RKE file (cluster.yml)", "an Ansible inventory", "an output of terraform for KubeOne", "a configuration of ssh"}
	for _, c := range []struct{ what, line, file string }{
		{"a k0sctl file", "1", "apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nmetadata: {name: k0s}\nspec:\n  hosts:\n  - role: controller\n    ssh: {address: 192.0.2.11, user: root}\n"},
		{"a KubeOne file", "1", "apiVersion: kubeone.k8c.io/v1beta2\nkind: KubeOneCluster\nversions:\n  kubernetes: 1.30.0\n"},
		{"a KubeKey file", "2", "\napiVersion: kubekey.kubesphere.io/v1alpha2\nkind: Cluster\nmetadata: {name: sample}\nspec:\n  hosts:\n  - {name: node1, address: 192.0.2.2, internalAddress: 192.0.2.2}\n"},
		{"a configuration of kubeadm", "1", "apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"},
		{"a configuration of kubeadm", "2", "---\napiVersion: kubeadm.k8s.io/v1beta3\nkind: JoinConfiguration\n"},
		{"a configuration of the kubelet", "1", "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"},
		{"a kind file", "3", "# three nodes\nkind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n- role: worker\n"},
		{"a k3d file", "1", "apiVersion: k3d.io/v1alpha5\nkind: Simple\nservers: 1\n"},
		{"a kubeconfig", "1", "apiVersion: v1\nclusters:\n- cluster: {server: https://192.0.2.1:6443}\n  name: lab\ncontexts: []\ncurrent-context: lab\nkind: Config\npreferences: {}\nusers: []\n"},
		{"an object of Cluster API", "1", "apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {name: c}\n"},
		{"an object of Kubernetes (Deployment of apps/v1)", "1", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {}\n"},
		{"an RKE file (cluster.yml)", "1", "nodes:\n  - address: 1.2.3.4\n    user: ubuntu\n    role: [controlplane, worker, etcd]\nservices:\n  etcd: {snapshot: true}\n"},
		{"a configuration of Talos", "2", "version: v1alpha1\nmachine: {type: controlplane}\ncluster: {controlPlane: {endpoint: \"https://192.0.2.1:6443\"}}\n"},
		{"an Ansible inventory", "1", "all:\n  hosts:\n    node1: {ansible_host: 95.54.0.12, ip: 10.3.0.1}\n  children:\n    kube_control_plane:\n      hosts:\n        node1:\n"},
		{"an Ansible inventory", "2", "---\nkube_node:\n  hosts:\n    node1:\n    node2:\n"},
		{"an Ansible inventory", "2", "# kubespray\n[kube_control_plane]\nnode1 ansible_host=95.54.0.12 ip=10.3.0.1 etcd_member_name=etcd1\n\n[etcd:children]\nkube_control_plane\n"},
		{"an Ansible inventory", "1", "[all]\r\nnode1\r\n"},
		{"an Ansible inventory", "1", "node1 ansible_host=192.0.2.11\nnode2 ansible_host=192.0.2.12\n"},
		{"an Ansible playbook", "1", "- hosts: all\n  tasks: []\n"},
		{"a list of hosts for k3sup plan", "2", "[\n  {\n    \"hostname\": \"node-a-1\",\n    \"ip\": \"192.168.128.102\"\n  }\n]\n"},
		{"a Compose file", "1", "services:\n  web:\n    image: nginx\n"},
		{"a cloud-init file", "2", "#cloud-config\nruncmd: [ls]\n"},
		{"a Vagrantfile", "2", "# -*- mode: ruby -*-\nVagrant.configure(\"2\") do |config|\n  config.vm.box = \"debian/bookworm64\"\nend\n"},
		{"a Terraform file", "1", "resource \"hcloud_server\" \"cp1\" {\n  name = \"cp1\"\n}\n"},
		{"a configuration of ssh", "1", "Host cp1\n  HostName 192.0.2.11\n  User ubuntu\n"},
		{"an Ansible inventory", "3", "{\n  \"all\": {\"children\": [\"ungrouped\"]},\n  \"_meta\": {\"hostvars\": {\"a\": {}}}\n}\n"},
		{"an output of terraform for KubeOne", "2", "{\n  \"kubeone_hosts\": {\"sensitive\": false, \"type\": \"string\", \"value\": {\"control_plane\": {}}}\n}\n"},
		{"an output of terraform without kubeone_hosts", "1", "{\"ip\": {\"sensitive\": false, \"type\": \"string\", \"value\": \"192.0.2.1\"}}\n"},
		{"an Ansible inventory by its line 1 and a configuration of ssh by its line 3", "3", "[all]\nnode1\nHost node1\n"},
		{"a private key", "1", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"},
	} {
		got := strings.Join(problemsOf(t, c.file), "\n")
		want := "line " + c.line + ": this is " + c.what + ", not a cluster file of fairlead; write one with: fairlead init USER@HOST..."
		if slices.Contains(importable, c.what) {
			want = "line " + c.line + ": this is " + c.what + ", not a cluster file of fairlead; make one of it with: fairlead import /lab/f"
		}
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.file, got, want)
		}
	}
}

// TestFilesThatAreOurs are cluster files with mistakes: what is wrong in them is said, not whose they might be.
func TestFilesThatAreOurs(t *testing.T) {
	for file, want := range map[string]string{
		"": "the file is empty",
		soundFile + "nodes: [{address: 192.0.2.9}]\n":                                    "unknown key",
		soundFile + "all: {hosts: {a: b}}\n":                                             "unknown key",
		strings.Replace(soundFile, "apiVersion: fairlead/v1\n", "", 1):                   "apiVersion: is required",
		strings.Replace(soundFile, "fairlead/v1", "fairlead/v2", 1):                      "can only be fairlead/v1",
		strings.Replace(soundFile, "fairlead/v1", "v1", 1):                               "can only be fairlead/v1",
		strings.Replace(soundFile, "fairlead/v1", "[x]", 1):                              "apiVersion: must be text",
		soundFile + "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n": "a second document starts here",
		strings.Replace(soundFile, "workers: {", "workers: {{", 1):                       "not valid YAML",
		"a: [\n": "not valid YAML", "[]\n": "must be a mapping", "- a\n": "must be a mapping", "text\n": "must be a mapping",
	} {
		if got := strings.Join(problemsOf(t, file), "\n"); !strings.Contains(got, want) || strings.Contains(got, "this is") {
			t.Errorf("%s: got %s, want %s", file, got, want)
		}
	}
}

// TestForeignNames does not repeat names of files that would be several words to a shell.
func TestForeignNames(t *testing.T) {
	for name, want := range map[string]string{"a/k0sctl.yaml": "a/k0sctl.yaml", "": "FILE", "my file.yaml": "FILE", "-x": "FILE", "$(ls)": "FILE"} {
		_, _, err := Parse(name, []byte("apiVersion: k0sctl.k0sproject.io/v1beta1\n"))
		if err == nil || !strings.HasSuffix(err.Error(), "fairlead import "+want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
