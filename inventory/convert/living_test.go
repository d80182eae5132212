package convert

import (
	"strings"
	"testing"

	"fairlead/inventory"
)

// TestLiving has clusters that are not as kubeadm leaves them.
func TestLiving(t *testing.T) {
	control := map[string]string{controlPlaneLabel: ""}
	taint := []inventory.Taint{{Key: controlPlaneLabel, Effect: "NoSchedule"}}
	for name, c := range map[string]struct {
		nodes         []Node
		configuration string
		options       Options
		want          []string
	}{
		"k3s": {nodes: []Node{{Name: "a", Address: "192.0.2.1", Version: "v1.36.1+k3s1", Labels: control}}, want: []string{
			"#   the hosts are taken, and no data of the cluster, which is not kubeadm's: it has no kubeadm-config\n", "\n  version: 1.36.1\n", "\n  schedulable: true\n"}},
		"mixed": {nodes: []Node{{Name: "a", Address: "192.0.2.1", Labels: control, Taints: taint}, {Name: "b", Address: "192.0.2.2", Labels: control, Cordoned: true}},
			configuration: "kubernetesVersion: v1.36.3\netcd: {local: {dataDir: /var/lib/etcd}}\n", want: []string{
				"#   controlPlane.schedulable: is one for all", "#   controlPlaneEndpoint: the cluster has none; the kubeconfig has https://server\n", "#   b: is cordoned", "\n  schedulable: false\n"}},
		"chosen": {nodes: []Node{{Name: "a", Address: "192.0.2.1"}, {Name: "b", Address: "192.0.2.2"}}, configuration: "clusterName: x\n", options: Options{ControlPlane: []string{"b"}},
			want: []string{"controlPlane:", "- {name: b, address: 192.0.2.2}\n\nworkers:\n  hosts:\n    - {name: a, address: 192.0.2.1}\n"}},
		"old": {nodes: []Node{{Name: "a", Address: "192.0.2.1", Labels: control}}, configuration: "kubernetesVersion: v1.30.1\netcd: {external: {endpoints: [x]}}\n---\na: b\n", want: []string{
			"#   ClusterConfiguration: a second document starts here; it was not read\n", "#   ClusterConfiguration.etcd: stands in", "#   kubernetesVersion v1.30.1: left out, the default is written: Kubernetes 1.30 is not supported"}},
	} {
		draft, err := Living("config, a kubeconfig", c.nodes, []byte(c.configuration), "https://server", c.options)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text, err := draft.Write()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sameHosts(t, draft, text)
		for _, want := range c.want {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: no %s in\n%s", name, want, text)
			}
		}
	}
	for want, nodes := range map[string][]Node{
		"config:1: no node is a control plane by its label " + controlPlaneLabel: {{Name: "a", Address: "192.0.2.1"}},
	} {
		if _, err := Living("config, a kubeconfig", nodes, nil, "", Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	draft, err := Living("config, a kubeconfig", []Node{{Name: "a", Labels: control}}, nil, "", Options{})
	if err != nil || len(draft.Unaddressed()) != 1 {
		t.Errorf("%+v, %v", draft, err)
	}
}
