package inventory

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestQuoteText(t *testing.T) {
	for s, want := range map[string]string{
		"a": "a", "w1": "w1", "192.0.2.9": "192.0.2.9", "/a/b_c-d.e": "/a/b_c-d.e", "1a": "1a", "a.b/c": "a.b/c",
		"": `""`, "5": `"5"`, "1.5": `"1.5"`, "0x1f": `"0x1f"`, "1e3": `"1e3"`, "2024-01-02": `"2024-01-02"`, "true": `"true"`, "False": `"False"`, "null": `"null"`,
		"y": `"y"`, "N": `"N"`, "yes": `"yes"`, "No": `"No"`, "on": `"on"`, "OFF": `"OFF"`, "yesterday": "yesterday", "nope": "nope", "offer": "offer",
		"a b": `"a b"`, "a:b": `"a:b"`, "fd00::9": `"fd00::9"`, "#a": `"#a"`, "-a": `"-a"`, "~": `"~"`, "a\"b": `"a\"b"`, "a\\b": `"a\\b"`, "[a": `"[a"`, "ä": `"ä"`,
		"_a": `"_a"`, ".a": `".a"`, "a\nb": `"a\nb"`, "SHA256:a+b": `"SHA256:a+b"`,
	} {
		if got := quoteText(s, false); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
		for _, quoted := range []bool{false, true} {
			var back map[string]any
			text := quoteKey("k", quoted) + ": " + quoteText(s, quoted)
			if err := yaml.Unmarshal([]byte("{"+text+"}"), &back); err != nil || back["k"] != s {
				t.Errorf("%s is read as %v, %v", text, back, err)
			}
			if quoted && !strings.HasPrefix(text, `"k": "`) {
				t.Errorf("not in quotes: %s", text)
			}
		}
	}
}

func TestHostText(t *testing.T) {
	defaults := SSH{User: "me", Port: 22, IdentityFile: "/id", KnownHosts: "/kh"}
	for _, c := range []struct {
		h    Host
		want string
	}{
		{worker("w9", "192.0.2.9"), "name: w9, address: 192.0.2.9"},
		{Host{Name: "w9"}, `name: w9, address: ""`},
		{Host{Name: "w9", Address: netip.MustParseAddr("fd00::9"), SSH: defaults}, `name: w9, address: "fd00::9"`},
		{Host{Name: "w9", SSH: SSH{Port: 22, HostKey: "ssh-ed25519 AAAA"}}, `name: w9, address: "", ssh: {hostKey: "ssh-ed25519 AAAA"}`},
		{Host{Name: "w9", SSH: SSH{User: "you", Port: 2200, IdentityFile: "/i", KnownHosts: "/k", HostKey: "a"}},
			`name: w9, address: "", ssh: {user: you, port: 2200, identityFile: /i, knownHosts: /k, hostKey: a}`},
		{Host{Name: "w9", SSH: SSH{Jump: []string{"a@b:22", "[fd00::1]"}}}, `name: w9, address: "", ssh: {jump: "a@b:22,[fd00::1]"}`},
		{Host{Name: "w9", SSH: SSH{Jump: []string{}}}, `name: w9, address: "", ssh: {jump: none}`},
		{Host{Name: "w9", Labels: map[string]string{"b": "1", "a/c": "x", "on": ""}}, `name: w9, address: "", labels: {a/c: x, b: "1", "on": ""}`},
		{Host{Name: "w9", Labels: map[string]string{}, Taints: []Taint{}}, `name: w9, address: ""`},
		{Host{Name: "w9", Packages: []string{"nfs-common", "g++", "on"}}, `name: w9, address: "", packages: [nfs-common, "g++", "on"]`},
		{Host{Name: "w9", Taints: []Taint{{"b", "1", "NoSchedule"}, {"a", "", "NoExecute"}}}, `name: w9, address: "", taints: ["b=1:NoSchedule", "a:NoExecute"]`},
	} {
		if got := hostText(c.h, defaults, false); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	full := Host{Name: "w9", Address: netip.MustParseAddr("192.0.2.9"), SSH: SSH{User: "you", Port: 2200}, Labels: map[string]string{"a": "b"}, Taints: []Taint{{"c", "d", "NoExecute"}}, Packages: []string{"jq"}}
	const json = `"name": "w9", "address": "192.0.2.9", "ssh": {"user": "you", "port": 2200}, "labels": {"a": "b"}, "taints": ["c=d:NoExecute"], "packages": ["jq"]`
	if got := hostText(full, defaults, true); got != json {
		t.Errorf("as JSON: got %s, want %s", got, json)
	}
}

// TestAddedHostIsTheSame adds hosts of every mixture of keys and reads them back.
func TestAddedHostIsTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	for range 100 {
		h := Host{
			Name: pick("a", "1", "y", "null", "0x1f", "w-9"), Address: netip.MustParseAddr(pick("192.0.2.9", "198.51.100.1")), Role: Role(pick("worker", "control-plane")),
			SSH: SSH{User: pick("", "me", "5", "true", "ä"), Port: random.IntN(3) * 22, IdentityFile: pick("", "/a b", "/#", "/\"'\\", "/ä]}"),
				Address: pick("", "web1", "127.0.0.1", "fe80::1%eth0", "a.b_c", "yes"), KnownHosts: pick("", "/x: y"), HostKey: pick("", "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"),
				Jump: [][]string{nil, {}, {"b"}, {"a@b:22", "[fd00::1]"}}[random.IntN(4)]},
		}
		if random.IntN(2) == 0 {
			h.Labels = map[string]string{pick("a", "no", "1", "a.b/c"): pick("", "x", "1.5", "yes", "null")}
		}
		if random.IntN(2) == 0 {
			h.Taints = []Taint{{pick("a", "x/y"), pick("", "b", "1"), pick("NoSchedule", "NoExecute", "PreferNoSchedule")}}
		}
		if random.IntN(2) == 0 {
			h.Packages = []string{pick("nfs-common", "on", "g++", "R", "python3.11")}
		}
		out, err := AddHost([]byte(soundFile), h.Role, h)
		if err != nil {
			t.Fatalf("%+v: %v", h, err)
		}
		c, _, err := Parse("/lab/f", out)
		if err != nil {
			t.Fatalf("%+v: %v", h, err)
		}
		want := h
		want.SSH.Transport, want.SSH.User, want.SSH.Port = TransportSSH, cmp.Or(h.SSH.User, "me"), h.SSH.Port
		if got, ok := c.Host(h.Name); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if len(c.Hosts()) != 3 {
			t.Errorf("%d hosts", len(c.Hosts()))
		}
	}
}

func TestUnknownKey(t *testing.T) {
	if got := unknownKey("x", []string{"abc", "def"}); got != "unknown key; the keys here are abc, def" {
		t.Error(got)
	}
	if got := either([]string{"a", "b", "c"}) + ", " + either([]string{"a", "b"}); got != "a, b or c, a or b" {
		t.Error(got)
	}
}

func TestTaintText(t *testing.T) {
	for want, taint := range map[string]Taint{"a=b:NoExecute": {"a", "b", "NoExecute"}, "a:NoSchedule": {"a", "", "NoSchedule"}} {
		if got := taint.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
