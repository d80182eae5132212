package convert

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"fairlead/inventory"
)

const k0sctlHead = "apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\n"

// TestBrokenFiles says where, what, and how to mend it; nothing is made of such a file.
func TestBrokenFiles(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"", "f:1: this is no file of a tool that is known here (it is empty); what can be read: Ansible's and kubespray's inventories"},
		{"hello\n", "f:1: this is no file of a tool that is known here; what can be read"},
		{"a: [\n", "f:2: this is no file of a tool that is known here (not valid YAML: did not find expected node content)"},
		{"[all]\nnode1\xff\n", "f:2: is not UTF-8 text"},
		{"a: \xff\n", "f:1: this is no file of a tool that is known here (the file is not UTF-8 text)"},
		{"Host a\n  User \xff\n", "f:2: is not UTF-8 text"},
		{"apiVersion: fairlead/v1\nkind: x\n", "f:1: this is a cluster file of fairlead already"},
		{"kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n", "f:2: this is a kind file, which holds no hosts that can be taken; what can be read"},
		{"apiVersion: v1\nkind: Config\n", "f:1: this is a kubeconfig, which holds no hosts itself"},
		{"[all]\nnode1\nHost node1\n", "f:3: this is an Ansible inventory by its line 1 and a configuration of ssh by its line 3"},

		{"[masters]\nn1 x\n", "f:2: after a host's name come KEY=VALUE, got a word without ="},
		{"[masters]\nn1 a='b\n", "f:2: a quote (') is not closed"},
		{"[masters]\nn[3:1]\n", `f:2: the range in "n[3:1]" ends before it begins`},
		{"[masters]\nn[1:99999]\n", `f:2: the range in "n[1:99999]" stands for more than 10000 hosts`},
		{"[masters]\nn[1:101]-[1:101]\n", `f:2: "n[1:101]-[1:101]" stands for more than 10000 hosts`},
		{"[masters]\nn[a:3]\n", "f:2: the range in \"n[a:3]\" has a letter at one end and a number at the other"},
		{"[masters]\nn[1:3:0]\n", "f:2: the range in \"n[1:3:0]\" has a step that is not 1 or more"},
		{"[masters:hosts]\nn1\n[all]\n", "f:1: [masters:hosts]: a section is [GROUP], [GROUP:children] or [GROUP:vars]"},
		{"[all]\n[a b]\n", "f:2: [a b]: is no section: one is"},
		{"[all:vars]\nansible_user\n", "f:2: [all:vars] takes KEY=VALUE, got no = in this line"},
		{"[all:children]\na b\n", `f:2: [all:children] takes one group's name a line, got "a b"`},
		{"[web]\nn1\n[db]\nn2\n", "f:1: no group makes a host a control plane: there are db, web, and kube_control_plane, masters, server and the like are known; name hosts or groups with --control-planes"},
		{"[masters]\nn1 ansible_port=70000\n", `f:2: ansible_port: must be a port from 1 to 65535, got "70000"`},
		{"[masters]\nn1 ansible_user='a b'\n", `f:2: ansible_user: "a b" is not a login name`},
		{"[masters]\nn1 ansible_host='a;b'\n", `f:2: ansible_host: "a;b" is neither an address nor a name`},
		{"[masters]\nn1 ansible_host=192.0.2.1 ansible_ssh_common_args='-J a/b'\n", `f:2: ansible_ssh_common_args: "a/b" cannot be part of ssh.jump`},
		{"all:\n  hosts: 5\n  children: {a: {hosts: {b: }}}\n", "f:2: all.hosts: must be a mapping"},
		{"all:\n  children: {masters: {hosts: {n1: 5}}}\n", "f:2: all.children.masters.hosts.n1: must be a mapping"},

		{k0sctlHead, "f:1: spec.hosts: names no hosts"},
		{k0sctlHead + "spec: {hosts: 5}\n", "f:3: spec.hosts: must be a list\nf:3: spec.hosts: names no hosts"},
		{k0sctlHead + "spec: 5\n", "f:3: spec.hosts: names no hosts"},
		{k0sctlHead + "spec:\n  hosts:\n  - {role: boss, ssh: {address: 192.0.2.1}}\n", `f:5: spec.hosts[].role: must be controller, controller+worker, single or worker, got "boss"`},
		{k0sctlHead + "spec:\n  hosts:\n  - {role: worker, ssh: {address: 192.0.2.1}}\n", "f:4: spec.hosts: no host is a control plane; name some with --control-planes"},
		{k0sctlHead + "spec:\n  hosts:\n  - {role: single}\n", "f:5: spec.hosts[]: has neither ssh, openSSH nor localhost"},
		{k0sctlHead + "spec:\n  hosts:\n  - {role: single, ssh: {address: [a]}}\n", "f:5: spec.hosts[].ssh.address: must be a single value"},
		{k0sctlHead + "spec:\n  hosts:\n  - single\n", "f:5: spec.hosts[]: must be a mapping"},
		{k0sctlHead + "---\na: [\n", "is not valid YAML"},

		{"apiVersion: kubeone.k8c.io/v1beta2\nkind: KubeOneCluster\n", "f:1: controlPlane.hosts: names no hosts; those that terraform makes are in its output"},
		{`{"kubeone_hosts": {"value": {"control_plane": {}}}}`, "f:1: kubeone_hosts.value.control_plane: has neither private_address nor public_address"},
		{`{"kubeone_hosts": {"value": {"control_plane": {"private_address": ["192.0.2.1"], "public_address": ["192.0.2.2", "192.0.2.3"]}}}}`, "has 1 private addresses and 2 public ones"},
		{"nodes:\n- {address: 192.0.2.1, role: [etcd]}\n", "f:1: nodes: no host is a control plane"},
		{"apiVersion: kubekey.kubesphere.io/v1alpha2\nspec: {hosts: [{name: a, address: 192.0.2.1}], roleGroups: {master: [\"a[2:1]\"]}}\n", "f:2: spec.roleGroups.master[]: the range in \"a[2:1]\" ends before it begins"},
		{"Host *\n  User me\n", "f:1: names no host alone: of `vagrant ssh-config` each machine that runs has a block"},
		{"Host a\n  Port x\n", `f:2: Port: must be a port from 1 to 65535, got "x"`},
	} {
		draft, err := Read("f", []byte(c.file), Options{})
		var invalid *inventory.Invalid
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), c.want) || draft != nil {
			t.Errorf("%q:\ngot  %v\nwant %s", c.file, err, c.want)
		}
	}
}

// TestUnwritable has hosts that do not go together: the lines are those of what was read.
func TestUnwritable(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"[masters]\na ansible_host=192.0.2.1\n[workers]\nb ansible_host=192.0.2.1\n", "f:4: host b: address: 192.0.2.1 is the address of controlPlane.hosts[0] already"},
		{"[masters]\na ansible_host=192.0.2.1\n[workers]\nb ansible_host=2001:db8::1\n", "f:4: host b: address: 2001:db8::1 and serviceSubnet"},
	} {
		draft, err := Read("f", []byte(c.file), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := draft.Write(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestLeftOut has what a cluster can be without: it becomes a note, and the default is written.
func TestLeftOut(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{k0sctlHead + "metadata: {name: My_Cluster}\n", `#   line 3: metadata.name My_Cluster: left out, the default is written: "My_Cluster" is not a DNS label`},
		{k0sctlHead + "metadata: {name: \"${NAME}\"}\n", "#   line 3: metadata.name: stands for a value that is not in the file; left out"},
		{k0sctlHead + "metadata: {name: !x y}\n", "#   line 3: metadata.name: has the tag !x, which is not read"},
		{k0sctlHead + "metadata: {name: x, \"a\\nb: c\": 1, \"\\u2028\": 2}\n", "#   line 3: metadata.a\ufffdb: c: has no counterpart here\n#   line 3: metadata.\ufffd: has no counterpart here\n"},
	} {
		text := written(t, c.file+"spec:\n  hosts:\n  - {role: single, ssh: {address: 192.0.2.1}}\n", Options{})
		if !strings.Contains(text, c.want) {
			t.Errorf("no %s in\n%s", c.want, text)
		}
	}
	for spec, want := range map[string]string{
		"k0s: {version: 1.20.4+k0s.0}":                              "#   line 6: spec.k0s.version 1.20.4+k0s.0: left out, the default is written: Kubernetes 1.20 is not supported",
		"k0s: {config: {spec: {network: {podCIDR: 10.0.0.1/8}}}}":   "#   line 6: spec.k0s.config.spec.network.podCIDR 10.0.0.1/8: left out, the default is written: 10.0.0.1/8 has bits set after its mask",
		"k0s: {config: {spec: {network: {serviceCIDR: wide}}}}":     "serviceCIDR wide: left out, the default is written: must be a subnet",
		"k0s: {config: {spec: {api: {externalAddress: \"A B\"}}}}":  "externalAddress A B:6443: left out, the default is written",
		"k0s: {config: {spec: {network: {podCIDR: 192.0.0.0/16}}}}": "podCIDR 192.0.0.0/16: left out, the default is written: does not go with the address of cp1: 192.0.2.1 is inside podSubnet",
	} {
		text := written(t, k0sctlHead+"spec:\n  hosts:\n  - {role: single, ssh: {address: 192.0.2.1, hostKey: bad}}\n  "+spec+"\n", Options{})
		if !strings.Contains(text, want) || !strings.Contains(text, "#   line 5: the host key of cp1: is neither a public key") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

func written(t *testing.T, file string, o Options) string {
	t.Helper()
	draft, err := Read("f", []byte(file), o)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	text, err := draft.Write()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	sameHosts(t, draft, text)
	return string(text)
}

// TestOptions are what the user says over what the file says.
func TestOptions(t *testing.T) {
	const ini = "[web]\nn1 ansible_host=192.0.2.1\nn2 ansible_host=192.0.2.2\n[db]\nn3 ansible_host=192.0.2.3\n"
	hosts := func(text string) string {
		c, _, err := inventory.Parse("", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, h := range c.Hosts() {
			all = append(all, string(h.Role[0])+":"+h.Name+"="+h.Address.String()+"/"+h.SSH.Address)
		}
		return strings.Join(all, " ")
	}
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{ControlPlane: []string{"n3"}}, "c:n3=192.0.2.3/ w:n1=192.0.2.1/ w:n2=192.0.2.2/"},
		{Options{ControlPlane: []string{"web"}}, "c:n1=192.0.2.1/ c:n2=192.0.2.2/ w:n3=192.0.2.3/"},
		{Options{ControlPlane: []string{"n1"}, Addresses: map[string]netip.Addr{"n2": netip.MustParseAddr("10.0.0.2")}}, "c:n1=192.0.2.1/ w:n2=10.0.0.2/192.0.2.2 w:n3=192.0.2.3/"},
	} {
		if got := hosts(written(t, ini, c.options)); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.options, got, c.want)
		}
	}
	const k0s = k0sctlHead + "spec:\n  hosts:\n  - {role: worker, ssh: {address: 203.0.113.1}, privateAddress: 10.0.0.1}\n  - {role: worker, ssh: {address: 203.0.113.2}}\n"
	if got, want := hosts(written(t, k0s, Options{ControlPlane: []string{"203.0.113.2"}})), "c:cp1=203.0.113.2/ w:w1=10.0.0.1/203.0.113.1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for want, o := range map[string]Options{
		"--control-planes n9: neither a host nor a group with hosts is called so; the hosts are n1, n2, n3": {ControlPlane: []string{"n9"}},
		"n9: no host of the file is called so; its hosts are n1, n2, n3":                                    {ControlPlane: []string{"n1"}, Addresses: map[string]netip.Addr{"n9": netip.MustParseAddr("10.0.0.2")}},
	} {
		if _, err := Read("f", []byte(ini), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := Read("f", []byte(k0s), Options{ControlPlane: []string{"x"}}); err == nil || !strings.Contains(err.Error(), "x: no host of the file is called so; its hosts are 203.0.113.1, 203.0.113.2") {
		t.Error(err)
	}
}
