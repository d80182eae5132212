package inventory

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// soundFile is a file without a fault.
const soundFile = `apiVersion: fairlead/v1
kind: Cluster
name: lab
kubernetes: {version: 1.37.2, bundle: /b}
ssh: {user: me}
controlPlane: {hosts: [{name: cp1, address: 192.0.2.1}]}
workers: {hosts: [{name: w1, address: 192.0.2.3}]}
`

// changed puts lines in place of those with the same keys in the file above, or at its end.
func changed(lines string) string {
	file := soundFile
	for line := range strings.SplitSeq(lines, "\n") {
		key, _, _ := strings.Cut(line, ":")
		old := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(key) + `:.*\n`)
		if found := old.FindString(file); found != "" && line[0] != ' ' {
			file = strings.Replace(file, found, line+"\n", 1)
		} else {
			file += line + "\n"
		}
	}
	return file
}

// problemsOf lists the problems of a file, then its warnings.
func problemsOf(t *testing.T, file string) []string {
	t.Helper()
	c, warnings, err := Parse("/lab/f", []byte(file))
	var lines []string
	var invalid *Invalid
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			lines = append(lines, p.In(""))
		}
	}
	if (c == nil) != (err != nil) || (err != nil) != (len(lines) > 0) {
		t.Errorf("cluster %v beside error %v", c, err)
	}
	for _, w := range warnings {
		lines = append(lines, "warning: "+w.In(""))
	}
	return lines
}

// faultRow is what is put into a sound file, and all that is then said of the file.
type faultRow struct{ lines, want string }

func tryFaults(t *testing.T, rows []faultRow) {
	t.Helper()
	for _, row := range rows {
		if got := strings.Join(problemsOf(t, changed(row.lines)), "\n"); got != row.want {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", row.lines, got, row.want)
		}
	}
}

// TestFaultsOfHosts has a fault a row. It must be reported at its own line, once, and without
// others that only follow from it.
func TestFaultsOfHosts(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	tryFaults(t, hostFaults())
}

func hostFaults() []faultRow {
	return []faultRow{
		// texts
		{`name: ""`, "line 3: name: must not be empty"},
		{`name: "  "`, "line 3: name: must not be empty"},
		{`name: "a\nb"`, "line 3: name: contains a control character or a line break"},
		{`name: "a\tb"`, "line 3: name: contains a control character or a line break"},
		{"name: a-", `line 3: name: "a-" is not a DNS label (1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends)`},
		{"name: Über", `line 3: name: "Über" is not a DNS label (1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends)`},
		{"name: My_Lab", `line 3: name: "My_Lab" is not a DNS label (1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends); did you mean my-lab?`},
		{"name: [a]", "line 3: name: must be text, got a list"},
		{"name: {a: b}", "line 3: name: must be text, got a mapping"},
		{"name: 5", `line 3: name: must be text, got the number 5; put it in quotes: "5"`},
		{"name: 1.5", `line 3: name: must be text, got the number 1.5; put it in quotes: "1.5"`},
		{"name: true", `line 3: name: must be text, got the boolean true; put it in quotes: "true"`},
		{"name: 2024-01-02", `line 3: name: must be text, got the date 2024-01-02; put it in quotes: "2024-01-02"`},
		{"name: !x y", "line 3: name: has the tag !x, which is not supported"},
		{"name:", "line 3: name: has no value; give one or remove the key"},
		{"name: ~", "line 3: name: has no value; give one or remove the key"},
		{"kind: cluster", `line 2: kind: "cluster" is not supported; it can only be Cluster`},
		{"apiVersion: fairlead/v1alpha1", `line 1: apiVersion: "fairlead/v1alpha1" is not supported; it can only be fairlead/v1`},
		// kubernetes
		{"kubernetes:", "line 4: kubernetes.version: is required"},
		{"kubernetes: {version: 1.37}", `line 4: kubernetes.version: must be a full version x.y.z, such as "1.37.0"; YAML reads 1.37 as a number`},
		{"kubernetes: {version: 1}", `line 4: kubernetes.version: must be a full version x.y.z, such as "1.37.0"; YAML reads 1 as a number`},
		{"kubernetes: {version: 1.33}", `line 4: kubernetes.version: must be a full version x.y.z, such as "1.37.0"; YAML reads 1.33 as a number`},
		{"kubernetes: {version: [1]}", "line 4: kubernetes.version: must be text, got a list"},
		{"kubernetes: {version: 1.33.9, bundle: b}", "line 4: kubernetes.version: Kubernetes 1.33 is not supported; the minors 1.34 to 1.37 are"},
		{"kubernetes: {version: 1.38.0, bundle: b}", "line 4: kubernetes.version: Kubernetes 1.38 is not supported; the minors 1.34 to 1.37 are"},
		{"kubernetes: {version: 1.37.2, source: bundle}", "line 4: kubernetes.bundle: is required with source: bundle"},
		{`kubernetes: {version: 1.37.2, source: bundle, bundle: ""}`, "line 4: kubernetes.bundle: must not be empty"},
		{`kubernetes: {version: 1.37.2, source: bundel, repository: "https://a.b"}`, `line 4: kubernetes.source: "bundel" is not supported; did you mean bundle?`},
		{"kubernetes: {version: 1.37.2, source: x, bundle: b}", `line 4: kubernetes.source: "x" is not supported; it can be packages or bundle`},
		{`kubernetes: {version: 1.37.2, bundle: b, repository: "https://a.b"}`, "line 4: kubernetes.repository: has no effect with source: bundle; remove it, or write source: packages"},
		{`kubernetes: {version: 1.37.2, source: packages, bundle: b, repository: "https://a.b"}`, ""},
		{`kubernetes: {version: 1.37.2, repository: "http://a.b"}`, "line 4: kubernetes.repository.key: is required with an http:// URL, as nothing else would protect what is installed as root; write {url: …, key: ./keyring.asc}"},
		{`kubernetes: {version: 1.37.2, repository: {url: "http://a.b", key: ""}}`, "line 4: kubernetes.repository.key: must not be empty"},
		{`kubernetes: {version: 1.37.2, repository: {url: "http://a.b", key: "http://a.b/k"}}`, "line 4: kubernetes.repository.key: is a URL; download the key and give its path"},
		{"kubernetes: {version: 1.37.2, repository: {key: k}}", "line 4: kubernetes.repository.url: is required"},
		{`kubernetes: {version: 1.37.2, repository: "https://a.b/v1.37/deb/"}`, "line 4: kubernetes.repository: must end before the folder of the minor, v1.x, which fairlead adds"},
		{"kubernetes: {version: 1.37.2, bundle: b, podSubnet: 10.244.0.0}", `line 4: kubernetes.podSubnet: must be a subnet such as 10.244.0.0/16, got "10.244.0.0"`},
		{`kubernetes: {version: 1.37.2, bundle: b, podSubnet: "::ffff:10.244.0.0/112"}`, "line 4: kubernetes.podSubnet: write the IPv4 subnet without ::ffff:"},
		{"kubernetes: {version: 1.37.2, bundle: b, serviceSubnet: 10.96.0.1/12}", "line 4: kubernetes.serviceSubnet: 10.96.0.1/12 has bits set after its mask; did you mean 10.96.0.0/12?"},
		{`kubernetes: {version: 1.37.2, bundle: b, serviceSubnet: ""}`, "line 4: kubernetes.serviceSubnet: must not be empty"},
		{"kubernetes: {version: 1.37.2, bundle: b, config: {KubeletConfiguration: {a: !!binary aGk=}}}", "line 4: kubernetes.config.KubeletConfiguration.a: has the tag !!binary, which is not supported"},
		{"kubernetes: {version: 1.37.2, bundle: b, config: {KubeletConfiguration: {a: [1, {b: .inf}]}}}", "line 4: kubernetes.config.KubeletConfiguration.a[1].b: the number .inf cannot be used; it must be finite and fit 64 bits"},
		{"kubernetes: {version: 1.37.2, bundle: b, config: {KubeletConfiguration: {a: -.inf}}}", "line 4: kubernetes.config.KubeletConfiguration.a: the number -.inf cannot be used; it must be finite and fit 64 bits"},
		{"kubernetes: {version: 1.37.2, bundle: b, config: {KubeletConfiguration: {a: 18446744073709551615}}}", "line 4: kubernetes.config.KubeletConfiguration.a: the number 18446744073709551615 cannot be used; it must be finite and fit 64 bits"},
		{"kubernetes: {version: 1.37.2, bundle: b, config: {KubeletConfiguration: {a: 9223372036854775807}}}", ""},
		{"kubernetes: {version: 1.37.2, bundle: b, config: {KubeletConfiguration: {a: !!float x}}}", `line 4: kubernetes.config.KubeletConfiguration.a: must be a number, got "x"`},
		{"kubernetes: {version: 1.37.2, bundle: b, config: {KubeletConfiguration: {a: !!bool x}}}", "line 4: kubernetes.config.KubeletConfiguration.a: must be true or false, got the boolean x"},
		{"kubernetes: {version: 1.37.2, bundle: b, config: {KubeletConfiguration: }}", ""},
		{"kubernetes: {version: 1.37.2, bundle: b, config: {kubeletConfiguration: {}}}", "line 4: kubernetes.config.kubeletConfiguration: unknown key; did you mean KubeletConfiguration?"},
		// ssh
		{"ssh: {user: -x}", `line 5: ssh.user: "-x" is not a login name`},
		{"ssh: {user: a@b}", `line 5: ssh.user: "a@b" is not a login name`},
		{`ssh: {user: "a:b"}`, `line 5: ssh.user: "a:b" is not a login name`},
		{"ssh: {user: a/b}", `line 5: ssh.user: "a/b" is not a login name`},
		{"ssh: {user: a b}", `line 5: ssh.user: "a b" is not a login name`},
		{"ssh: {user: me, port: 0}", "line 5: ssh.port: must be a port from 1 to 65535, got 0"},
		{"ssh: {user: me, port: 1}", ""},
		{"ssh: {user: me, port: 65535}", ""},
		{"ssh: {user: me, port: 65536}", "line 5: ssh.port: must be a port from 1 to 65535, got 65536"},
		{"ssh: {user: me, port: -1}", "line 5: ssh.port: must be a port from 1 to 65535, got -1"},
		{"ssh: {user: me, port: 22.5}", "line 5: ssh.port: must be a whole number, got the number 22.5"},
		{"ssh: {user: me, port: 022}", "line 5: ssh.port: has a leading zero, which makes 022 another number to YAML; write 22"},
		{"ssh: {user: me, port: +022}", "line 5: ssh.port: has a leading zero, which makes +022 another number to YAML; write 22"},
		{"ssh: {user: me, port: -022}", "line 5: ssh.port: has a leading zero, which makes -022 another number to YAML; write -22"},
		{"ssh: {user: me, port: 0_22}", "line 5: ssh.port: has a leading zero, which makes 0_22 another number to YAML; write 22"},
		{"ssh: {user: me, port: 09}", "line 5: ssh.port: has a leading zero, which makes 09 another number to YAML; write 9"},
		{"ssh: {user: me, port: 00}", "line 5: ssh.port: has a leading zero, which makes 00 another number to YAML; write 0"},
		{"ssh: {user: me, port: 0x16}", "line 5: ssh.port: must be a plain decimal number; write 22 for 0x16"},
		{"ssh: {user: me, port: 0o26}", "line 5: ssh.port: must be a plain decimal number; write 22 for 0o26"},
		{"ssh: {user: me, port: 0b10110}", "line 5: ssh.port: must be a plain decimal number; write 22 for 0b10110"},
		{"ssh: {user: me, port: 2_222}", "line 5: ssh.port: must be a plain decimal number; write 2222 for 2_222"},
		{"ssh: {user: me, port: +22}", "line 5: ssh.port: must be a plain decimal number; write 22 for +22"},
		{"ssh: {user: me, port: !!int ''}", "line 5: ssh.port: must be a whole number, got the number "},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {port: 02222}}]}", "line 7: workers.hosts[0].ssh.port: has a leading zero, which makes 02222 another number to YAML; write 2222"},
		{"kubernetes: {version: 1.37.2, config: {KubeletConfiguration: {maxPods: 0200}}}", "line 4: kubernetes.config.KubeletConfiguration.maxPods: has a leading zero, which makes 0200 another number to YAML; write 200"},
		{"kubernetes: {version: 1.37.2, config: {KubeletConfiguration: {oomScoreAdj: -0999}}}", "line 4: kubernetes.config.KubeletConfiguration.oomScoreAdj: has a leading zero, which makes -0999 another number to YAML; write -999"},
		{"kubernetes: {version: 1.37.2, config: {KubeletConfiguration: {a: 0, b: 0.5, c: -0, d: 0x10, e: 00.5}}}", ""},
		{`controlPlane: {endpoint: "api.lab:06443", hosts: [{name: cp1, address: 192.0.2.1}]}`, "line 6: controlPlane.endpoint: has a leading zero in its port; write api.lab:6443"},
		{"workers: {hosts: [{name: w1, address: 192.000.002.03}]}", `line 7: workers.hosts[0].address: "192.000.002.03" has leading zeros, which some programs take for octal; write 192.0.2.3`},
		{`ssh: {user: me, port: "22"}`, `line 5: ssh.port: must be a whole number, got "22"`},
		{"ssh: {user: me, port: {}}", "line 5: ssh.port: must be a whole number, got a mapping"},
		{"ssh: {user: me, port: ~}", "line 5: ssh.port: has no value; give one or remove the key"},
		{"ssh: {user: me, identityFile: ~bob}", `line 5: ssh.identityFile: "~bob" names another user's home folder; write the whole path`},
		{"ssh: {user: me, identityFile: ~}", "line 5: ssh.identityFile: has no value; give one or remove the key"},
		{"ssh: {user: me, hostKey: x}", "line 5: ssh.hostKey: every host has its own key; move it to the ssh of that host"},
		{"ssh: {user: me, address: web1}", "line 5: ssh.address: every host has its own address; move it to the ssh of that host"},
		{"ssh: {user: me, hostKye: x}", "line 5: ssh.hostKye: unknown key; the keys here are transport, user, port, identityFile, knownHosts, jump, sudo, context"},
		{"ssh: {user: me, jump: 'ann@bastion:2222,[fd00::1]:22, inner'}", ""},
		{"ssh: {user: me, jump: [a@b, 'ssh://c@[fd00::1]:22/', 'd,e']}", ""},
		{"ssh: {user: me, jump: None}", ""},
		{"ssh: {user: me, jump: }", "line 5: ssh.jump: has no value; give one or remove the key"},
		{"ssh: {user: me, jump: ''}", "line 5: ssh.jump: must not be empty"},
		{"ssh: {user: me, jump: []}", "line 5: ssh.jump: must name a host to go through; write none for a host that is reached without"},
		{"ssh: {user: me, jump: {host: b}}", "line 5: ssh.jump: must be text, got a mapping"},
		{"ssh: {user: me, jump: [1]}", `line 5: ssh.jump[0]: must be text, got the number 1; put it in quotes: "1"`},
		{"ssh: {user: me, jump: [b, none]}", `line 5: ssh.jump[1]: "none": stands for no jump host at all, and alone`},
		{"ssh: {user: me, jump: 'b,none'}", `line 5: ssh.jump: "none": stands for no jump host at all, and alone`},
		{"ssh: {user: me, jump: 'b,,c'}", `line 5: ssh.jump: "": names no host`},
		{"ssh: {user: me, jump: '@b'}", `line 5: ssh.jump: "@b": has no user before the @`},
		{"ssh: {user: me, jump: 'a@:22'}", `line 5: ssh.jump: "a@:22": names no host`},
		{"ssh: {user: me, jump: 'b:0'}", `line 5: ssh.jump: "b:0": must have a port from 1 to 65535 after the colon, got "0"`},
		{"ssh: {user: me, jump: 'b:ssh'}", `line 5: ssh.jump: "b:ssh": must have a port from 1 to 65535 after the colon, got "ssh"`},
		{"ssh: {user: me, jump: 'fd00::1'}", `line 5: ssh.jump: "fd00::1": write the IPv6 address in brackets: [fd00::1]`},
		{"ssh: {user: me, jump: 'fd00::1:x'}", `line 5: ssh.jump: "fd00::1:x": must be [USER@]HOST[:PORT], with an IPv6 address in brackets`},
		{"ssh: {user: me, jump: '-b'}", `line 5: ssh.jump: "-b": "-b" is not the name of a host`},
		{"ssh: {user: me, jump: '-a@b'}", `line 5: ssh.jump: "-a@b": "-a" is not a login name`},
		{"ssh: {user: me, jump: 'a b'}", `line 5: ssh.jump: "a b": "a b" is not the name of a host`},
		{"ssh: {user: me, jump: '[b]'}", `line 5: ssh.jump: "[b]": "[b]" is not the name of a host`},
		{"ssh: {user: me, jump: 'ssh://%zz@b'}", `line 5: ssh.jump: "ssh://%zz@b": has a user that cannot be read: invalid URL escape "%zz"`},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {transport: local, jump: b}}]}", "line 7: workers.hosts[0].ssh.jump: has no meaning with transport: local, which logs in nowhere; remove it"},
		{"ssh: {user: me, sudo: {password: prompt}}", ""},
		{"ssh: {user: me, sudo: {password: {file: ./p}}}", ""},
		{"ssh: {user: me, sudo: {password: {env: _a_B9}}}", ""},
		{"ssh: {user: me, sudo: {}}", "line 5: ssh.sudo.password: is required"},
		{"ssh: {user: me, sudo: ~}", "line 5: ssh.sudo.password: is required"},
		{"ssh: {user: me, sudo: prompt}", `line 5: ssh.sudo: must be a mapping (key: value), got "prompt"`},
		{"ssh: {user: me, sudo: {passwd: prompt}}", "line 5: ssh.sudo.passwd: unknown key; did you mean password?\nline 5: ssh.sudo.password: is required"},
		{"ssh: {user: me, sudo: {password: hunter2}}", "line 5: ssh.sudo.password: must be prompt, {file: ./password} or {env: VARIABLE}; a password itself does not belong into this file"},
		{"ssh: {user: me, sudo: {password: 5}}", "line 5: ssh.sudo.password: must be prompt, {file: ./password} or {env: VARIABLE}; a password itself does not belong into this file"},
		{"ssh: {user: me, sudo: {password: {hunter2: x}}}", "line 5: ssh.sudo.password: must be prompt, {file: ./password} or {env: VARIABLE}; a password itself does not belong into this file"},
		{"ssh: {user: me, sudo: {password: {file: a, env: B}}}", "line 5: ssh.sudo.password: must be prompt, {file: ./password} or {env: VARIABLE}; a password itself does not belong into this file"},
		{`ssh: {user: me, sudo: {password: {file: ""}}}`, "line 5: ssh.sudo.password.file: must not be empty"},
		{`ssh: {user: me, sudo: {password: {env: ""}}}`, "line 5: ssh.sudo.password.env: must not be empty"},
		{"ssh: {user: me, sudo: {password: {env: 9a}}}", "line 5: ssh.sudo.password.env: must be the name of a variable: letters, digits and _, no digit first"},
		{"ssh: {user: me, sudo: {password: {env: hunter-2}}}", "line 5: ssh.sudo.password.env: must be the name of a variable: letters, digits and _, no digit first"},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {transport: local, sudo: {password: prompt}}}]}", ""},
		{"ssh: [me]", "line 5: ssh: must be a mapping (key: value), got a list"},
		{"ssh: me", `line 5: ssh: must be a mapping (key: value), got "me"`},
		// endpoint
		{"controlPlane: {endpoint: api.lab, hosts: [{name: cp1, address: 192.0.2.1}]}", "line 6: controlPlane.endpoint: has no port; write api.lab:6443"},
		{"controlPlane: {endpoint: 192.0.2.9, hosts: [{name: cp1, address: 192.0.2.1}]}", "line 6: controlPlane.endpoint: has no port; write 192.0.2.9:6443"},
		{`controlPlane: {endpoint: "fd00::9", hosts: [{name: cp1, address: 192.0.2.1}]}`, "line 6: controlPlane.endpoint: has no port; write [fd00::9]:6443"},
		{`controlPlane: {endpoint: "https://api.lab:6443", hosts: [{name: cp1, address: 192.0.2.1}]}`, `line 6: controlPlane.endpoint: must be host:port, such as api.example.org:6443, got "https://api.lab:6443"`},
		{`controlPlane: {endpoint: "api.lab:0", hosts: [{name: cp1, address: 192.0.2.1}]}`, `line 6: controlPlane.endpoint: must end in a port from 1 to 65535, got "0"`},
		{`controlPlane: {endpoint: "api.lab:65535", hosts: [{name: cp1, address: 192.0.2.1}]}`, ""},
		{`controlPlane: {endpoint: "api.lab:65536", hosts: [{name: cp1, address: 192.0.2.1}]}`, `line 6: controlPlane.endpoint: must end in a port from 1 to 65535, got "65536"`},
		{`controlPlane: {endpoint: "api.lab:", hosts: [{name: cp1, address: 192.0.2.1}]}`, `line 6: controlPlane.endpoint: must end in a port from 1 to 65535, got ""`},
		{`controlPlane: {endpoint: "api.lab:https", hosts: [{name: cp1, address: 192.0.2.1}]}`, `line 6: controlPlane.endpoint: must end in a port from 1 to 65535, got "https"`},
		{`controlPlane: {endpoint: ":6443", hosts: [{name: cp1, address: 192.0.2.1}]}`, `line 6: controlPlane.endpoint: "" is neither an IP address nor a DNS name in lower case`},
		{`controlPlane: {endpoint: "API.lab:6443", hosts: [{name: cp1, address: 192.0.2.1}]}`, `line 6: controlPlane.endpoint: "API.lab" is neither an IP address nor a DNS name in lower case`},
		{`controlPlane: {endpoint: "[fe80::1%eth0]:6443", hosts: [{name: cp1, address: 192.0.2.1}]}`, `line 6: controlPlane.endpoint: "fe80::1%eth0" is neither an IP address nor a DNS name in lower case`},
		{`controlPlane: {endpoint: "[fd00::1]:6443", hosts: [{name: cp1, address: 192.0.2.1}]}`, "line 6: controlPlane.endpoint: fd00::1 and serviceSubnet 10.96.0.0/12 must be of the same IP family"},
		{`controlPlane: {endpoint: "10.244.1.1:6443", hosts: [{name: cp1, address: 192.0.2.1}]}`, "line 6: controlPlane.endpoint: 10.244.1.1 is inside podSubnet 10.244.0.0/16; choose another subnet"},
		{`controlPlane: {endpoint: "10.96.0.1:6443", hosts: [{name: cp1, address: 192.0.2.1}]}`, "line 6: controlPlane.endpoint: 10.96.0.1 is inside serviceSubnet 10.96.0.0/12; choose another subnet"},
		// hosts
		{"controlPlane:", "line 6: controlPlane.hosts: is required"},
		{"controlPlane: 5", "line 6: controlPlane: must be a mapping (key: value), got the number 5"},
		{"controlPlane: {hosts: []}", "line 6: controlPlane.hosts: must have at least one host"},
		{"controlPlane: {hosts: }", "line 6: controlPlane.hosts: must have at least one host"},
		{"controlPlane: {hosts: [5]}", "line 6: controlPlane.hosts[0]: must be a mapping such as {name: w1, address: 192.0.2.21}, got the number 5"},
		{"controlPlane: {hosts: [[a]]}", "line 6: controlPlane.hosts[0]: must be a mapping (key: value), got a list"},
		{"controlPlane: {hosts: [{}]}", "line 6: controlPlane.hosts[0].name: is required\nline 6: controlPlane.hosts[0].address: is required"},
		{"controlPlane: {hosts: [{}, {}]}", "line 6: controlPlane.hosts[0].name: is required\nline 6: controlPlane.hosts[0].address: is required\nline 6: controlPlane.hosts[1].name: is required\nline 6: controlPlane.hosts[1].address: is required\nwarning: line 6: controlPlane.hosts: 2 control-plane hosts survive no more failures than 1; use an odd number"},
		{"controlPlane: {hosts: cp1}", `line 6: controlPlane.hosts: must be a list, got "cp1"`},
		{"controlPlane: {schedulable: 1, hosts: [{name: cp1, address: 192.0.2.1}]}", "line 6: controlPlane.schedulable: must be true or false, got the number 1"},
		{"controlPlane: {hosts: [{name: cp1, address: 192.0.2.1}, {name: cp2, address: 192.0.2.2}]}", "warning: line 6: controlPlane.hosts: 2 control-plane hosts survive no more failures than 1; use an odd number"},
		{"controlPlane: {hosts: [{name: cp1, address: 192.0.2.1}, {name: cp2, address: 192.0.2.2}, {name: cp3, address: 192.0.2.4}]}", ""},
		{"controlPlane: {hosts: [{name: cp1, address: 192.0.2.1}, {name: cp2, address: 192.0.2.2}, {name: cp3, address: 192.0.2.4}, {name: cp4, address: 192.0.2.5}]}", "warning: line 6: controlPlane.hosts: 4 control-plane hosts survive no more failures than 3; use an odd number"},
		{"workers:", ""},
		{"workers: {hosts: }", ""},
		{"workers: {hosts: [{name: cp1, address: 192.0.2.3}]}", "line 7: workers.hosts[0].name: cp1 is the name of controlPlane.hosts[0] already"},
		{"workers: {hosts: [{name: w1, address: 192.0.2.1}]}", "line 7: workers.hosts[0].address: 192.0.2.1 is the address of controlPlane.hosts[0] already"},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3}, {name: w1, address: 192.0.2.3}]}", "line 7: workers.hosts[1].name: w1 is the name of workers.hosts[0] already\nline 7: workers.hosts[1].address: 192.0.2.3 is the address of workers.hosts[0] already"},
		{"workers: {hosts: [{name: w1, address: 0.0.0.0}]}", "line 7: workers.hosts[0].address: 0.0.0.0 is not the address of a machine other hosts can reach"},
		{"workers: {hosts: [{name: w1, address: 127.0.0.1}]}", "line 7: workers.hosts[0].address: 127.0.0.1 is not the address of a machine other hosts can reach"},
		{"workers: {hosts: [{name: w1, address: 224.0.0.1}]}", "line 7: workers.hosts[0].address: 224.0.0.1 is not the address of a machine other hosts can reach"},
		{`workers: {hosts: [{name: w1, address: "fe80::1%eth0"}]}`, `line 7: workers.hosts[0].address: "fe80::1%eth0" has a zone; give an address without one`},
		{`workers: {hosts: [{name: w1, address: "::ffff:192.0.2.3"}]}`, "line 7: workers.hosts[0].address: write the IPv4 address as 192.0.2.3"},
		{`workers: {hosts: [{name: w1, address: "fd00::3"}]}`, "line 7: workers.hosts[0].address: fd00::3 and serviceSubnet 10.96.0.0/12 must be of the same IP family"},
		{"workers: {hosts: [{name: w1, address: w1}]}", `line 7: workers.hosts[0].address: "w1" is a host name; give the IP address, which must not change`},
		{"workers: {hosts: [{name: w1, address: W1.lab}]}", `line 7: workers.hosts[0].address: "W1.lab" is a host name; give the IP address, which must not change`},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3/32}]}", `line 7: workers.hosts[0].address: "192.0.2.3/32" is a subnet; give the host's IP address alone`},
		{`workers: {hosts: [{name: w1, address: "192.0.2.3:22"}]}`, `line 7: workers.hosts[0].address: "192.0.2.3:22" has a port; give the address alone and set ssh.port`},
		{`workers: {hosts: [{name: w1, address: "[fd00::3]:22"}]}`, `line 7: workers.hosts[0].address: "[fd00::3]:22" has a port; give the address alone and set ssh.port`},
		{`workers: {hosts: [{name: w1, address: "w1:22"}]}`, `line 7: workers.hosts[0].address: "w1:22" is not an IP address`},
		{"workers: {hosts: [{name: w1, address: 192.0.2}]}", `line 7: workers.hosts[0].address: "192.0.2" is not an IP address`},
		{"workers: {hosts: [{name: w1, address: 192.0.2.300}]}", `line 7: workers.hosts[0].address: "192.0.2.300" is not an IP address`},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {user: \"a b\"}}]}\nssh: {}", `line 7: workers.hosts[0].ssh.user: "a b" is not a login name`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: web1, port: 2222}}]}`, ""},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: 127.0.0.1}}]}`, ""},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: "fe80::1%eth0"}}]}`, ""},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: Web_1.lab}}]}`, ""},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: "0.0.0.0"}}]}`, `line 7: workers.hosts[0].ssh.address: "0.0.0.0" is no address of one machine`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: "ff02::1"}}]}`, `line 7: workers.hosts[0].ssh.address: "ff02::1" is no address of one machine`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: me@web1}}]}`, `line 7: workers.hosts[0].ssh.address: "me@web1" has a user; give the host's name alone and set ssh.user`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: "web1:2222"}}]}`, `line 7: workers.hosts[0].ssh.address: "web1:2222" has a port; give the host's name alone and set ssh.port`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: "[::1]:2222"}}]}`, `line 7: workers.hosts[0].ssh.address: "[::1]:2222" has a port; give the host's name alone and set ssh.port`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: "ssh://web1"}}]}`, `line 7: workers.hosts[0].ssh.address: "ssh://web1" is a URL; give the host's name alone, and its user and port as ssh.user and ssh.port`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: "127.0.0.01"}}]}`, `line 7: workers.hosts[0].ssh.address: "127.0.0.01" has leading zeros, which some programs take for octal; write 127.0.0.1`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: "-oProxyCommand=x"}}]}`, `line 7: workers.hosts[0].ssh.address: "-oProxyCommand=x" is neither an IP address nor a name that ssh takes`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: "a b"}}]}`, `line 7: workers.hosts[0].ssh.address: "a b" is neither an IP address nor a name that ssh takes`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: "$(x)"}}]}`, `line 7: workers.hosts[0].ssh.address: "$(x)" is neither an IP address nor a name that ssh takes`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: web1}}, {name: w2, address: 192.0.2.4, ssh: {address: WEB1, user: x}}]}`, "line 7: workers.hosts[1].ssh.address: WEB1 leads to workers.hosts[0] already; two hosts behind one address differ in ssh.port"},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: web1, port: 2222}}, {name: w2, address: 192.0.2.4, ssh: {address: web1, port: 2200}}]}`, ""},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {address: 127.0.0.1, transport: local}}]}`, "line 7: workers.hosts[0].ssh.address: has no meaning with transport: local, which logs in nowhere; remove it"},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {hostKey: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"}}]}`, ""},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {hostKey: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}}]}`, "line 7: workers.hosts[0].ssh.hostKey: is not a fingerprint; one is SHA256: and 43 characters of base64, as `ssh-keygen -lf` shows it"},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {hostKey: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA"}}]}`, "line 7: workers.hosts[0].ssh.hostKey: is not a fingerprint; one is SHA256: and 43 characters of base64, as `ssh-keygen -lf` shows it"},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {hostKey: "MD5:aa:bb"}}]}`, `line 7: workers.hosts[0].ssh.hostKey: is neither a public key ("ssh-ed25519 AAAA…") nor a fingerprint ("SHA256:…")`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {hostKey: "ssh-ed25519 AAAA"}}]}`, `line 7: workers.hosts[0].ssh.hostKey: is neither a public key ("ssh-ed25519 AAAA…") nor a fingerprint ("SHA256:…")`},
		{"workers: {hosts: [{name: w1.rack-2.lab.example, address: 192.0.2.3, nodeName: ip-192-0-2-3.ec2.internal}]}", ""},
		{"workers: {hosts: [{name: w1..lab, address: 192.0.2.3}]}", `line 7: workers.hosts[0].name: "w1..lab" is not a DNS label (1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends), nor several with dots between them and 63 characters in all`},
		{"workers: {hosts: [{name: " + strings.Repeat("a.", 31) + "aa, address: 192.0.2.3}]}", `line 7: workers.hosts[0].name: "` + strings.Repeat("a.", 31) + `aa" is not a DNS label (1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends), nor several with dots between them and 63 characters in all`},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, nodeName: W1.Lab}]}", `line 7: workers.hosts[0].nodeName: "W1.Lab" is not a DNS label (1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends), nor several with dots between them and 63 characters in all; did you mean w1.lab?`},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, nodeName: w2}, {name: w2, address: 192.0.2.4}]}", "line 7: workers.hosts[1].name: w2 is the name of the node of workers.hosts[0] already"},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, nodeName: a}, {name: w2, address: 192.0.2.4, nodeName: a}]}", "line 7: workers.hosts[1].nodeName: a is the name of the node of workers.hosts[0] already"},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, nodeName: w2}, {name: w2, address: 192.0.2.4, nodeName: w1}]}", ""},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3}, {name: w1, address: 192.0.2.4}]}", "line 7: workers.hosts[1].name: w1 is the name of workers.hosts[0] already"},
		// labels and taints
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, labels: [a]}]}", "line 7: workers.hosts[0].labels: must be a mapping (key: value), got a list"},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, labels: {a: }}]}", "line 7: workers.hosts[0].labels.a: has no value; give one or remove the key"},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, labels: {a: 1}}]}", `line 7: workers.hosts[0].labels.a: must be text, got the number 1; put it in quotes: "1"`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, labels: {a: "b\nc"}}]}`, "line 7: workers.hosts[0].labels.a: contains a control character or a line break"},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, labels: {a: b c, "d e": f}}]}`, "line 7: workers.hosts[0].labels.a: the label's value \"b c\" must be at most 63 of letters, digits, -, _ and ., with a letter or digit at both ends\nline 7: workers.hosts[0].labels[\"d e\"]: the label's key \"d e\" must have a name of 1 to 63 letters, digits, -, _ and ., with a letter or digit at both ends"},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, labels: {"d e": f g}}]}`, "line 7: workers.hosts[0].labels[\"d e\"]: the label's key \"d e\" must have a name of 1 to 63 letters, digits, -, _ and ., with a letter or digit at both ends"},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, labels: {1: a}}]}", "line 7: workers.hosts[0].labels: has a key that is not text: the number 1"},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, labels: {"": a}}]}`, `line 7: workers.hosts[0].labels: has a key that is not text: ""`},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, labels: {[a]: a}}]}", "line 7: workers.hosts[0].labels: has a key that is not text: a list"},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, labels: {A.b/c: x}}]}", `line 7: workers.hosts[0].labels["A.b/c"]: the label's key "A.b/c" must have a DNS name of at most 253 characters, in lower case, before the /`},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, taints: "a:NoExecute"}]}`, `line 7: workers.hosts[0].taints: must be a list, got "a:NoExecute"`},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, taints: [a=b:NoExecute, a=c:NoSchedule, a=d:NoExecute]}]}", "line 7: workers.hosts[0].taints[2]: another taint here has the key a and the effect NoExecute"},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, taints: ["-a:NoExecute", "-a:NoExecute"]}]}`, "line 7: workers.hosts[0].taints[0]: the taint's key \"-a\" must have a name of 1 to 63 letters, digits, -, _ and ., with a letter or digit at both ends\nline 7: workers.hosts[0].taints[1]: the taint's key \"-a\" must have a name of 1 to 63 letters, digits, -, _ and ., with a letter or digit at both ends"},
		{"workers: {hosts: [{name: w1, address: 192.0.2.3, taints: [[a]]}]}", "line 7: workers.hosts[0].taints[0]: must be text, got a list"},
		{`controlPlane: {endpoint: "", hosts: [{name: cp1, address: 192.0.2.1}]}`, "line 6: controlPlane.endpoint: must not be empty"},
		{`workers: {hosts: [{name: w1, address: ""}]}`, "line 7: workers.hosts[0].address: must not be empty"},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {hostKey: ""}}]}`, "line 7: workers.hosts[0].ssh.hostKey: must not be empty"},
		{`workers: {hosts: [{name: w1, address: 192.0.2.3, ssh: {hostKey: [a]}}]}`, "line 7: workers.hosts[0].ssh.hostKey: must be text, got a list"},
	}
}
