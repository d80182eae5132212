package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// nodeOfKind makes a host one that kind has made.
func nodeOfKind(h *facts.Host) {
	h.Container = "docker"
	h.NotEmpty[templates.KindFolder] = true
}

// kindFile is what a plan writes to kind's file on a host, nil if it writes nothing there.
func kindFile(plan Plan, host string) []byte {
	for _, step := range plan.Steps {
		for _, action := range step.Actions {
			if put, is := action.(PutFile); is && step.Host == host && put.Path == templates.KindConfigFile {
				return put.Content
			}
		}
	}
	return nil
}

// Control planes that kind has made get kubeadm's documents, with their own address, before kubeadm makes them; others do not.
func TestKind(t *testing.T) {
	state := world.State(t, world.ThreeControlPlanes)
	var has func(inventory.Host, *facts.Host)
	plan := func() Plan {
		return Make(state, world.Of(state, func(_ desired.State, host inventory.Host) facts.Host {
			seen := world.FreshHost(host)
			has(host, &seen)
			return seen
		}))
	}
	has = func(_ inventory.Host, h *facts.Host) { nodeOfKind(h) }
	fresh := plan()
	for _, host := range state.Cluster.Hosts() {
		text := string(kindFile(fresh, host.Name))
		if want := host.Role == inventory.RoleControlPlane; want != strings.Contains(text, "advertiseAddress: "+host.Address.String()+"\n") || want != (text != "") {
			t.Errorf("%s: %q", host.Name, text)
		}
	}
	for name, spoil := range map[string]func(*facts.Host){
		"a machine":         func(h *facts.Host) { h.Container = "" },
		"another container": func(h *facts.Host) { delete(h.NotEmpty, templates.KindFolder) },
	} {
		has = func(_ inventory.Host, h *facts.Host) { nodeOfKind(h); spoil(h) }
		if text := kindFile(plan(), "cp1"); text != nil {
			t.Errorf("%s: %s", name, text)
		}
	}
	// What is there and right is left alone; what kind has changed, as the address was another one, is put right.
	file := kindFile(fresh, "cp1")
	for text, again := range map[string]bool{string(file): false, strings.Replace(string(file), "192.0.2.11", "192.0.2.99", 1): true} {
		has = func(host inventory.Host, h *facts.Host) {
			if nodeOfKind(h); host.Name == "cp1" {
				sum := sha256.Sum256([]byte(text))
				h.Files[templates.KindConfigFile] = facts.File{Mode: 0o600, SHA256: hex.EncodeToString(sum[:])}
				h.Contents[templates.KindConfigFile] = []byte(text)
			}
		}
		if got := kindFile(plan(), "cp1"); (got != nil) != again {
			t.Errorf("written again: %v, want %v", got != nil, again)
		}
	}
}
