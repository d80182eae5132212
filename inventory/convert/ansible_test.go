package convert

import (
	"reflect"
	"strings"
	"testing"
)

// TestWords holds words against what Python's shlex.split(text, comments=True) gives.
func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                               nil,
		"  a  b\tc ":                     {"a", "b", "c"},
		"a='b c' d=\"e f\"":              {"a=b c", "d=e f"},
		"a # b":                          {"a"},
		"a#b c":                          {"a"},
		"# a":                            nil,
		`a\ b 'c\d' "e\"f" "g\h"`:        {"a b", `c\d`, `e"f`, `g\h`},
		`x='' y`:                         {"x=", "y"},
		`''`:                             {""},
		`a='{"b": "c"}'`:                 {`a={"b": "c"}`},
		`-o ProxyCommand="ssh -W %h:%p"`: {"-o", "ProxyCommand=ssh -W %h:%p"},
	} {
		if got, err := words(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"'a", `"a`, `a\`} {
		if got, err := words(text); err == nil {
			t.Errorf("%s: got %q", text, got)
		}
	}
}

func TestExpand(t *testing.T) {
	for pattern, want := range map[string]string{
		"node1": "node1", "node[1:3]": "node1 node2 node3", "n[01:03].lab": "n01.lab n02.lab n03.lab", "n[1:10:4]": "n1 n5 n9", "db-[a:c]": "db-a db-b db-c",
		"r[1:2]n[1:2]": "r1n1 r1n2 r2n1 r2n2", "[:2]": "0 1 2", "n[08:11]": "n08 n09 n10 n11", "[2001:db8::1]": "[2001:db8::1]",
	} {
		if got, err := expand(pattern); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, %v, want %s", pattern, got, err, want)
		}
	}
	for pattern, want := range map[string][2]string{
		"a": {"a", ""}, "a:22": {"a", "22"}, "[2001:db8::1]:22": {"2001:db8::1", "22"}, "2001:db8::1": {"2001:db8::1", ""}, "[2001:db8::1]": {"2001:db8::1", ""},
		"a[1:3]": {"a[1:3]", ""}, "a[1:3]:22": {"a[1:3]", "22"}, "192.0.2.[1:3]": {"192.0.2.[1:3]", ""},
	} {
		if name, port := patternPort(pattern); name != want[0] || port != want[1] {
			t.Errorf("%s: got %s, %s", pattern, name, port)
		}
	}
}

// TestPrecedence has a host's variable over its groups', a deeper group over a higher, and a circle of groups without end.
func TestPrecedence(t *testing.T) {
	const file = `[masters]
n1 ansible_host=192.0.2.1
n2 ansible_host=192.0.2.2 ansible_user=own
[b:children]
masters
[a:children]
masters
[all:vars]
ansible_user=all
ansible_port=1
[masters:vars]
ansible_user=deep
[a:vars]
ansible_user=higher
ansible_port=2
[b:vars]
ansible_port=3
`
	text := written(t, file, Options{})
	for _, want := range []string{"  user: deep\n", "  port: 3\n", "{name: n2, address: 192.0.2.2, ssh: {user: own}}"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	circle := "[masters]\nn1 ansible_host=192.0.2.1\n[a:children]\nb\n[b:children]\na\nmasters\n[a:vars]\nansible_user=me\n"
	if text := written(t, circle, Options{}); !strings.Contains(text, "  user: me\n") {
		t.Error(text)
	}
}

// TestSSHArguments takes the ways through other hosts and notes the rest.
func TestSSHArguments(t *testing.T) {
	for args, want := range map[string]string{
		"-J gate":                                "jump: gate\n",
		"-Jme@gate:2200,b":                       "jump: \"me@gate:2200,b\"\n",
		"-o ProxyJump=gate":                      "jump: gate\n",
		"-oProxyJump=gate":                       "jump: gate\n",
		"-o 'ProxyJump gate'":                    "jump: gate\n",
		"-o ProxyJump=none":                      "user: u\n  jump: none\n",
		"-o ProxyCommand='ssh -W %h:%p -q gate'": "jump: gate\n",
		"-o ProxyCommand='ssh -p2200 -l me -W %h:%p gate'":                "jump: \"me@gate:2200\"\n",
		"-o ProxyCommand='ssh -i k -W %h:%p me@gate'":                     "#   line 2: ansible_ssh_common_args: the key of its ProxyCommand is left out",
		"-o ProxyCommand='ssh -o StrictHostKeyChecking=no -W %h:%p gate'": "the option StrictHostKeyChecking of its ProxyCommand is left out",
		"-o ProxyCommand='nc %h %p'":                                      "its ProxyCommand is left out: fairlead goes through hosts by ssh.jump, or by what ~/.ssh/config says",
		"-o ProxyCommand='ssh -W %h:%p gate cat'":                         "its ProxyCommand is left out: fairlead goes through hosts by ssh.jump, or by what ~/.ssh/config says",
		"-o StrictHostKeyChecking=no":                                     "its StrictHostKeyChecking is left out: fairlead always verifies host keys",
		"-o ControlMaster=auto -C":                                        "its ControlMaster has no counterpart here\n",
		"-p 2222 -i /k":                                                   "port: 2222\n",
		"-o User=ignored":                                                 "user: u\n",
		"-o 'x":                                                           "is not read: a quote (') is not closed",
	} {
		text := written(t, "[masters]\nn1 ansible_host=192.0.2.1 ansible_user=u ansible_ssh_common_args=\""+args+"\"\n", Options{})
		if !strings.Contains(text, want) {
			t.Errorf("%s: no %s in\n%s", args, want, text)
		}
	}
}

// TestConnections has hosts that Ansible does not reach by SSH.
func TestConnections(t *testing.T) {
	for plugin, want := range map[string]string{
		"ssh": "- {name: n1, address: 192.0.2.1}", "local": "- {name: n1, address: 192.0.2.1, ssh: {transport: local}}", "ansible.builtin.local": "ssh: {transport: local}",
		"community.docker.docker": `"docker" is not taken; write ssh: {transport: docker, container: NAME}`, "winrm": `"winrm" is not taken: fairlead goes by SSH`,
	} {
		if text := written(t, "[masters]\nn1 ip=192.0.2.1 ansible_host=192.0.2.1 ansible_connection="+plugin+"\n", Options{}); !strings.Contains(text, want) {
			t.Errorf("%s: no %s in\n%s", plugin, want, text)
		}
	}
}

// TestBastion is the group that kubespray goes through to all others; without a file's help there is no such way.
func TestBastion(t *testing.T) {
	text := written(t, "[bastion]\ngate ansible_host=2001:db8::7 ansible_port=2222\nsecond\n[masters]\nn1 ansible_host=192.0.2.1\n[all:vars]\nansible_user=u\n", Options{})
	for _, want := range []string{"  jump: \"u@[2001:db8::7]:2222\"\n", "#   line 1: bastion: has several hosts, of which fairlead goes through the first\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// TestAddresses has ip over access_ip over ansible_host as what other hosts go by, and taints that are none left out.
func TestAddresses(t *testing.T) {
	for vars, want := range map[string]string{
		"ansible_host=203.0.113.1":                                "address: 203.0.113.1}",
		"ansible_host=203.0.113.1 access_ip=10.0.0.1":             "address: 10.0.0.1, ssh: {address: 203.0.113.1}}",
		"ansible_host=203.0.113.1 ip=10.0.0.2 access_ip=10.0.0.1": "#   line 2: access_ip: other hosts reach this one by ip\n",
		"ansible_host=203.0.113.1 ip=lan.example":                 "#   line 2: ip: is no IP address that other hosts can reach, and left out\n",
		"ip=10.0.0.2": "address: 10.0.0.2, ssh: {address: n1}}",
		"ansible_host=203.0.113.1 node_taints=\"['a:Never', 'b:NoSchedule', 'c']\"": "taints: [\"b:NoSchedule\"]}",
		"ansible_host=203.0.113.1 node_taints=x":                                    "#   line 2: node_taints: is no list of taints, and left out\n",
		"ansible_host=203.0.113.1 node_labels=x":                                    "#   line 2: node_labels: is no mapping of labels, and left out\n",
	} {
		if text := written(t, "[masters]\nn1 "+vars+"\n", Options{}); !strings.Contains(text, want) {
			t.Errorf("%s: no %s in\n%s", vars, want, text)
		}
	}
	text := written(t, "[masters]\nn1 ansible_host=203.0.113.1 node_taints=\"['a:Never', 'c']\"\n", Options{})
	if !strings.Contains(text, "#   line 2: the taint a:Never of n1: left out: the taint's effect must be") || !strings.Contains(text, "#   line 2: the taint c: of n1: left out: ") {
		t.Error(text)
	}
}
