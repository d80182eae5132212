package observe

import (
	"slices"
	"testing"

	"fairlead/provision/model/world"
)

func TestTheSocketIsLookedFor(t *testing.T) {
	if paths := hostFiles(world.State(t, world.WithSocket)); !slices.Contains(paths, "/run/crio/crio.sock") {
		t.Error("the probe is not asked for the socket")
	}
	if paths := hostFiles(world.State(t, nil)); !slices.Contains(paths, "/run/containerd/containerd.sock") {
		t.Error("the probe is not asked for containerd's socket")
	}
}
