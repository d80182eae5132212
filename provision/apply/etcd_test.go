package apply_test

import (
	"crypto/rand"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fairlead/pki"
	"fairlead/provision/plan"
)

// TestRemoveFormerMember asks with what the control plane has for it, and does not take silence for the absence of a member.
func TestRemoveFormerMember(t *testing.T) {
	action := plan.RemoveFormerMember{Node: "cp3", Address: netip.MustParseAddr("192.0.2.13")}
	inWorld(t, func(t *testing.T, w *world) {
		if said := w.do(action); !strings.HasPrefix(said, "on cp1: read /etc/kubernetes/pki/") {
			t.Errorf("said %q", said)
		}
		authority, err := pki.NewAuthority(rand.Reader, "etcd-ca", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		certificate, key, err := authority.IssueServer(rand.Reader, []string{"localhost"}, nil, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		w.secret(string(key))
		w.cp1.put("/etc/kubernetes/pki/etcd/ca.crt", "644", string(authority.CertificatePEM()))
		w.cp1.put("/etc/kubernetes/pki/apiserver-etcd-client.crt", "644", string(certificate))
		w.cp1.put("/etc/kubernetes/pki/apiserver-etcd-client.key", "600", string(key))
		if said := w.do(action); !strings.HasPrefix(said, "through cp1: list etcd's members: ask etcd: ") || !strings.Contains(said, "127.0.0.1:2379") {
			t.Errorf("said %q", said)
		}
		member := plan.Member{Host: "cp3", Node: "cp3", Address: action.Address}
		for _, each := range []plan.Action{plan.CheckQuorum{Member: member}, plan.RemoveMember{Member: member}, plan.MarkRemoved{Member: member, ControlPlane: true}} {
			if said := w.do(each); !strings.HasPrefix(said, "through cp1: list etcd's members: ask etcd: ") {
				t.Errorf("%T said %q", each, said)
			}
		}
		member.Host = "cp1"
		for _, each := range []plan.Action{plan.CheckQuorum{Member: member}, plan.RemoveMember{Member: member}} {
			if said := w.do(each); said != "no control plane answers but that of cp1, which is to leave" {
				t.Errorf("%T said %q", each, said)
			}
		}
		action.Address = netip.MustParseAddr("2001:db8::13")
		if said := w.do(action); !strings.Contains(said, "[::1]:2379") {
			t.Errorf("said %q", said)
		}
	})
}
