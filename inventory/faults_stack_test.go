package inventory

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
)

func TestFaultsOfLoadBalancers(t *testing.T) { tryFaults(t, balancerFaults()) }

// balancerFaults are about the address that control planes share.
func balancerFaults() []faultRow {
	shared := func(keys string) string {
		return "controlPlane: {" + keys + ", hosts: [{name: cp1, address: 192.0.2.1}, {name: cp2, address: 192.0.2.2}, {name: cp4, address: 192.0.2.4}]}"
	}
	return []faultRow{
		{shared("loadBalancer: {vip: 192.0.2.10}"), ""},
		{shared("loadBalancer: {vip: 192.0.2.10, interface: bond0.100, port: 443}, endpoint: \"api.lab.example:443\""), ""},
		{shared("loadBalancer: {vip: 192.0.2.10}, endpoint: \"192.0.2.10:8443\""), ""},
		{shared("loadBalancer: {}"), "line 6: controlPlane.loadBalancer.vip: is required"},
		{shared("loadBalancer: 192.0.2.10"), `line 6: controlPlane.loadBalancer: must be a mapping (key: value), got "192.0.2.10"`},
		{shared("loadBalancer: {vip: 192.0.2.10, password: x}"), `line 6: controlPlane.loadBalancer.password: unknown key; the keys here are vip, interface, port`},
		{shared("loadBalancer: {vip: api.lab.example}"), `line 6: controlPlane.loadBalancer.vip: "api.lab.example" is a host name; give the IP address, which must not change`},
		{shared("loadBalancer: {vip: 192.0.2.10/24}"), `line 6: controlPlane.loadBalancer.vip: "192.0.2.10/24" is a subnet; give the host's IP address alone`},
		{shared("loadBalancer: {vip: 192.0.2.2}"), "line 6: controlPlane.loadBalancer.vip: 192.0.2.2 is the address of controlPlane.hosts[1]; give one that no host has"},
		{shared("loadBalancer: {vip: 192.0.2.3}"), "line 6: controlPlane.loadBalancer.vip: 192.0.2.3 is the address of workers.hosts[0]; give one that no host has"},
		{shared("loadBalancer: {vip: 10.96.0.9}"), "line 6: controlPlane.loadBalancer.vip: 10.96.0.9 is inside serviceSubnet 10.96.0.0/12; choose another subnet"},
		{shared("loadBalancer: {vip: \"2001:db8::10\"}"), "line 6: controlPlane.loadBalancer.vip: 2001:db8::10 and serviceSubnet 10.96.0.0/12 must be of the same IP family"},
		{shared("loadBalancer: {vip: 192.0.2.10, port: 6443}"), "line 6: controlPlane.loadBalancer.port: 6443 is the port of the API servers on the same hosts; leave it out for 8443"},
		{shared("loadBalancer: {vip: 192.0.2.10, port: 10250}"), "line 6: controlPlane.loadBalancer.port: 10250 is in use on every control plane; leave it out for 8443"},
		{shared("loadBalancer: {vip: 192.0.2.10, port: 70000}"), "line 6: controlPlane.loadBalancer.port: must be a port from 1 to 65535, got 70000"},
		{shared("loadBalancer: {vip: 192.0.2.10, interface: \"eth0 }\"}"), `line 6: controlPlane.loadBalancer.interface: "eth0 }" is not the name of a network interface, such as eth0`},
		{shared("loadBalancer: {vip: 192.0.2.10}, endpoint: \"api.lab.example:6443\""), "line 6: controlPlane.endpoint: must end in port 8443 of loadBalancer, got 6443; leave endpoint out, or give a name that leads to 192.0.2.10"},
		{shared("loadBalancer: {vip: 192.0.2.10}, endpoint: \"192.0.2.11:8443\""), "line 6: controlPlane.endpoint: 192.0.2.11 is another address than vip 192.0.2.10 of loadBalancer; leave endpoint out"},
	}
}

// What control planes share becomes the endpoint, and brings its programs along.
func TestLoadBalancer(t *testing.T) {
	const text = "apiVersion: fairlead/v1\nkind: Cluster\nname: lab\nkubernetes: {version: 1.37.2}\npackages: [haproxy, tini]\n" +
		"controlPlane: {loadBalancer: {vip: 192.0.2.10}, hosts: [{name: cp1, address: 192.0.2.1}]}\nworkers: {hosts: [{name: w1, address: 192.0.2.3}]}\n"
	c, _, err := Parse("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := (LoadBalancer{VIP: netip.MustParseAddr("192.0.2.10"), Port: 8443}); *c.ControlPlane.LoadBalancer != want || c.ControlPlane.Endpoint != "192.0.2.10:8443" {
		t.Errorf("load balancer %+v, endpoint %s", *c.ControlPlane.LoadBalancer, c.ControlPlane.Endpoint)
	}
	if is := strings.Join(c.PackagesOf(c.ControlPlane.Hosts[0]), " ") + ", " + strings.Join(c.PackagesOf(c.Workers[0]), " "); is != "haproxy tini keepalived, haproxy tini" {
		t.Errorf("packages are %s", is)
	}
}

func TestFaultsOfStacks(t *testing.T) { tryFaults(t, stackFaults()) }

// stackFaults are about clusters of two IP families, of IPv6 alone, and about the endpoint for people.
func stackFaults() []faultRow {
	const (
		six   = `kubernetes: {version: 1.37.2, bundle: b, podSubnet: "fd00:1::/56", serviceSubnet: "fd00:2::/112"}`
		dual  = `kubernetes: {version: 1.37.2, bundle: b, podSubnet: [10.244.0.0/16, "fd00:1::/56"], serviceSubnet: "10.96.0.0/12,fd00:2::/112"}`
		hosts = "\n" + `controlPlane: {hosts: [{name: cp1, address: [192.0.2.1, "2001:db8::1"]}]}` + "\n" + `workers: {hosts: [{name: w1, address: "192.0.2.3,2001:db8::3"}]}`
		two   = `must be two addresses, such as [192.0.2.11, "2001:db8::11"], as podSubnet and serviceSubnet are of two IP families`
	)
	kubernetes := func(keys string) string { return "kubernetes: {version: 1.37.2, bundle: b, " + keys + "}" }
	worker := func(address string) string {
		return dual + "\n" + `controlPlane: {hosts: [{name: cp1, address: [192.0.2.1, "2001:db8::1"]}]}` + "\nworkers: {hosts: [{name: w1, address: " + address + "}]}"
	}
	public := func(endpoint string) string {
		return "controlPlane: {publicEndpoint: " + endpoint + ", hosts: [{name: cp1, address: 192.0.2.1}]}"
	}
	return []faultRow{
		{dual + hosts, ""},
		{six + "\n" + `controlPlane: {endpoint: "[2001:db8::9]:6443", hosts: [{name: cp1, address: "2001:db8::1"}]}` + "\n" + `workers: {hosts: [{name: w1, address: "2001:db8::3"}]}`, ""},
		{six, "line 6: controlPlane.hosts[0].address: 192.0.2.1 and serviceSubnet fd00:2::/112 must be of the same IP family\nline 7: workers.hosts[0].address: 192.0.2.3 and serviceSubnet fd00:2::/112 must be of the same IP family"},
		{kubernetes(`podSubnet: [10.244.0.0/16, "fd00:1::/56"]`), "line 4: kubernetes.serviceSubnet: 10.96.0.0/12 and podSubnet 10.244.0.0/16,fd00:1::/56 must be of the same IP families, in the same order"},
		{kubernetes(`podSubnet: [10.244.0.0/16, "fd00:1::/56"], serviceSubnet: ["fd00:2::/112", 10.96.0.0/12]`) + strings.ReplaceAll(hosts, "192.0.2.", "2001:db9::"),
			"line 4: kubernetes.serviceSubnet: fd00:2::/112,10.96.0.0/12 and podSubnet 10.244.0.0/16,fd00:1::/56 must be of the same IP families, in the same order\nline 6: controlPlane.hosts[0].address: must be one address, or two of which one is of IPv4 and one of IPv6\nline 7: workers.hosts[0].address: must be one address, or two of which one is of IPv4 and one of IPv6"},
		{kubernetes("podSubnet: [10.0.0.0/8, 172.16.0.0/16]"), "line 4: kubernetes.podSubnet: must be one subnet, or two of which one is of IPv4 and one of IPv6"},
		{kubernetes(`podSubnet: [10.0.0.0/8, "fd00::/48", 172.16.0.0/16]`), "line 4: kubernetes.podSubnet: must be one subnet, or two of which one is of IPv4 and one of IPv6"},
		{kubernetes("podSubnet: []"), "line 4: kubernetes.podSubnet: must not be empty"},
		{kubernetes("podSubnet: [[a]]"), "line 4: kubernetes.podSubnet[0]: must be text, got a list"},
		{kubernetes("podSubnet: {a: b}"), "line 4: kubernetes.podSubnet: must be text, got a mapping"},
		{kubernetes("podSubnet: [10.0.0.0/8, x]"), `line 4: kubernetes.podSubnet[1]: must be a subnet such as 10.244.0.0/16, got "x"`},
		{kubernetes(`podSubnet: "10.0.0.0/8,"`), `line 4: kubernetes.podSubnet: must be a subnet such as 10.244.0.0/16, got ""`},
		{kubernetes("podSubnet: 10.244.0.0/16,fd00:1::/56"), `line 4: kubernetes["fd00:1::/56"]: unknown key; within {} a comma ends a value: write both in a list, such as [192.0.2.11, "2001:db8::11"]`},
		{dual + strings.Replace(hosts, `[192.0.2.1, "2001:db8::1"]`, `["2001:db8::1", 192.0.2.1]`, 1), "line 6: controlPlane.hosts[0].address: 2001:db8::1 must be the second one, as fd00:2::/112 is the second of serviceSubnet"},
		{worker("192.0.2.3"), "line 7: workers.hosts[0].address: " + two},
		{worker("[192.0.2.3]"), "line 7: workers.hosts[0].address: " + two},
		{worker(`[192.0.2.3, "2001:db8::1"]`), "line 7: workers.hosts[0].address: 2001:db8::1 is the address of controlPlane.hosts[0] already"},
		{worker(`[192.0.2.3, "fd00:1::3"]`), "line 7: workers.hosts[0].address: fd00:1::3 is inside podSubnet fd00:1::/56; choose another subnet"},
		{worker(`[192.0.2.3, "fd00:2::3"]`), "line 7: workers.hosts[0].address: fd00:2::3 is inside serviceSubnet fd00:2::/112; choose another subnet"},
		{worker(`[192.0.2.3, "::1"]`), "line 7: workers.hosts[0].address[1]: ::1 is not the address of a machine other hosts can reach"},
		{worker("192.0.2.3,2001:db8::3"), `line 7: workers.hosts[0]["2001:db8::3"]: unknown key; within {} a comma ends a value: write both in a list, such as [192.0.2.11, "2001:db8::11"]` + "\nline 7: workers.hosts[0].address: " + two},
		{`workers: {hosts: [{name: w1, address: [192.0.2.3, "2001:db8::3"]}]}`, "line 7: workers.hosts[0].address: has two addresses, and serviceSubnet 10.96.0.0/12 is of one IP family; give one address, or podSubnet and serviceSubnet two subnets each"},
		{dual + strings.Replace(hosts, "{hosts: [{name: cp1", `{endpoint: "[2001:db8::9]:6443", hosts: [{name: cp1`, 1), ""},
		{dual + strings.Replace(hosts, "{hosts: [{name: cp1", `{endpoint: "[fd00:2::1]:6443", hosts: [{name: cp1`, 1), "line 6: controlPlane.endpoint: fd00:2::1 is inside serviceSubnet fd00:2::/112; choose another subnet"},
		// the endpoint for people
		{public("api.example.org"), ""}, {public("api.example.org:443"), ""}, {public("127.0.0.1:16443"), ""}, {public(`"2001:db8::1"`), ""}, {public(`"[2001:db8::1]:443"`), ""},
		{public("https://api.example.org"), "line 6: controlPlane.publicEndpoint: must be without https:// or another scheme"},
		{public(`"api.example.org:"`), `line 6: controlPlane.publicEndpoint: must end in a port from 1 to 65535, got ""`},
		{public("api.example.org:070"), "line 6: controlPlane.publicEndpoint: has a leading zero in its port; write api.example.org:70"},
		{public("API.example.org"), `line 6: controlPlane.publicEndpoint: must be host or host:port, such as api.example.org:6443, got "API.example.org"`},
		{public("API.example.org:1"), `line 6: controlPlane.publicEndpoint: "API.example.org" is neither an IP address nor a DNS name in lower case`},
		{public("api/x"), `line 6: controlPlane.publicEndpoint: must be host or host:port, such as api.example.org:6443, got "api/x"`},
		{public(`""`), "line 6: controlPlane.publicEndpoint: must not be empty"},
		{public("[a]"), "line 6: controlPlane.publicEndpoint: must be text, got a list"},
		{public("5"), `line 6: controlPlane.publicEndpoint: must be text, got the number 5; put it in quotes: "5"`},
	}
}

func TestSubnetSizesOfTwoFamilies(t *testing.T) {
	manager := func(name, value string) string {
		return `, config: {ClusterConfiguration: {controllerManager: {extraArgs: [{name: ` + name + `, value: "` + value + `"}]}}}`
	}
	const pods, services = `podSubnet: "10.244.0.0/16,fd00:1::/56"`, `, serviceSubnet: "10.96.0.0/12,fd00:2::/112"`
	for keys, want := range map[string]string{
		pods + services: "",
		pods + `, serviceSubnet: "10.96.0.0/12,fd00:2::/108"`:                                           "",
		pods + `, serviceSubnet: "10.96.0.0/12,fd00:2::/107"`:                                           "fd00:2::/107 is too large: kubeadm takes at most a /108",
		pods + `, serviceSubnet: "10.96.0.0/12,fd00:2::/125"`:                                           "fd00:2::/125 is too small: kubeadm needs at least a /124",
		pods + `, serviceSubnet: "10.0.0.0/11,fd00:2::/112"`:                                            "10.0.0.0/11 is too large",
		pods + `, serviceSubnet: "10.96.0.0/12,fd00:1::/112"`:                                           "fd00:1::/112 overlaps podSubnet fd00:1::/56",
		pods + `, serviceSubnet: "10.244.0.0/20,fd00:2::/112"`:                                          "10.244.0.0/20 overlaps podSubnet 10.244.0.0/16",
		`podSubnet: "10.244.0.0/16,fd00::/47", serviceSubnet: "10.96.0.0/12,fe00::/112"`:                "at most a /48, as every node gets a /64",
		`podSubnet: "10.244.0.0/16,fd00:1::/65"` + services:                                             "every node needs a /64",
		`podSubnet: "10.244.0.0/16,fd00:1::/80"` + services + manager("node-cidr-mask-size-ipv6", "96"): "",
		`podSubnet: "10.244.0.0/16,fd00:1::/56"` + services + manager("node-cidr-mask-size-ipv6", "96"): "at most a /80, as every node gets a /96",
		`podSubnet: "10.244.0.0/25,fd00:1::/56"` + services + manager("node-cidr-mask-size-ipv4", "26"): "",
		`podSubnet: "10.244.0.0/25,fd00:1::/56"` + services + manager("node-cidr-mask-size-ipv4", "x"):  "",
		`podSubnet: "10.244.0.0/25,fd00:1::/65"` + services + manager("allocate-node-cidrs", "false"):   "",
		`podSubnet: "10.244.0.0/25,fd00:1::/65"` + services + manager("allocate-node-cidrs", "true"):    "every node needs a /24",
	} {
		data := "apiVersion: fairlead/v1\nkind: Cluster\nname: a\nkubernetes: {version: 1.37.2, bundle: b, " + keys + "}\n" +
			"controlPlane: {hosts: [{name: cp1, address: [192.0.2.11, \"2001:db8::11\"]}]}\n"
		_, _, err := Parse("f", []byte(data))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", keys, err, want)
		}
	}
}

// What is read of a dual-stack cluster, and what a host of it looks like when it is written.
func TestDualStack(t *testing.T) {
	const head = "apiVersion: fairlead/v1\nkind: Cluster\nname: a\nkubernetes:\n  version: 1.37.2\n  bundle: b\n  podSubnet: fd00:1::/56, 10.244.0.0/16\n  serviceSubnet:\n  - fd00:2::/112\n  - 10.96.0.0/12\n" +
		"controlPlane:\n  publicEndpoint: \"2001:db8::ff\"\n  hosts:\n    - {name: cp1, address: [\"2001:db8::11\", 192.0.2.11]}\n"
	data, err := AddHost([]byte(head), RoleWorker, Host{Name: "w1", Address: netip.MustParseAddr("2001:db8::21"), Second: netip.MustParseAddr("192.0.2.21")})
	if err != nil {
		t.Fatal(err)
	}
	if want := head + "workers:\n  hosts:\n    - {name: w1, address: [\"2001:db8::21\", 192.0.2.21]}\n"; string(data) != want {
		t.Errorf("got\n%s\nwant\n%s", data, want)
	}
	c, _, err := Parse("f", data)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{
		"pods": c.Kubernetes.PodSubnet, "services": c.Kubernetes.ServiceSubnet, "w1": c.Workers[0].Addresses(), "endpoint": c.ControlPlane.Endpoint, "public": c.ControlPlane.PublicEndpoint,
	})
	if want := `{"endpoint":"[2001:db8::11]:6443","pods":"fd00:1::/56,10.244.0.0/16","public":"[2001:db8::ff]:6443","services":"fd00:2::/112,10.96.0.0/12","w1":["2001:db8::21","192.0.2.21"]}`; err != nil || string(text) != want {
		t.Errorf("%v, got %s\nwant %s", err, text, want)
	}
	if !c.Kubernetes.PodSubnet.IPv6() || parseSubnets(DefaultPodSubnet).IPv6() {
		t.Error("a family is taken for the other")
	}
}

// The port of the endpoint for people is the endpoint's.
func TestPublicEndpoint(t *testing.T) {
	for given, want := range map[string]string{
		"publicEndpoint: api.example.org":                         "api.example.org:6443",
		"endpoint: lb.lab:8443, publicEndpoint: api.example.org":  "api.example.org:8443",
		"publicEndpoint: api.example.org, endpoint: lb.lab:8443":  "api.example.org:8443",
		"publicEndpoint: api.example.org:443, endpoint: lb.lab:1": "api.example.org:443",
		`publicEndpoint: "[2001:db8::1]", endpoint: "lb.lab:1"`:   "[2001:db8::1]:1",
		"endpoint: lb.lab:1": "",
	} {
		c, _, err := Parse("f", []byte(changed("controlPlane: {"+given+", hosts: [{name: cp1, address: 192.0.2.1}]}")))
		if err != nil || c.ControlPlane.PublicEndpoint != want {
			t.Errorf("%s: %v, got %+v, want %s", given, err, c, want)
		}
	}
}
