package lab

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestMissingCapabilities(t *testing.T) {
	for _, test := range []struct {
		name, status string
		last         int
		want         []string
		fails        bool
	}{
		{name: "all", status: "CapEff:\t0\nCapBnd:\t000001ffffffffff\n", last: 40},
		{name: "no SYS_RESOURCE", status: "CapBnd:\t000001fffeffffff\n", last: 40, want: []string{"SYS_RESOURCE"}},
		{name: "older kernel", status: "CapBnd:\t0000003fffffffff\n", last: 37},
		{name: "two missing", status: "CapBnd:\t000001fffffefffe\n", last: 40, want: []string{"CHOWN", "SYS_MODULE"}},
		{name: "no line", status: "CapEff:\t0\n", last: 40, fails: true},
		{name: "no number", status: "CapBnd:\tx\n", last: 40, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := missingCapabilities(test.status, test.last)
			if (err != nil) != test.fails || !slices.Equal(got, test.want) {
				t.Errorf("got %v, %v, want %v, failure %v", got, err, test.want, test.fails)
			}
		})
	}
}

func TestPrivilegeArgs(t *testing.T) {
	if got := privilegeArgs(nil); !slices.Equal(got, []string{"--privileged"}) {
		t.Errorf("nothing missing: got %q", got)
	}
	got := strings.Join(privilegeArgs([]string{"SYS_RESOURCE"}), " ")
	want := "--cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined --security-opt apparmor=unconfined" +
		" --security-opt systempaths=unconfined --device-cgroup-rule a *:* rwm"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAssignAddresses(t *testing.T) {
	taken := map[string]netip.Addr{"cp1": netip.MustParseAddr("10.89.0.11"), "odd": netip.MustParseAddr("10.89.0.31")}
	for _, test := range []struct {
		name   string
		subnet string
		hosts  []string
		want   string
		fails  bool
	}{
		{name: "roles", hosts: []string{"cp1", "cp2", "w1", "w2", "w3"}, want: "11 12 21 22 23"},
		{name: "order does not matter", hosts: []string{"w9", "cp9"}, want: "29 19"},
		{name: "others", hosts: []string{"w10", "registry", "odd", "x"}, want: "32 33 31 34"},
		{name: "zero", hosts: []string{"w0"}, want: "32"},
		{name: "twice", hosts: []string{"w1", "w1"}, fails: true},
		{name: "no label", hosts: []string{"W_1"}, fails: true},
		{name: "empty", hosts: []string{""}, fails: true},
		{name: "wide subnet", subnet: "10.89.0.0/16", hosts: []string{"w1"}, fails: true},
		{name: "unmasked subnet", subnet: "10.89.0.1/24", hosts: []string{"w1"}, fails: true},
		{name: "IPv6", subnet: "fd00::/24", hosts: []string{"w1"}, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.subnet == "" {
				test.subnet = DefaultSubnet
			}
			addresses, err := assignAddresses(netip.MustParsePrefix(test.subnet), taken, test.hosts)
			var got []string
			for _, address := range addresses {
				got = append(got, strings.TrimPrefix(address.String(), "10.89.0."))
			}
			if (err != nil) != test.fails || strings.Join(got, " ") != test.want {
				t.Errorf("got %v, %v, want %s, failure %v", got, err, test.want, test.fails)
			}
		})
	}
}

func TestAssignAddressesFull(t *testing.T) {
	var hosts []string
	for i := range otherLast - otherFirst + 2 {
		hosts = append(hosts, "h"+strings.Repeat("x", i/26)+string(rune('a'+i%26)))
	}
	subnet := netip.MustParsePrefix(DefaultSubnet)
	if _, err := assignAddresses(subnet, nil, hosts[1:]); err != nil {
		t.Errorf("as many as fit: %v", err)
	}
	if _, err := assignAddresses(subnet, nil, hosts); err == nil {
		t.Error("one more than fits: no error")
	}
}

func TestInventory(t *testing.T) {
	l := &Lab{options: Options{Name: "fairlead", Dir: "/lab"}, ipv6: netip.MustParsePrefix("fd00:89:1::/64"), hosts: map[string]Host{}}
	for _, name := range []string{"cp1", "w1", "w2"} {
		address, err := chooseAddress(netip.MustParsePrefix(DefaultSubnet), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		l.hosts[name] = l.host(name, address, "")
	}
	for _, test := range []struct {
		golden  string
		legacy  bool
		options InventoryOptions
	}{
		{"cgroup-v1.yaml", true, InventoryOptions{ControlPlanes: []string{"cp1"}, Workers: []string{"w1", "w2"}, Bundle: "/b.oci"}},
		{"dual-stack.yaml", false, InventoryOptions{ControlPlanes: []string{"cp1"}, Workers: []string{"w1", "w2"}, Bundle: "/b.oci", DualStack: true}},
		{"single-v2.yaml", false, InventoryOptions{ControlPlanes: []string{"cp1"}, Bundle: "/b c", Version: "1.36.3", Schedulable: true}},
	} {
		t.Run(test.golden, func(t *testing.T) {
			got, err := l.inventory(test.options, test.legacy)
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, test.golden, got)
		})
	}
	for name, options := range map[string]InventoryOptions{
		"no control plane": {Workers: []string{"w1"}},
		"unknown host":     {ControlPlanes: []string{"cp1"}, Workers: []string{"w7"}},
	} {
		if _, err := l.inventory(options, true); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	l.ipv6 = netip.Prefix{}
	if _, err := l.inventory(InventoryOptions{ControlPlanes: []string{"cp1"}, DualStack: true}, false); err == nil {
		t.Error("two families in a lab that has one: no error")
	}
}

func TestParseIPv6(t *testing.T) {
	for text, valid := range map[string]bool{"": true, "fd00:89:1::/64": true, "fd00:89:1::1/64": false, "fd00::/48": false, "10.0.0.0/24": false, "x": false} {
		if subnet, err := parseIPv6(text); (err == nil) != valid || subnet.IsValid() != (valid && text != "") {
			t.Errorf("%q: %v, %v", text, subnet, err)
		}
	}
}

func TestRunArgs(t *testing.T) {
	host := Host{Name: "w1", Address: netip.MustParseAddr("10.89.0.21"), Container: "x-w1"}
	compareGolden(t, "run-args.txt", strings.Join(runArgs("x", "image:tag", host, []string{"--privileged"}), "\n")+"\n")
	host.Second = netip.MustParseAddr("fd00:89:1::15")
	compareGolden(t, "run-args-dual-stack.txt", strings.Join(runArgs("x", "image:tag", host, []string{"--privileged"}), "\n")+"\n")
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", file, got)
	}
}

func TestParseContainers(t *testing.T) {
	text := `[{"Name":"/x-w1","State":{"Running":true,"Paused":true},"Config":{"Labels":{"fairlead.lab":"x","fairlead.lab.host":"w1"}},
		"NetworkSettings":{"Networks":{"x":{"IPAMConfig":{"IPv4Address":"10.89.0.21"},"IPAddress":""}}}}]`
	got, err := parseContainers(text, "x")
	want := container{Host{Name: "w1", Address: netip.MustParseAddr("10.89.0.21"), Container: "x-w1"}, true, true}
	if err != nil || len(got) != 1 || got["w1"] != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := parseContainers(text, "other"); err == nil {
		t.Error("container without address: no error")
	}
}

func TestKnownHostsLines(t *testing.T) {
	address := netip.MustParseAddr("10.89.0.11")
	got, err := knownHostsLines(address, "ssh-ed25519 AAAA root@cp1\necdsa-sha2-nistp256 BBBB\n")
	if err != nil || got != "10.89.0.11 ssh-ed25519 AAAA\n10.89.0.11 ecdsa-sha2-nistp256 BBBB\n" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, text := range []string{"", "\n", "ssh-ed25519\n"} {
		if _, err := knownHostsLines(address, text); err == nil {
			t.Errorf("keys %q: no error", text)
		}
	}
}

func TestWriteAccess(t *testing.T) {
	l := &Lab{options: Options{Name: "x", Dir: t.TempDir()}, hosts: map[string]Host{}}
	for i, name := range []string{"a", "b"} {
		l.hosts[name] = Host{Name: name, Address: withLast(netip.MustParsePrefix(DefaultSubnet), 1+9*i)}
	}
	for _, step := range []struct {
		keys map[string]string
		gone string
		want string
	}{
		{keys: map[string]string{"a": "t 1", "b": "t 2"}, want: "10.89.0.1 t 1\n10.89.0.10 t 2\n"},
		{keys: map[string]string{"b": "t 3"}, want: "10.89.0.1 t 1\n10.89.0.10 t 3\n"},
		{gone: "a", want: "10.89.0.10 t 3\n"},
	} {
		delete(l.hosts, step.gone)
		if err := l.writeAccess(step.keys); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(l.KnownHosts())
		if err != nil || string(got) != step.want {
			t.Errorf("got %q, %v, want %q", got, err, step.want)
		}
	}
	if err := l.removeFiles(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(l.options.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder is left: %v", err)
	}
}

func TestRemoveGroups(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "group")
	if err := os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := removeGroups(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("group is left: %v", err)
	}
	if err := removeGroups(dir); err != nil {
		t.Errorf("absent group: %v", err)
	}
}

func TestRunError(t *testing.T) {
	_, err := run(t.Context(), nil, []string{"sh", "-c", "echo why >&2; exit 3"}, 1)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || exit.Stderr != "why" || exit.Argv[0] != "-c" {
		t.Errorf("got %v", err)
	}
}
