package inventory

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

const editHead = "apiVersion: fairlead/v1\nkind: Cluster\nname: lab # the lab\n\nkubernetes: {version: 1.37.2, bundle: /b}\nssh: {user: me}\n"

func worker(name, address string) Host {
	return Host{Name: name, Address: netip.MustParseAddr(address), Role: RoleWorker}
}

// addCases gives texts after editHead, and what they are once w9 is added.
func addCases() map[string][2]string {
	const cp = "controlPlane:\n  hosts:\n    - {name: cp1, address: 192.0.2.1}\n"
	const w9 = "{name: w9, address: 192.0.2.9}"
	return map[string][2]string{
		"flow items": {
			cp + "workers:\n  hosts:\n    # first\n    - {name: w1, address: 192.0.2.3} # one\n\n# end\n",
			cp + "workers:\n  hosts:\n    # first\n    - {name: w1, address: 192.0.2.3} # one\n    - " + w9 + "\n\n# end\n",
		},
		"block items, list not indented": {
			"workers:\n  hosts:\n  -   name: w1\n      address: 192.0.2.3\n      # labels: {}\n  # more\n" + cp,
			"workers:\n  hosts:\n  -   name: w1\n      address: 192.0.2.3\n      # labels: {}\n  -   name: w9\n      address: 192.0.2.9\n  # more\n" + cp,
		},
		"no line break at the end": {
			cp + "workers:\n  hosts:\n    - name: w1\n      address: 192.0.2.3",
			cp + "workers:\n  hosts:\n    - name: w1\n      address: 192.0.2.3\n    - name: w9\n      address: 192.0.2.9",
		},
		"item over several lines": {
			cp + "workers:\n  hosts:\n    - {name: w1,\n    address: 192.0.2.3, labels: {a: \"}\" # }\n    }}\n",
			"",
		},
		"dash on its own line": {
			cp + "workers:\n  hosts:\n    -\n      name: w1\n      address: 192.0.2.3\n",
			cp + "workers:\n  hosts:\n    -\n      name: w1\n      address: 192.0.2.3\n    - name: w9\n      address: 192.0.2.9\n",
		},
		"flow item with lines at the dash": {
			cp + "workers:\n  hosts:\n    - {\n      name: w1, # the } one\n      address: '192.0.2.3'\n    }\n",
			cp + "workers:\n  hosts:\n    - {\n      name: w1, # the } one\n      address: '192.0.2.3'\n    }\n    - " + w9 + "\n",
		},
		"empty list": {
			"workers:\n  hosts: []  # none yet\n" + cp,
			"workers:\n  hosts:  # none yet\n    - " + w9 + "\n" + cp,
		},
		"empty list at the end": {cp + "workers:\n  hosts: []", cp + "workers:\n  hosts:\n    - " + w9},
		"flow list": {
			cp + "workers: {hosts: [{name: w1, address: 192.0.2.3}]} # one\n",
			cp + "workers: {hosts: [{name: w1, address: 192.0.2.3}, " + w9 + "]} # one\n",
		},
		"flow list, an item per line": {
			cp + "workers:\n  hosts: [\n    {name: w1, address: 192.0.2.3}, # one\n    {name: w2, address: 192.0.2.4} # two\n  ]\n",
			cp + "workers:\n  hosts: [\n    {name: w1, address: 192.0.2.3}, # one\n    {name: w2, address: 192.0.2.4},\n    " + w9 + " # two\n  ]\n",
		},
		"flow list, comma at the end": {
			cp + "workers: {hosts: [{name: w1, address: 192.0.2.3},]}\n",
			cp + "workers: {hosts: [{name: w1, address: 192.0.2.3}, " + w9 + ",]}\n",
		},
		"empty flow section": {cp + "workers: {hosts: []}\n", cp + "workers: {hosts: [" + w9 + "]}\n"},
		"CR LF": {
			strings.ReplaceAll(cp+"workers:\n  hosts:\n    - {name: w1, address: 192.0.2.3}\n", "\n", "\r\n"),
			strings.ReplaceAll(cp+"workers:\n  hosts:\n    - {name: w1, address: 192.0.2.3}\n    - "+w9+"\n", "\n", "\r\n"),
		},
		"letters beyond ASCII": {
			cp + "workers: {\"hosts\": [{labels: {}, name: w1, address: 192.0.2.3}, # größer → ]\n {name: w2, address: 192.0.2.4}]}\n",
			cp + "workers: {\"hosts\": [{labels: {}, name: w1, address: 192.0.2.3}, # größer → ]\n {name: w2, address: 192.0.2.4},\n " + w9 + "]}\n",
		},
	}
}

// oneWayCases are as addCases, but removing w9 leaves an empty list behind.
func oneWayCases() map[string][2]string {
	const cp = "controlPlane:\n  hosts:\n    - {name: cp1, address: 192.0.2.1}\n"
	const w9 = "{name: w9, address: 192.0.2.9}"
	return map[string][2]string{
		"no section":       {cp + "# end\n", cp + "workers:\n  hosts:\n    - " + w9 + "\n# end\n"},
		"no section, flow": {"controlPlane: {hosts: [{name: cp1,\naddress: 192.0.2.1}]}\n", "controlPlane: {hosts: [{name: cp1,\naddress: 192.0.2.1}]}\nworkers:\n  hosts:\n    - " + w9 + "\n"},
		"empty section":    {"workers: # none\n" + cp, "workers: # none\n  hosts:\n    - " + w9 + "\n" + cp},
		"empty hosts":      {"workers:\n  hosts:\n" + cp, "workers:\n  hosts:\n    - " + w9 + "\n" + cp},
		"null hosts":       {"workers:\n  hosts: null # x\n" + cp, "workers:\n  hosts: # x\n    - " + w9 + "\n" + cp},
		"no hosts, flow":   {"workers: {}\n" + cp, "workers: {hosts: [" + w9 + "]}\n" + cp},
		"document end":     {cp + "...\n", cp + "workers:\n  hosts:\n    - " + w9 + "\n...\n"},
	}
}

func TestAddAndRemove(t *testing.T) {
	for name, c := range addCases() {
		t.Run(name, func(t *testing.T) {
			before := editHead + c[0]
			if strings.Contains(c[0], "\r\n") {
				before = strings.ReplaceAll(editHead, "\n", "\r\n") + c[0]
			}
			got, err := AddHost([]byte(before), RoleWorker, worker("w9", "192.0.2.9"))
			if c[1] == "" {
				if err == nil {
					t.Errorf("no error; got:\n%s", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(string(got), c[1]) || len(got)-len(before) != len(c[1])-len(c[0]) {
				t.Fatalf("got:\n%s\nwant:\n%s", got, c[1])
			}
			back, err := RemoveHost(got, "w9")
			if err != nil {
				t.Fatal(err)
			}
			if string(back) != before {
				t.Errorf("after removal:\n%s\nwant:\n%s", back, before)
			}
		})
	}
}

func TestAddOneWay(t *testing.T) {
	for name, c := range oneWayCases() {
		t.Run(name, func(t *testing.T) {
			got, err := AddHost([]byte(editHead+c[0]), RoleWorker, worker("w9", "192.0.2.9"))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != editHead+c[1] {
				t.Fatalf("got:\n%s\nwant:\n%s", got, c[1])
			}
			back, err := RemoveHost(got, "w9")
			if err != nil {
				t.Fatal(err)
			}
			again, err := AddHost(back, RoleWorker, worker("w9", "192.0.2.9"))
			if err != nil || string(again) != string(got) {
				t.Errorf("removed and added again: %v\n%s", err, again)
			}
		})
	}
}

func TestAddToJSON(t *testing.T) {
	before := readFile(t, "testdata/valid/json.yaml")
	h := worker("w1", "fd00::9")
	h.Labels = map[string]string{"disk": "ssd"}
	got, err := AddHost(before, RoleWorker, h)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSuffix(string(before), "\n}\n") +
		",\n  \"workers\": {\"hosts\": [{\"name\": \"w1\", \"address\": \"fd00::9\", \"labels\": {\"disk\": \"ssd\"}}]}\n}\n"
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestAddFullHost(t *testing.T) {
	h := Host{
		Name: "1", Address: netip.MustParseAddr("192.0.2.77"),
		SSH:    SSH{Transport: TransportSSH, User: "yes", Port: 2200, IdentityFile: "/k y", KnownHosts: "/kh", HostKey: "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"},
		Labels: map[string]string{"b": "true", "a.b/c": "", "1": "1.5", "on": "off"},
		Taints: []Taint{{"gpu", "true", "NoSchedule"}, {"x", "", "NoExecute"}},
	}
	for _, role := range []Role{RoleControlPlane, RoleWorker} {
		out, err := AddHost(Starter(), role, h)
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := Parse("f", out)
		if err != nil {
			t.Fatal(err)
		}
		h.Role = role
		if got, ok := c.Host("1"); !ok || !reflect.DeepEqual(got, h) {
			t.Errorf("%s: got %+v, want %+v", role, got, h)
		}
	}
}

// TestAddThisMachine adds a host that is reached without SSH: what others log in with is not its own.
func TestAddThisMachine(t *testing.T) {
	out, err := AddHost(Starter(), RoleWorker, Host{Name: "w9", Address: netip.MustParseAddr("192.0.2.77"), SSH: SSH{Transport: TransportLocal}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "- {name: w9, address: 192.0.2.77, ssh: {transport: local}}\n"; !strings.Contains(string(out), want) {
		t.Errorf("got\n%s\nwithout %s", out, want)
	}
	if out, err = RemoveHost(out, "w9"); err != nil || string(out) != string(Starter()) {
		t.Errorf("removed again: %v\n%s", err, out)
	}
}

// TestAddContainer adds a host to a cluster of containers: it is called as its container.
func TestAddContainer(t *testing.T) {
	lab := strings.Replace(editHead, "{user: me}", "{transport: docker, context: lab}", 1) + "controlPlane: {hosts: [{name: cp1, address: 192.0.2.1}]}\n"
	out, err := AddHost([]byte(lab), RoleWorker, Host{Name: "w9", Address: netip.MustParseAddr("192.0.2.77"), SSH: SSH{Container: "node-9"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "{name: w9, address: 192.0.2.77, ssh: {container: node-9}}"; !strings.Contains(string(out), want) {
		t.Errorf("got\n%s\nwithout %s", out, want)
	}
	c, _, err := Parse("f", out)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Workers[0].SSH; !reflect.DeepEqual(got, SSH{Transport: TransportDocker, User: "root", Container: "node-9", Context: "lab"}) {
		t.Errorf("got %+v", got)
	}
}

// TestAddWithSudo adds a host with a password of its own for sudo, or that of all.
func TestAddWithSudo(t *testing.T) {
	base := strings.Replace(string(Starter()), "  # sudo: {password: prompt}\n", "  sudo: {password: prompt}\n", 1)
	for want, from := range map[string]PasswordSource{
		"ssh: {sudo: {password: {file: \"/lab/p w\"}}}}": {File: "/lab/p w"}, "ssh: {sudo: {password: {env: LAB}}}}": {Env: "LAB"},
		"address: 192.0.2.77}": {Prompt: true}, "address: 192.0.2.77}\n": {},
	} {
		h := Host{Name: "w9", Address: netip.MustParseAddr("192.0.2.77"), SSH: SSH{Sudo: Sudo{Password: from}}}
		out, err := AddHost([]byte(base), RoleWorker, h)
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%+v: %v, in\n%s", from, err, out)
			continue
		}
		if c, _, err := Parse("f", out); err != nil || c.Workers[2].SSH.Sudo.Password != from && from.Given() {
			t.Errorf("%+v: %v, %+v", from, err, c)
		}
	}
	out, err := AddHost(Starter(), RoleWorker, Host{Name: "w9", Address: netip.MustParseAddr("192.0.2.77"), SSH: SSH{Sudo: Sudo{Password: PasswordSource{Prompt: true}}}})
	if err != nil || !strings.Contains(string(out), "ssh: {sudo: {password: prompt}}}") {
		t.Errorf("%v, in\n%s", err, out)
	}
}

func TestEditErrors(t *testing.T) {
	const cp = editHead + "controlPlane:\n  hosts:\n    - {name: cp1, address: 192.0.2.1}\n"
	add := func(data string, h Host) error { _, err := AddHost([]byte(data), RoleWorker, h); return err }
	remove := func(data, name string) error { _, err := RemoveHost([]byte(data), name); return err }
	shared := strings.Replace(cp, "hosts:\n    - {", "hosts: &h\n    - {", 1)
	twice := strings.Replace(cp, "hosts:", "hosts: &h", 1) + "workers: {hosts: *h}\n"
	tests := map[string]struct {
		err  error
		want string
	}{
		"name taken":     {add(cp, worker("cp1", "192.0.2.9")), "has a host of this name already"},
		"address taken":  {add(cp, worker("w9", "192.0.2.1")), "192.0.2.1 is the address of controlPlane.hosts[0] already"},
		"bad name":       {add(cp, worker("W 9", "192.0.2.9")), "line 12: workers.hosts[0].name: \"W 9\" is not a DNS label"},
		"no address":     {add(cp, Host{Name: "w9"}), "workers.hosts[0].address: must not be empty"},
		"broken file":    {add("a: [", worker("w9", "192.0.2.9")), "not valid YAML"},
		"unknown key":    {add(cp+"x: y\n", worker("w9", "192.0.2.9")), "x: unknown key"},
		"alias":          {add(twice, worker("w9", "192.0.2.9")), "add {name: w9, address: 192.0.2.9} to workers.hosts by hand"},
		"no such host":   {remove(cp, "w9"), "the file has no host of this name"},
		"last one":       {remove(cp, "cp1"), "must have at least one host"},
		"anchored list":  {remove(shared, "cp1"), "controlPlane.hosts by hand"},
		"remove, broken": {remove("", "w9"), "the file is empty"},
	}
	for name, test := range tests {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, test.err, test.want)
		}
	}
	if !errors.Is(tests["alias"].err, ErrShape) {
		t.Error("the alias error is not ErrShape")
	}
	var invalid *Invalid
	if !errors.As(tests["bad name"].err, &invalid) {
		t.Error("the bad name error is not *Invalid")
	}
}

func TestRemove(t *testing.T) {
	const cp = "controlPlane: {hosts: [{name: cp1, address: 192.0.2.1}]}\n"
	tests := map[string][3]string{
		"block, first":  {"w1", "workers:\n  hosts:\n    # one\n    - name: w1\n      address: 192.0.2.3\n      # x\n\n    # two\n    - {name: w2, address: 192.0.2.4}\n", "workers:\n  hosts:\n    # one\n\n    # two\n    - {name: w2, address: 192.0.2.4}\n"},
		"flow, first":   {"w1", "workers: {hosts: [{name: w1, address: 192.0.2.3}, {name: w2, address: 192.0.2.4}]}\n", "workers: {hosts: [{name: w2, address: 192.0.2.4}]}\n"},
		"flow, middle":  {"w2", "workers: {hosts: [{name: w1, address: 192.0.2.3}, {name: w2, address: 192.0.2.4}, {name: w3, address: 192.0.2.5}]}\n", "workers: {hosts: [{name: w1, address: 192.0.2.3}, {name: w3, address: 192.0.2.5}]}\n"},
		"flow, comment": {"w2", "workers:\n  hosts: [\n    {name: w1, address: 192.0.2.3}, # one\n    {name: w2, address: 192.0.2.4},\n    ]\n", "workers:\n  hosts: [\n    {name: w1, address: 192.0.2.3}, # one\n    \n    ]\n"},
		"only, comma":   {"w1", "workers: {hosts: [{name: w1, address: 192.0.2.3},]}\n", "workers: {hosts: []}\n"},
	}
	for name, test := range tests {
		got, err := RemoveHost([]byte(editHead+cp+test[1]), test[0])
		if err != nil || string(got) != editHead+cp+test[2] {
			t.Errorf("%s: %v; got:\n%s\nwant:\n%s", name, err, got, test[2])
		}
	}
}

// Names with dots, nodes of other names, and names that YAML would take for numbers.
func TestAddHostWithNode(t *testing.T) {
	const cp = "controlPlane:\n  hosts:\n    - {name: cp1, address: 192.0.2.1}\n"
	for want, host := range map[string]Host{
		"{name: w9.lab.example, address: 192.0.2.9, nodeName: ip-192-0-2-9}": {Name: "w9.lab.example", Node: "ip-192-0-2-9"},
		`{name: w9, address: 192.0.2.9, nodeName: "9.0"}`:                    {Name: "w9", Node: "9.0"},
		`{name: "1.5", address: 192.0.2.9}`:                                  {Name: "1.5"},
	} {
		host.Address = netip.MustParseAddr("192.0.2.9")
		got, err := AddHost([]byte(editHead+cp), RoleWorker, host)
		if want := editHead + cp + "workers:\n  hosts:\n    - " + want + "\n"; err != nil || string(got) != want {
			t.Errorf("%v; got:\n%s\nwant:\n%s", err, got, want)
		}
		cluster, _, err := Parse("/lab/cluster.yaml", got)
		if err != nil {
			t.Fatal(err)
		}
		if is := cluster.Workers[0]; is.Name != host.Name || is.Node != host.Node || is.NodeName() == "" {
			t.Errorf("it reads as %+v", is)
		}
	}
}
