package inventory

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestStarter(t *testing.T) {
	c, warnings, err := Parse("cluster.yaml", Starter())
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	var names []string
	for _, h := range c.Hosts() {
		names = append(names, h.Name+" "+string(h.Role))
	}
	if got := strings.Join(names, ", "); got != "cp1 control-plane, w1 worker, w2 worker" {
		t.Errorf("hosts %s", got)
	}
	if h, ok := c.Host("w2"); !ok || h.Address != netip.MustParseAddr("192.0.2.22") {
		t.Errorf("Host(w2) = %v, %v", h, ok)
	}
	if _, ok := c.Host("w9"); ok {
		t.Error("found a host that does not exist")
	}
	if c.ControlPlane.Endpoint != "192.0.2.11:6443" || !slices.Contains(strings.Split(string(Starter()), "\n"), "kind: Cluster") {
		t.Errorf("endpoint %s", c.ControlPlane.Endpoint)
	}
}

// TestStarterFor has the hosts in the starter that were asked for, and all else as it is.
func TestStarterFor(t *testing.T) {
	host := func(address, user string, port int, name string) Host {
		return Host{Name: name, Address: netip.MustParseAddr(address), SSH: SSH{User: user, Port: port}}
	}
	alias := func(h Host, address string) Host {
		h.SSH.Address = address
		return h
	}
	for name, hosts := range map[string][]Host{
		"one":      {host("192.0.2.31", "root", 0, "cp1")},
		"nobody":   {host("192.0.2.31", "", 0, "cp1"), host("192.0.2.32", "", 22, "w1")},
		"ports":    {host("192.0.2.31", "me", 2222, "cp1"), host("192.0.2.32", "me", 0, "w1"), host("192.0.2.33", "you", 2222, "w2")},
		"aliases":  {host("192.0.2.31", "me", 2222, "cp1"), alias(host("192.0.2.32", "", 0, "w1"), "web1"), alias(host("192.0.2.33", "you", 0, "w2"), "127.0.0.1")},
		"port22":   {host("192.0.2.31", "me", 22, "cp1"), host("192.0.2.32", "me", 22, "w1")},
		"ipv6":     {host("2001:db8::1", "me", 0, "cp1"), host("2001:db8::2", "me", 0, "w1")},
		"clash":    {host("10.244.0.7", "me", 0, "cp1"), host("10.100.0.7", "me", 0, "w1")},
		"examples": nil,
	} {
		text, err := StarterFor(hosts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		golden(t, "testdata/starter/"+name+".golden", string(text))
		c, warnings, err := Parse("", text)
		if err != nil || len(warnings) > 0 || hosts != nil && len(c.Hosts()) != len(hosts) || c.Kubernetes.Source != SourcePackages {
			t.Errorf("%s: %v, %v, %v", name, c, warnings, err)
			continue
		}
		for i, want := range hosts {
			got := c.Hosts()[i]
			want.SSH.Transport = TransportSSH
			if got.Name != want.Name || got.Address != want.Address || !reflect.DeepEqual(got.SSH, want.SSH) {
				t.Errorf("%s: got %+v, want %+v", name, got, want)
			}
		}
	}
	all := []Host{host("10.244.0.7", "", 0, "cp1"), host("172.20.0.7", "", 0, "w1")}
	if _, err := StarterFor(all); err == nil || !strings.Contains(err.Error(), "is inside podSubnet") {
		t.Errorf("hosts within all subnets for pods: %v", err)
	}
}

// TestDraft writes all that a draft can have, and leaves the starter's own where it has nothing.
func TestDraft(t *testing.T) {
	host := func(name, address string, role Role, ssh SSH) Host {
		return Host{Name: name, Address: netip.MustParseAddr(address), Role: role, SSH: ssh}
	}
	labelled := host("w1", "10.0.0.2", RoleWorker, SSH{User: "me", Address: "203.0.113.2", IdentityFile: "~/k 2", Jump: []string{"a@gate:2200", "b"}})
	labelled.Labels, labelled.Taints, labelled.Node = map[string]string{"disk": "ssd", "on": "yes"}, []Taint{{Key: "gpu", Value: "true", Effect: "NoSchedule"}}, "w1.lab"
	draft := Draft{
		Name: "north", Version: "1.36.3", PodSubnet: "10.245.0.0/16", ServiceSubnet: "10.97.0.0/16", Endpoint: "api.lab.example:6443", Schedulable: true,
		Comments: []string{"Made by hand.", "  line 3: a\nb: \x1b[31m\u2028c", ""},
		Hosts: []Host{
			labelled, host("cp1", "10.0.0.1", RoleControlPlane, SSH{User: "me", Port: 2222, IdentityFile: "~/k", Jump: []string{"a@gate:2200", "b"}}),
			host("here", "10.0.0.3", RoleWorker, SSH{Transport: TransportLocal}),
		},
	}
	text, err := draft.File()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/starter/draft.golden", string(text))
	c, _, err := Parse("", text)
	if err != nil {
		t.Fatal(err)
	}
	w1, _ := c.Host("w1")
	if w1.SSH.Address != "203.0.113.2" || w1.SSH.Port != 0 || !slices.Equal(w1.SSH.Jump, []string{"a@gate:2200", "b"}) || len(w1.Labels) != 2 || w1.NodeName() != "w1.lab" {
		t.Errorf("w1 is %+v", w1)
	}
	if here, _ := c.Host("here"); here.SSH.Transport != TransportLocal || here.SSH.User == "me" || here.SSH.Jump != nil {
		t.Errorf("here is %+v", here)
	}
	draft.Version = "1.20.0"
	if _, err := draft.File(); err == nil || !strings.Contains(err.Error(), "kubernetes.version") {
		t.Errorf("a version that is not supported: %v", err)
	}
}

// TestStarterVersion is what the starter has.
func TestStarterVersion(t *testing.T) {
	if !strings.Contains(starter, "\n  version: "+StarterVersion+"\n") {
		t.Error("another version is in the starter")
	}
}

// TestNameHosts keeps names that are some, and are one host's.
func TestNameHosts(t *testing.T) {
	hosts := []Host{{Role: RoleControlPlane}, {Role: RoleWorker, Name: "w1"}, {Role: RoleWorker, Name: "a_b"}, {Role: RoleControlPlane, Name: "x"}, {Role: RoleWorker, Name: "x"}, {Name: "n.lab"}}
	NameHosts(hosts)
	var names []string
	for _, h := range hosts {
		names = append(names, h.Name)
	}
	if got := strings.Join(names, " "); got != "cp1 w1 w2 cp2 w3 n.lab" {
		t.Errorf("got %s", got)
	}
}
