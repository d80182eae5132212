package facts

import (
	"reflect"
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "kubelet": "kubelet", "a b ä \"\\": "a b ä \"\\", "a\tb\n": `a\tb\n`, "\x1b[2J\x00": `\x1b[2J\x00`, "\xff\x9b1": `\xff\x9b1`,
		"\u202e\u200b\u2028": `\u202e\u200b\u2028`, "\u009b": `\u009b`, "\ufffd": "\ufffd",
	} {
		if is := Printable(text); is != want || Printable(is) != is {
			t.Errorf("%q becomes %q, want %q", text, is, want)
		}
	}
}

// What is kept of a line is short, printable, and tells no secret.
func TestNewUnread(t *testing.T) {
	long := strings.Repeat("x", 300)
	if is, want := NewUnread("port", long, long, "a\tb"), (Unread{Fact: "port", Of: long[:200] + "…", Value: long[:60] + "…", Why: `a\tb`}); is != want {
		t.Errorf("it is %+v, want %+v", is, want)
	}
	for value, want := range map[string]string{
		"HTTP_PROXY=http://u:p@ss@lab:3128 x": "HTTP_PROXY=http://(withheld)@lab:3128 x", "http://lab/a": "http://lab/a", "a@b://c": "a@b://c",
		"-----BEGIN PRIVATE KEY-----": "(withheld)", "Authorization: Basic eA==": "(withheld)",
	} {
		if is := NewUnread("", "", value, ""); is.Value != want {
			t.Errorf("%q becomes %q, want %q", value, is.Value, want)
		}
	}
	if is := NewUnread("file", "/a", "x 0", "mode: it is no number").String(); is != `"file /a x 0" cannot be read: mode: it is no number` {
		t.Errorf("it is called %s", is)
	}
	if is := (Unread{Why: "w"}).String(); is != `"" cannot be read: w` {
		t.Errorf("it is called %s", is)
	}
}

func TestHarmless(t *testing.T) {
	for unread, want := range map[Unread]bool{
		{Fact: "nameserver"}: true, {Fact: "address", Of: "wg0"}: true, {}: false, {Fact: "file", Of: "/etc/kubernetes/pki/x.crt"}: false, {Fact: "unit"}: false,
		{Fact: "certificate"}: false, {Fact: "certificate", Of: "/etc/kubernetes/pki/ca.crt"}: false, {Fact: "certificate", Of: "/etc/kubernetes/pki/etcd/ca.crt"}: false,
		{Fact: "certificate", Of: "/etc/kubernetes/pki/oidc.crt"}: true, {Fact: "certificate", Of: "/var/lib/kubelet/pki/kubelet-client-current.pem"}: false,
		{Fact: "certificate", Of: "/etc/fairlead/registry/ca.crt"}: false,
	} {
		if is := unread.Harmless(); is != want {
			t.Errorf("%+v is harmless: %v", unread, is)
		}
	}
}

// A host of which something cannot be read counts as one that has not answered, whatever else it said. The facts themselves stay.
func TestUnderstood(t *testing.T) {
	unread := []Unread{{Fact: "nameserver"}, {Fact: "manifest", Why: "w"}}
	seen := Facts{Hosts: map[string]Host{
		"cp1": {Root: true, Unread: unread}, "cp2": {Root: true, Unread: unread[:1]}, "w1": {Root: true}, "w2": {Unreachable: &Problem{Kind: HostLost}, Unread: unread},
	}}
	understood := seen.Understood()
	for name, want := range map[string]string{"cp1": "has facts that cannot be read", "cp2": "", "w1": "", "w2": "cannot be looked at", "w3": "cannot be looked at"} {
		if is := understood.Away(name); is != want {
			t.Errorf("%s %q, want %q", name, is, want)
		}
	}
	if is := understood.Hosts["cp1"]; is.Root || !reflect.DeepEqual(is.Unread, unread) || !is.Unreachable.Of(HostUnread) {
		t.Errorf("cp1 is %+v", is)
	}
	if is := seen.Hosts["cp1"]; !is.Root || is.Unreachable != nil || len(understood.Hosts) != 4 || !understood.Hosts["cp2"].Root {
		t.Errorf("cp1 was %+v", is)
	}
	if again := understood.Understood(); !reflect.DeepEqual(again, understood) {
		t.Errorf("understood again they are %+v", again)
	}
}

// It is no proof of the absence of a cluster that a host has said nothing of it that can be read.
func TestAssessWithUnreadFacts(t *testing.T) {
	for name, c := range map[string]struct {
		unread []Unread
		api    API
		want   Cluster
	}{
		"no cluster": {unread: []Unread{{Fact: "kubeconfig"}}, api: API{Err: NoCluster()},
			want: Cluster{Situation: Unknown, Host: "cp1", Reason: "control-plane host cp1 has facts that cannot be read and may hold the cluster"}},
		"nothing that matters": {unread: []Unread{{Fact: "nameserver"}}, api: API{Err: NoCluster()}, want: Cluster{Situation: None, Host: "cp1"}},
		"a refusal": {unread: []Unread{{}}, api: API{Err: &Problem{Kind: APIRefuses, Text: "forbidden"}},
			want: Cluster{Situation: Silent, Reason: "forbidden; control-plane host cp1 has facts that cannot be read and may know better"}},
	} {
		seen := Facts{API: c.api, Hosts: map[string]Host{"cp1": {Unread: c.unread}}}
		if is := Assess([]string{"cp1"}, seen); is != c.want {
			t.Errorf("%s: it is %+v, want %+v", name, is, c.want)
		}
	}
}
