package plan

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

// ThroughFile is what is read of facts after they were written to a file.
func ThroughFile(t *testing.T, seen facts.Facts) facts.Facts {
	t.Helper()
	text, err := facts.Encode(seen)
	if err != nil {
		t.Fatal(err)
	}
	read, err := facts.Decode(text)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return read
}

// merged is the content of Docker Engine's configuration in a plan: what others have in it is
// withheld in a file.
var merged = regexp.MustCompile(`(do write /etc/docker/daemon\.json .*\n +content ).*`)

// WantSameFromFile fails when facts that went through a file give another plan.
func WantSameFromFile(t *testing.T, wish desired.State, seen facts.Facts) {
	t.Helper()
	show := func(seen facts.Facts) string { return merged.ReplaceAllString(Show(Make(wish, seen)), "$1") }
	if got, want := show(ThroughFile(t, seen)), show(seen); got != want {
		t.Errorf("of a file of facts the plan is\n%s\ninstead of\n%s", got, want)
	}
}

// recordings are facts that are kept in files: what is read of them is what a run would have seen.
func recordings(t *testing.T) []struct {
	name string
	wish desired.State
	seen facts.Facts
} {
	t.Helper()
	at := func(seen facts.Facts) facts.Facts {
		seen.ObservedAt = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
		return seen
	}
	whole, alone := world.State(t, nil), world.State(t, world.OnlyControlPlane)
	drifted := world.Converged(t, whole)
	delete(drifted.Hosts, "w2")
	drifted.Hosts["w2"] = facts.Host{Unreachable: world.NoRoute()}
	world.ChangeHost(drifted, "w1", func(h *facts.Host) {
		h.Swaps, h.FstabSwaps = []facts.Swap{{Device: "/dev/vdb"}}, []string{"/dev/vdb"}
		h.Sysctls["net.ipv4.ip_forward"] = "0"
		h.Files["/usr/local/bin/kubelet"] = facts.File{Mode: 0o755, SHA256: "beef"}
		world.Written(h, templates.ContainerdConfigFile, 0o644, []byte("version = 3\n"))
		h.ClockOffset = 90 * time.Second
	})
	world.ChangeNode(drifted, "w1", func(n *object.Node) { n.Unschedulable = true })
	three, lost := threeMembers(t)
	lostTwo(&lost)
	return []struct {
		name string
		wish desired.State
		seen facts.Facts
	}{
		{"clean", whole, at(world.Of(whole, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) }))},
		{"control-plane", alone, at(world.Converged(t, alone))},
		{"worker-drift", whole, at(drifted)},
		{"lost-quorum", three, at(lost)},
	}
}

// TestRecordedFacts makes plans of facts that were written by an earlier program: a change of the
// form in which facts are written does not get by it.
func TestRecordedFacts(t *testing.T) {
	for _, c := range recordings(t) {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join("testdata", "facts", c.name+".json")
			written, err := facts.Encode(c.seen)
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, written, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(written) != string(text) {
				t.Errorf("%s is not what is written now:\n%s", path, written)
			}
			recorded, err := facts.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			made := Show(Make(c.wish, recorded))
			Golden(t, "recorded-"+c.name, made)
			if want := Show(Make(c.wish, c.seen)); made != want {
				t.Errorf("of the file the plan is\n%s\ninstead of\n%s", made, want)
			}
		})
	}
}

// What is withheld is no reason to plan anything, and where it cannot be known that is said.
func TestPlanOfWithheldFacts(t *testing.T) {
	withSecret := world.All(world.AllAddons, world.PrivateRegistry(t))
	wish := world.State(t, withSecret)
	secret := map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "x", "namespace": "app"}, "stringData": map[string]any{"a": "hunter2"},
	}
	live := map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "x", "namespace": "app"}, "data": map[string]any{"a": "aHVudGVyMg=="},
	}
	wish.Addons = append(wish.Addons, desired.AddonSet{Name: "app", Title: "app", Objects: []map[string]any{secret}})
	seen := world.Converged(t, wish)
	seen.API.Objects[object.Key(live)] = object.Live{Object: live}
	WantSameFromFile(t, wish, seen)
	seen.API.Objects[object.Key(live)] = object.Live{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": map[string]any{"name": "x", "namespace": "app"}}}
	if plan := Make(wish, ThroughFile(t, seen)); len(plan.Steps) > 0 {
		t.Errorf("of what is not known there is planned\n%s", Show(plan))
	}

	// A file of the user's that speaks of secrets differs, and it is not said how.
	wish, seen = world.State(t, nil), world.Converged(t, world.State(t, nil))
	world.ChangeHost(seen, "w1", func(h *facts.Host) {
		world.Written(h, templates.ContainerdConfigFile, 0o644, []byte("password = \"hunter2\"\n"))
	})
	made := Make(wish, ThroughFile(t, seen))
	if len(made.Steps) != 1 || made.Steps[0].Reasons[0] != templates.ContainerdConfigFile+" differs" {
		t.Errorf("planned is\n%s", Show(made))
	}

	// Docker Engine's configuration is merged, which cannot be done to one that is not there.
	wish = world.State(t, world.All(world.FromRepositories, world.WithDocker, world.WithRegistries))
	seen = world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
	world.ChangeHost(seen, "w1", func(h *facts.Host) { world.DaemonJSON("{\"a\": \"hunter2}")(h) })
	made = Make(wish, ThroughFile(t, seen))
	if len(made.Blocked) != 1 || made.Blocked[0].Host != "w1" || made.Blocked[0].Reason != templates.DockerConfigPath+" is withheld in the file of facts" {
		t.Errorf("blocked are %+v", made.Blocked)
	}
}
