package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/remote/sshconfig"
)

// names are those that a lookup finds.
var names = map[string]string{
	"node1.lab.example": "192.0.2.31", "node1.other.example": "192.0.2.32", "Node2": "192.0.2.33", "w1": "192.0.2.34", "cp1": "192.0.2.35",
	"both.example": "2001:db8::1 192.0.2.36", "six.example": "2001:db8::2", "many.example": "192.0.2.37 192.0.2.38", "twice.example": "192.0.2.39 ::ffff:192.0.2.39",
	"my_host.example": "192.0.2.40", "localhost": "127.0.0.1 ::1", "here": "127.0.1.1", "nothing.example": "",
}

func findName(_ context.Context, name string) ([]netip.Addr, error) {
	text, known := names[name]
	if !known {
		return nil, errors.New("no such host")
	}
	var all []netip.Addr
	for address := range strings.FieldsSeq(text) {
		all = append(all, netip.MustParseAddr(address))
	}
	return all, nil
}

// aliases are what ssh's configuration says: [user@]hostname.
var aliases = map[string]string{
	"alias": "192.0.2.51", "who": "admin@192.0.2.52", "named": "node1.lab.example", "vagrant": "vagrant@127.0.0.1", "lost": "lost.example",
}

// testDirectory knows the names above.
func testDirectory() directory {
	return directory{user: "me", addresses: findName, config: func(_ context.Context, q sshconfig.Question) (sshconfig.Answer, error) {
		a := sshconfig.Answer{Name: q.Name, Hostname: q.Name, User: cmp.Or(q.User, "me"), Port: cmp.Or(q.Port, 22)}
		if text, known := aliases[q.Name]; known {
			user, host, found := cutLast(text, "@")
			if a.Hostname = host; found {
				a.User = cmp.Or(q.User, user)
			}
		}
		if q.Name == "broken" {
			return a, errors.New("ask ssh: line 3: Bad configuration option")
		}
		return a, nil
	}}
}

// TestWantedHosts reads what people write for hosts, and says what it is read as.
func TestWantedHosts(t *testing.T) {
	for _, c := range []struct{ words, want string }{
		{"192.0.2.11", "cp1@192.0.2.11"},
		{"ubuntu@192.0.2.11 192.0.2.21 192.0.2.22", "cp1=ubuntu@192.0.2.11 w1=ubuntu@192.0.2.21 w2=ubuntu@192.0.2.22"},
		{"192.0.2.11 ubuntu@192.0.2.21 root@192.0.2.22:2222", "cp1=ubuntu@192.0.2.11 w1=ubuntu@192.0.2.21 w2=root@192.0.2.22:2222"},
		{"2001:db8::11 [2001:db8::21] me@[2001:db8::22]:2222", "cp1=me@2001:db8::11 w1=me@2001:db8::21 w2=me@2001:db8::22:2222"},
		{"::ffff:192.0.2.11", "cp1@192.0.2.11"},
		{"node1.lab.example node1.other.example Node2:22", "cp1@192.0.2.31~node1.lab.example w1@192.0.2.32~node1.other.example node2@192.0.2.33~Node2:22"},
		{"192.0.2.1 192.0.2.2 w1 192.0.2.3", "cp1@192.0.2.1 w2@192.0.2.2 w1@192.0.2.34~w1 w3@192.0.2.3"},
		{"192.0.2.1 cp1", "cp2@192.0.2.1 cp1@192.0.2.35~cp1"},
		{"both.example twice.example my_host.example", "both@192.0.2.36~both.example twice@192.0.2.39~twice.example w1@192.0.2.40~my_host.example"},
		{"six.example", "six@2001:db8::2~six.example"},
		{"alias:2222 who named", "alias@192.0.2.51~alias:2222 who@192.0.2.52~who named@192.0.2.31~named"},
		{"ubuntu@192.0.2.1 alias who root@who2.example", "!root@who2.example: its address cannot be found (no such host): give the IP address, as root@who2.example=ADDRESS"},
		{"ubuntu@192.0.2.1 alias who root@named", "cp1=ubuntu@192.0.2.1 alias=ubuntu@192.0.2.51~alias who@192.0.2.52~who named=root@192.0.2.31~named"},
		{"10.244.0.1 10.100.0.1", "cp1@10.244.0.1 w1@10.100.0.1"},
		// The way there, and the node's own addresses.
		{"ubuntu@203.0.113.11=10.0.0.11 203.0.113.21:2222=10.0.0.21", "cp1=ubuntu@10.0.0.11~203.0.113.11 w1=ubuntu@10.0.0.21~203.0.113.21:2222"},
		{"vagrant@127.0.0.1:2222=192.168.56.11 vagrant@127.0.0.1:2200=192.168.56.12", "cp1=vagrant@192.168.56.11~127.0.0.1:2222 w1=vagrant@192.168.56.12~127.0.0.1:2200"},
		{"many.example=192.0.2.37 lost=192.0.2.38 who=192.0.2.1", "many@192.0.2.37~many.example lost@192.0.2.38~lost who@192.0.2.1~who"},
		{"192.0.2.1=192.0.2.1", "cp1@192.0.2.1"},
		{"192.0.2.1,2001:db8::1 me@192.0.2.2,2001:db8::2", "cp1=me@192.0.2.1,2001:db8::1 w1=me@192.0.2.2,2001:db8::2"},
		{"2001:db8::1,192.0.2.1 [2001:db8::2]:23,192.0.2.2", "cp1@2001:db8::1,192.0.2.1 w1@2001:db8::2,192.0.2.2:23"},
		{"alias=10.0.0.1,fd00::1 [2001:db8::2]:23=10.0.0.2,fd00::2", "alias@10.0.0.1,fd00::1~alias w1@10.0.0.2,fd00::2~2001:db8::2:23"},
		{"10.244.0.1,fd00:10:244::1", "cp1@10.244.0.1,fd00:10:244::1"},
		{"203.0.113.11=cp1", `!203.0.113.11=cp1: "cp1" is not an IP address`},
		{"203.0.113.11=", `!203.0.113.11=: "" is not an IP address`},
		{"alias,2001:db8::1", `!alias,2001:db8::1: "alias" is not an IP address`},
		{"=192.0.2.1", `!: "" is neither an IP address nor a host name`},
		{"192.0.2.1,192.0.2.2", "!192.0.2.1,192.0.2.2: a node has one address, or two of two IP families"},
		{"a=192.0.2.1,2001:db8::1,192.0.2.2", "!a=192.0.2.1,2001:db8::1,192.0.2.2: a node has one address, or two of two IP families"},
		{"alias=127.0.0.1", "!alias=127.0.0.1: 127.0.0.1 is not an address that other hosts can reach it by: give that one, as alias=ADDRESS"},
		{"alias=192.0.2.1,fe80::1%eth0", "!alias=192.0.2.1,fe80::1%eth0: fe80::1%eth0 has a zone: give an address without one"},
		{"192.0.2.1,2001:db8::1 192.0.2.2", "!192.0.2.2: has the address 192.0.2.2, and 192.0.2.1,2001:db8::1 has 192.0.2.1,2001:db8::1: give all hosts by addresses of one IP family, or all by two in the same order"},
		{"192.0.2.1,2001:db8::1 192.0.2.2,2001:db8::1", "!192.0.2.2,2001:db8::1: has the address 2001:db8::1, and so has 192.0.2.1,2001:db8::1: give each host once"},

		{"@192.0.2.1", "!@192.0.2.1: has no user before the @: write USER@HOST, or HOST alone"},
		{"a@b@192.0.2.1", `!a@b@192.0.2.1: "a@b" is not a login name`},
		{"ssh://me@192.0.2.1", `!ssh://me@192.0.2.1: "ssh://me" is not a login name`},
		{"192.0.2.1:", `!192.0.2.1:: must have a port from 1 to 65535 after the colon, got ""`},
		{"192.0.2.1:0", `!192.0.2.1:0: must have a port from 1 to 65535 after the colon, got "0"`},
		{"192.0.2.1:022", `!192.0.2.1:022: must have a port from 1 to 65535 after the colon, got "022"`},
		{"192.0.2.1:65536", `!192.0.2.1:65536: must have a port from 1 to 65535 after the colon, got "65536"`},
		{"[2001:db8::1]x", "![2001:db8::1]x: is not HOST, HOST:PORT or [IPv6]:PORT"},
		{"192.0.2.1 me@192.0.2.1", "!me@192.0.2.1: has the address 192.0.2.1, and so has 192.0.2.1: give each host once"},
		{"192.0.2.1 2001:db8::1", "!2001:db8::1: has the address 2001:db8::1, and 192.0.2.1 has 192.0.2.1: give all hosts by addresses of one IP family, or all by two in the same order"},
		{"127.0.0.1", "!127.0.0.1: 127.0.0.1 is not an address that other hosts can reach it by: give that one, as 127.0.0.1=ADDRESS"},
		{"fe80::1%eth0", "!fe80::1%eth0: fe80::1%eth0 has a zone: give an address without one"},
		{"here", "!here: 127.0.1.1 is not an address that other hosts can reach it by: give that one, as here=ADDRESS"},
		{"localhost", "!localhost: 127.0.0.1 is not an address that other hosts can reach it by: give that one, as localhost=ADDRESS"},
		{"vagrant", "!vagrant: 127.0.0.1 is not an address that other hosts can reach it by: give that one, as vagrant=ADDRESS"},
		{"broken", "!broken: ask ssh: line 3: Bad configuration option"},
		{"many.example", "!many.example: has 2 addresses [192.0.2.37 192.0.2.38]: give the one that the other hosts reach it by, as many.example=ADDRESS"},
		{"nothing.example", "!nothing.example: has 0 addresses []: give the one that the other hosts reach it by, as nothing.example=ADDRESS"},
		{"me@lost", "!me@lost: its address cannot be found (no such host): give the IP address, as me@lost=ADDRESS"},
		{"lab.yaml", "!lab.yaml: is not a host; name the file with -f lab.yaml"},
		{"-x", `!-x: "-x" is neither an IP address nor a host name`},
		{"192.0.2.0/24", `!192.0.2.0/24: "192.0.2.0/24" is neither an IP address nor a host name`},
	} {
		hosts, err := wantedHosts(t.Context(), strings.Fields(c.words), testDirectory())
		var all []string
		for _, h := range hosts {
			text := h.Name
			if h.SSH.User != "" {
				text += "=" + h.SSH.User
			}
			text += "@" + addressWords(h)
			if h.SSH.Address != "" {
				text += "~" + h.SSH.Address
			}
			if h.SSH.Port != 0 {
				text += fmt.Sprintf(":%d", h.SSH.Port)
			}
			all = append(all, text)
		}
		got := strings.Join(all, " ")
		if err != nil {
			got = "!" + err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.words, got, c.want)
		}
		if err == nil {
			if _, err := inventory.StarterFor(hosts); err != nil {
				t.Errorf("%s: %v", c.words, err)
			}
		}
	}
}
