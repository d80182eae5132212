package provision

import (
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/event"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
)

// sshHost is a host of an inventory that is known by a known_hosts file of its own.
func sshHost(t *testing.T, name string, sshd *remotetest.Server, known string) inventory.Host {
	t.Helper()
	path := filepath.Join(t.TempDir(), "known_hosts")
	remotetest.WriteText(t, path, known)
	return inventory.Host{Name: name, Address: netip.MustParseAddr("127.0.0.1"), SSH: inventory.SSH{Transport: inventory.TransportSSH, Port: sshd.Port, KnownHosts: path}}
}

// All hosts are asked for their keys, each answer says what is known of it, and an event has the same.
func TestHostKeys(t *testing.T) {
	sshd := remotetest.StartSSHD(t)
	key, other := remotetest.KeyText(sshd.HostKeys["ed25519"]), remotetest.KeyText(remotetest.NewPublic(t))
	hosts := []inventory.Host{
		sshHost(t, "new", sshd, ""), sshHost(t, "known", sshd, "# mine\n* "+key+"\n"), sshHost(t, "changed", sshd, "* "+other+"\n"),
		sshHost(t, "revoked", sshd, "@revoked * "+key+"\n"), sshHost(t, "pinned", sshd, ""), sshHost(t, "mispinned", sshd, ""),
		sshHost(t, "here", sshd, ""), sshHost(t, "gone", sshd, ""), sshHost(t, "elsewhere", sshd, "old.example "+key+"\n"),
	}
	hosts[4].SSH.HostKey, hosts[5].SSH.HostKey = key, other
	hosts[6].SSH = inventory.SSH{Transport: inventory.TransportLocal}
	hosts[7].SSH.Port = remotetest.RefusingPort(t)
	var mu sync.Mutex
	events := map[string]event.Event{}
	session, err := Open(t.Context(), &inventory.Cluster{Name: "lab", Workers: hosts}, Options{WithoutBundle: true, Events: func(e event.Event) {
		mu.Lock()
		defer mu.Unlock()
		events[e.Host] = e
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	keys, err := session.HostKeys(t.Context(), nil)
	if err != nil || len(keys) != len(hosts) {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for i, want := range []struct {
		state, place string
		bad          bool // it is not to be trusted
	}{
		{state: event.KeyNew}, {state: event.KeyKnown, place: "known_hosts:2"}, {state: event.KeyChanged, place: "known_hosts:1", bad: true},
		{state: event.KeyRevoked, place: "known_hosts:1", bad: true}, {state: event.KeyPinned, place: "ssh.hostKey"},
		{state: event.KeyChanged, place: "ssh.hostKey", bad: true}, {}, {bad: true}, {state: event.KeyNew},
	} {
		got, name := keys[i], hosts[i].Name
		if got.Host != name || got.State != want.state || !strings.HasSuffix(got.Place, want.place) || (want.place == "") != (got.Place == "") {
			t.Errorf("%s: %+v", name, got)
		}
		if got.Keyless != (name == "here") || errors.Is(got.Err, remote.ErrUnreachable) != (name == "gone") {
			t.Errorf("%s: %+v", name, got)
		}
		e, told := events[name]
		if told == (name == "here") || (e.Error != "") != want.bad {
			t.Errorf("%s: the event is %+v", name, e)
		}
		if want.state != "" && (e.Kind != event.HostKey || e.Key == nil || e.Key.Public != key || e.Key.State != want.state || e.Key.Place != got.Place) {
			t.Errorf("%s: the event is %+v of %+v", name, e, e.Key)
		}
	}
	if len(keys[8].Shown.Elsewhere) != 1 {
		t.Errorf("the key is known elsewhere: %+v", keys[8])
	}
	if strings.Contains(sshd.Log.String(), "Accepted") {
		t.Error("somebody was logged in")
	}
	some, err := session.HostKeys(t.Context(), []string{"gone", "known"})
	if err != nil || len(some) != 2 || some[0].Host != "known" || some[1].Host != "gone" {
		t.Errorf("the named hosts: %+v, %v", some, err)
	}
}

// A jump host whose key is refused stands before those that are behind it, once.
func TestHostKeysBehindAJumpHost(t *testing.T) {
	refused := &ssh.HostKeyError{Host: "bastion", Jump: true, Address: "198.51.100.7:22", KeyType: "ssh-ed25519", Fingerprint: "SHA256:abc", Key: "ssh-ed25519 AAAA", Files: []string{"/kh"}}
	behind := errors.Join(errors.New("jump host bastion"), refused)
	keys := []HostKey{
		{Host: "w1", Err: behind}, {Host: "w2", Err: behind}, {Host: "w3", Err: remote.ErrUnreachable},
		{Host: "w4", Err: &ssh.HostKeyError{Host: "w4"}}, {Host: "w5"},
	}
	jumps := jumpHosts(keys)
	if len(jumps) != 1 {
		t.Fatalf("got %+v", jumps)
	}
	jump := jumps[0]
	if jump.Host != "bastion" || !jump.Jump || jump.State != event.KeyNew || jump.Shown.Fingerprint != "SHA256:abc" || jump.Shown.File() != "/kh" {
		t.Errorf("got %+v", jump)
	}
	if slices.ContainsFunc(keys, func(k HostKey) bool { return k.Jump }) {
		t.Error("the hosts behind it are jump hosts, too")
	}
}
