package inventory

import (
	"net/netip"
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
			if got.Name != want.Name || got.Address != want.Address || got.SSH != want.SSH {
				t.Errorf("%s: got %+v, want %+v", name, got, want)
			}
		}
	}
	all := []Host{host("10.244.0.7", "", 0, "cp1"), host("172.20.0.7", "", 0, "w1")}
	if _, err := StarterFor(all); err == nil || !strings.Contains(err.Error(), "is inside podSubnet") {
		t.Errorf("hosts within all subnets for pods: %v", err)
	}
}
