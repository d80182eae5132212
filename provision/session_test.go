package provision

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/connect"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/templates"
)

// unreached is an inventory whose hosts nobody listens on, and that needs no bundle.
func unreached(t *testing.T) *inventory.Cluster {
	t.Helper()
	cluster := world.State(t, world.All(world.FromRepositories, world.WithoutBundle)).Cluster
	known, key := filepath.Join(t.TempDir(), "known"), filepath.Join(t.TempDir(), "key")
	remotetest.WriteKey(t, key, remotetest.NewEd25519(t), "")
	for _, hosts := range [][]inventory.Host{cluster.ControlPlane.Hosts, cluster.Workers} {
		for i := range hosts {
			hosts[i].Address = world.Host("", "127.0.0.1", "").Address
			hosts[i].SSH = inventory.SSH{User: "ann", Port: remotetest.RefusingPort(t), KnownHosts: known, IdentityFile: key}
		}
	}
	return cluster
}

// A run is opened without connecting to anything; then it asks what its inventory's plan has to know.
func TestOpen(t *testing.T) {
	log, logged := remotetest.DebugLog()
	var events []event.Event
	s, err := Open(t.Context(), unreached(t), Options{Log: log, Events: func(e event.Event) { events = append(events, e) }})
	if err != nil || len(events) != 0 || logged.String() != "" {
		t.Fatalf("%v, %v, %s", err, events, logged)
	}
	if len(s.Images()) == 0 || len(s.Addons()) == 0 || s.Images()[0].Name == "" || s.Addons()[0].Name != "network" {
		t.Errorf("%d images, %d add-ons", len(s.Images()), len(s.Addons()))
	}
	seen, err := s.Observe(t.Context())
	if err != nil || len(events) != 4 || len(seen.Hosts) != 3 {
		t.Errorf("%v, %v", err, events)
	}
	for name, host := range seen.Hosts {
		if !host.Unreachable.Of(facts.HostUnreachable) {
			t.Errorf("%s is %v", name, host.Unreachable)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Nobody has to listen to a run, nor read its log.
func TestOpenWithoutListeners(t *testing.T) {
	s, err := Open(t.Context(), unreached(t), Options{WithoutBundle: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Images()) != 0 || len(s.Addons()) != 0 {
		t.Errorf("a reset knows %d images and %d add-ons", len(s.Images()), len(s.Addons()))
	}
	if _, err := s.Observe(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// What the inventory names and is not there keeps a run from being opened; a reset does not need the bundle.
func TestOpenWithoutWhatIsNamed(t *testing.T) {
	cluster := unreached(t)
	cluster.Kubernetes.Bundle = "/nonexistent/bundle.tar"
	if s, err := Open(t.Context(), cluster, Options{}); s != nil || !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "open bundle: ") {
		t.Errorf("%v", err)
	}
	if _, err := Open(t.Context(), cluster, Options{WithoutBundle: true}); err != nil {
		t.Errorf("for a reset: %v", err)
	}
	cluster.Kubernetes.Bundle = ""
	cluster.Images.Registries = []inventory.Registry{{Host: "r.lab", CA: "/nonexistent/ca.crt"}}
	if s, err := Open(t.Context(), cluster, Options{}); s != nil || !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "images.registries: r.lab: read the CA: ") {
		t.Errorf("%v", err)
	}
}

// A run without a bundle asks the API server neither for settings nor for add-ons.
func TestARunWithoutABundleIsNotComplete(t *testing.T) {
	f := converged(t, nil)
	for without, settings := range map[bool]int{false: 3, true: 0} {
		s := newSession(f.wish, nil, "1a2b3c4d", Options{WithoutBundle: without, Log: slog.New(slog.DiscardHandler)}, f.connections)
		if seen, err := s.Observe(t.Context()); err != nil || len(seen.API.Settings) != settings || len(seen.API.Nodes) != 3 {
			t.Errorf("without %v: %v, %v", without, seen.API.Settings, err)
		}
	}
}

// The kubeconfig is that of the first control plane that has one, with its entries named after the cluster.
func TestKubeconfig(t *testing.T) {
	f := converged(t, world.ThreeControlPlanes)
	admin := strings.Replace(f.lines["cp1"].Files()[templates.AdminConf], "token: secret", "client-certificate-data: Q0VSVA==, client-key-data: S0VZ", 1)
	f.lines["cp1"].PutFile(templates.AdminConf, admin)
	f.lines["cp3"].PutFile(templates.AdminConf, admin)
	want, err := pki.RenameKubeconfig([]byte(admin), "lab")
	if err != nil {
		t.Fatal(err)
	}
	for _, lost := range [][]string{{}, {"cp1", "cp2"}} {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		f.lose(lost...)
		f.connections = connect.NewWith(f.wish.Cluster, f.dial)
		if got, err := f.Kubeconfig(t.Context()); err != nil || string(got) != string(want) {
			t.Errorf("without %v: %s, %v", lost, got, err)
		}
	}
}

// Without a kubeconfig each control plane is named with its reason.
func TestNoKubeconfig(t *testing.T) {
	f := newFleet(t, world.State(t, world.ThreeControlPlanes), facts.Facts{API: facts.API{Err: facts.NoCluster()}})
	f.lose("cp2")
	f.lines["w1"].PutFile(templates.AdminConf, "a worker's")
	_, err := f.Kubeconfig(t.Context())
	var step *event.StepError
	if !errors.As(err, &step) || step.Host != "cp1" || step.Step != "cp1/kubeconfig" || !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, remote.ErrUnreachable) {
		t.Fatalf("%v", err)
	}
	for i, want := range []string{"cp1: read the kubeconfig: read /etc/kubernetes/admin.conf: ", "cp2: read the kubeconfig: host is unreachable", "cp3: read the kubeconfig: "} {
		if line := strings.Split(err.Error(), "\n")[i]; !strings.HasPrefix(line, want) {
			t.Errorf("it says %q, want %q", line, want)
		}
	}
}
