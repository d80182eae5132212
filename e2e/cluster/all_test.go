//go:build cluster

package cluster

import (
	"testing"

	"fairlead/provision/remote/container"
)

// The tests, in the order in which they run: a test that can use the cluster of the one
// before comes after it, and those that need new hosts come last.

// TestUp: new hosts become a cluster that works.
func TestUp(t *testing.T) { testUp(t) }

// TestUpAgain: a second run writes nothing, restarts nothing and hardly connects.
func TestUpAgain(t *testing.T) { testUpAgain(t) }

// TestErrors: every failure names host, step, reason and mending, and has its exit code.
func TestErrors(t *testing.T) { testErrors(t) }

// TestLocal: the machine that fairlead runs on becomes a cluster, without SSH.
func TestLocal(t *testing.T) { testLocal(t) }

// TestSchedulable: the control-plane taint follows the inventory.
func TestSchedulable(t *testing.T) { testSchedulable(t) }

// TestLabels: labels and taints follow the inventory, and those of others stay.
func TestLabels(t *testing.T) { testLabels(t) }

// TestSource: what a host has already is adopted, wherever it came from.
func TestSource(t *testing.T) { testSource(t) }

// TestJoin: a third worker comes and goes, and no other host is touched.
func TestJoin(t *testing.T) { testJoin(t) }

// TestSecrets: the CA is pinned, tokens end with their run, and nothing secret is anywhere
// where it does not belong.
func TestSecrets(t *testing.T) { testSecrets(t) }

// TestDrift: what changed on a host is named, and repaired alone.
func TestDrift(t *testing.T) { testDrift(t) }

// TestEtcd: etcd is looked at, saved and defragmented by commands.
func TestEtcd(t *testing.T) { testEtcd(t) }

// TestDamage: what is damaged of the state on a host is not taken for truth, and stays.
func TestDamage(t *testing.T) { testDamage(t) }

// TestSettings: a living cluster takes changes of kubeadm's documents, and only what changed
// starts anew.
func TestSettings(t *testing.T) { testSettings(t) }

// TestSwap: swap that is on is found, turned off, and turned on again by a reset. All labs of a machine share its kernel and its
// swap: no other one may be at work.
func TestSwap(t *testing.T) { testSwap(t) }

// TestReset: the hosts are as before, and can be a cluster again.
func TestReset(t *testing.T) { testReset(t) }

// TestKill: a run that is killed is taken up by the next one.
func TestKill(t *testing.T) { testKill(t) }

// TestRestart: hosts that go away in the middle of a run come back, and it goes on.
func TestRestart(t *testing.T) { testRestart(t) }

// TestThreeControlPlanes: control planes come and go one by one.
func TestThreeControlPlanes(t *testing.T) { testThreeControlPlanes(t) }

// TestQuorum: a cluster goes on from one control plane of three, when the others are gone for good.
func TestQuorum(t *testing.T) { testQuorum(t) }

// TestReach: hosts behind a bastion, with other shells, keys, limits and ways to become root, are a cluster like others.
func TestReach(t *testing.T) { testReach(t) }

// TestReachVagrant: machines of Vagrant's become a cluster with nothing written by hand.
func TestReachVagrant(t *testing.T) { testReachVagrant(t) }

// TestAdopt: a cluster that bare kubeadm made is understood, and takes another worker.
func TestAdopt(t *testing.T) { testAdopt(t) }

// TestAddons: metrics over verified TLS, an ingress controller, and a user's application.
func TestAddons(t *testing.T) { testAddons(t) }

// TestRegistry: hosts that reach nothing but a private registry become a cluster, and
// nothing comes from elsewhere.
func TestRegistry(t *testing.T) { testRegistry(t) }

// TestOwnRegistry: with images.host, images cross the laptop's link once.
func TestOwnRegistry(t *testing.T) { testOwnRegistry(t) }

// TestPackages: hosts that reach nothing but signed apt repositories become a cluster.
func TestPackages(t *testing.T) { testPackages(t) }

// TestDocker: Docker Engine works beside Kubernetes, with one containerd.
func TestDocker(t *testing.T) { testDocker(t) }

// TestReachContainers: hosts that are containers of Docker's become a cluster, without SSH.
func TestReachContainers(t *testing.T) { testReachContainers(t, container.Docker) }

// TestReachPodman: the same with Podman's, which a lab of its own has.
func TestReachPodman(t *testing.T) { testReachContainers(t, container.Podman) }

// TestReachQuickStarts: each quick start does what it says, as it is written.
func TestReachQuickStarts(t *testing.T) { testReachQuickStarts(t) }

// TestReachDualStack: hosts of two IP families become a cluster of two.
func TestReachDualStack(t *testing.T) { testReachDualStack(t) }

// TestProxy: the same where a proxy is the only way out, without a bundle.
func TestProxy(t *testing.T) { testProxy(t) }
