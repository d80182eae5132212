package plan

import (
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
)

// What hosts are asked: everything that some concern asks, once.
func TestAsks(t *testing.T) {
	for name, edit := range map[string]func(*inventory.Cluster){
		"asks-bundle": nil, "asks-docker": world.All(world.FromRepositories, world.WithDocker, world.WithRegistries, world.WithProxy),
		"asks-packages": world.WithPackages, "asks-own-registry": world.OwnRegistryOnWorker, "asks-private-registry": world.PrivateRegistry(t), "asks-socket": world.WithSocket,
	} {
		asked := Asks(world.State(t, edit)).Arguments()
		Golden(t, name, strings.Join(asked, "\n")+"\n")
		if sorted := slices.Sorted(slices.Values(asked)); len(slices.Compact(sorted)) != len(asked) {
			t.Errorf("%s: something is asked twice", name)
		}
	}
}

// What fairlead installs by itself is refused in the inventory, where it would be wanted twice.
func TestOwnPackages(t *testing.T) {
	state := world.State(t, world.All(world.FromRepositories, world.WithDocker))
	own := slices.Concat(asksOfKubernetes(state).Packages, asksOfRuntime(state).Packages)
	for _, name := range own {
		if !slices.Contains(inventory.OwnPackages(), name) {
			t.Errorf("package %s can be wanted beside what fairlead installs", name)
		}
	}
	for _, name := range inventory.OwnPackages() {
		if !slices.Contains(own, name) && name != "kubernetes-cni" { // which the kubelet's brings along
			t.Errorf("package %s is refused, and fairlead never asks about it", name)
		}
	}
}

// A file that a plan writes, or would, is one that the plan asks about: else it would be written again
// in each run, and be no fact for the next plan. So it is with units, kernel parameters and modules.
func TestPlansAskAboutWhatTheyChange(t *testing.T) {
	for name, edit := range map[string]func(*inventory.Cluster){
		"bundle": nil, "three": world.ThreeControlPlanes, "packages": world.All(world.FromRepositories, world.WithProxy),
		"beside": world.WithPackages,
		"docker": world.All(world.FromRepositories, world.WithDocker, world.WithRegistries), "registry": world.OwnRegistryOnWorker, "private": world.PrivateRegistry(t),
	} {
		state := world.State(t, edit)
		asked := Asks(state)
		seen := world.Of(state, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
		for _, step := range Make(state, seen).Steps {
			for _, action := range step.Actions {
				if put, ok := action.(PutFile); ok && !asked.Includes(facts.Query{Paths: []string{put.Path}}) {
					t.Errorf("%s: %s writes %s, and nobody asks about it", name, step.ID, put.Path)
				}
				if layers, ok := action.(InstallLayers); ok && !asked.Includes(facts.Query{Paths: layers.paths()}) {
					t.Errorf("%s: %s installs files, and nobody asks about them", name, step.ID)
				}
				script, ok := action.(Script)
				if !ok {
					continue
				}
				for _, touched := range script.Touched {
					starts := touched.Kind == ledger.Unit && script.Args[0] == touched.Key
					settled := touched.Kind == ledger.Sysctl && script.Name == "sysctls" || touched.Kind == ledger.Module
					if (starts || settled) && !asked.Includes(promises()[touched.Kind].asks(touched.Key)) {
						t.Errorf("%s: %s changes %s, and nobody asks about it", name, step.ID, touched)
					}
				}
			}
		}
	}
}
