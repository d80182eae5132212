//go:build cluster

package cluster

import (
	"context"
	"strings"
	"testing"
	"time"

	"fairlead/e2e/lab"
)

// TestReachKind: the nodes of a lab of kind are taken over: reset to no cluster, made another one, which lives on when the containers start
// anew, with another address, too, and reset to what they were without a cluster. What stands for kind here is a STAND-IN, made from what is
// known of kindest/node: no image of kind's is to be had where these tests run.
func TestReachKind(t *testing.T) {
	s := freshSite(t)
	t.Cleanup(func() { shared.up = false })
	kind := s.kind()
	nodes := kind.Nodes()
	empty, images := s.snapshots(nodes...), map[string]string{}
	for _, node := range nodes {
		images[node] = s.images(node)
	}
	if err := s.lab.ClusterKind(s.ctx, kind); err != nil {
		t.Fatal(err)
	}
	s.nodesOfKind(kind)
	s.fromKind(kind)

	// What others have made is taken away on explicit wish alone.
	made := s.hashes(nodes...)
	s.fairlead("reset", "--yes").exits(1).says("it is in a cluster, and fairlead has made nothing on it", "--foreign")
	for node, was := range made {
		if is := s.hashes(node)[node]; is != was {
			t.Errorf("node %s was changed: %v", node, changes(was, is))
		}
	}
	s.fairlead("reset", "--yes", "--foreign").exits(0)
	// kind has written its own configuration, containerd has been used, and tables that iptables has made are there, and empty: whether rules
	// are left fairlead looks itself.
	s.restoredBut(empty, "/kind", "nft ", "ip6tables-save ", "iptables-save *mangle", "/run/containerd/", "/var/lib/containerd/io.containerd.",
		"/run/xtables.lock", "/usr/lib/modules", "/usr/libexec/kubernetes", "sysctl net.ipv4.conf.all.route_localnet", "unit kubelet.slice")
	empty = s.snapshots(nodes...)
	s.fairlead("reset", "--yes", "--foreign").exits(0).says("nothing to do")

	s.mustUp()
	s.nodesOfKind(kind)
	s.planned(0)

	// The containers start anew, as they are and with other addresses.
	for _, node := range nodes {
		if err := s.lab.Stop(s.ctx, node); err != nil {
			t.Fatal(err)
		}
		if err := s.lab.StartKind(s.ctx, node); err != nil {
			t.Fatal(err)
		}
	}
	s.nodesOfKind(kind)
	s.planned(0)
	s.moveNodes(kind)

	s.fairlead("reset", "--yes").exits(0)
	// What the engine and kind's entry point make anew at each start is another; sockets of shims that were killed stay until the next one.
	s.restoredBut(empty, "/kind/old-ipv4", "/kind/kubeadm.conf", "/etc/hosts", "/etc/machine-id", "iptables-save *nat -A DOCKER_", "nft ", "/run/containerd/s/", "unit ssh.service")
	s.t.Run("Images", func(t *testing.T) {
		for _, node := range nodes {
			if is := s.sub(t).images(node); is != images[node] {
				t.Errorf("node %s has the images\n%s\nand had\n%s", node, is, images[node])
			}
		}
	})
}

// images are the names of those in a node's containerd.
func (s *site) images(node string) string {
	s.t.Helper()
	return s.shell(node, "ctr --namespace k8s.io images list --quiet | sort")
}

// fromKind has init write the inventory, which is then given the bundle, and what these containers need as all of the lab's hosts.
func (s *site) fromKind(kind lab.Kind) {
	s.t.Helper()
	s.fairlead("init", "--from", "kind:"+kind.Name).exits(0)
	usual, err := s.lab.Inventory(lab.InventoryOptions{ControlPlanes: kind.ControlPlane, Bundle: shared.bundle})
	if err != nil {
		s.t.Fatal(err)
	}
	_, head, _ := strings.Cut(usual, "kubernetes:\n")
	head, rest, _ := strings.Cut(head, "ssh:\n")
	text := s.read(s.file)
	begin, end, found := strings.Cut(text, "\nkubernetes:\n")
	_, end, more := strings.Cut(end, "\n\n")
	if !found || !more {
		s.t.Fatalf("no kubernetes in\n%s", text)
	}
	text = begin + "\nkubernetes:\n" + head + "\n" + end
	if strings.Contains(rest, "ignorePreflight") {
		text += "ignorePreflight: [SystemVerification]\n"
	}
	s.write(s.file, text)
}

// moveNodes has each node start with another address.
func (s *site) moveNodes(kind lab.Kind) {
	s.t.Helper()
	for i, node := range kind.Nodes() {
		was := s.address(node)
		if err := s.lab.MoveKind(s.ctx, node, 101+i); err != nil {
			s.t.Fatal(err)
		}
		s.edit("address: "+was+"}", "address: "+s.address(node)+"}")
	}
	s.mustUp()
	s.nodesOfKind(kind)
	s.planned(0)
	for _, node := range kind.Nodes() {
		if is := s.shell(kind.ControlPlane[0], kubectl+" get node "+node+" --output 'jsonpath={.status.addresses[?(@.type==\"InternalIP\")].address}'"); is != s.address(node) {
			s.t.Errorf("node %s has the address %s, want %s", node, is, s.address(node))
		}
	}
}

// kind makes the containers of a cluster of kind, until the test ends.
func (s *site) kind() lab.Kind {
	s.t.Helper()
	kind := s.lab.KindCluster()
	s.t.Cleanup(func() {
		if *keep {
			return
		}
		if err := s.lab.DownKind(context.WithoutCancel(s.ctx), kind); err != nil {
			s.t.Error(err)
		}
	})
	if err := s.lab.UpKind(s.ctx, kind, shared.bundle); err != nil {
		s.t.Fatal(err)
	}
	return kind
}

// nodesOfKind waits until all nodes are Ready, and their pods run.
func (s *site) nodesOfKind(kind lab.Kind) {
	s.t.Helper()
	s.eventually("nodes of kind", 3*time.Minute, func() string {
		_, err := s.tryShell(kind.ControlPlane[0], kubectl+" wait --for=condition=Ready nodes --all --timeout=5s && "+
			kubectl+" wait --for=condition=Ready pods --all --all-namespaces --timeout=5s")
		if err != nil {
			return err.Error()
		}
		return ""
	})
}
