package plan

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

func Golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "plan", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n got:\n%s\nwant:\n%s", path, got, want)
	}
}

// TestPlan has a case for hosts on which a thing is absent, correct, wrong, half done, and
// for hosts that cannot be reached. Every plan is a golden file.
func TestPlan(t *testing.T) {
	alone := func(c *inventory.Cluster) { c.Workers = nil }
	cases := []struct {
		name   string
		edit   func(*inventory.Cluster)
		fresh  bool // start from fresh hosts, else from a converged cluster
		change func(*facts.Facts)
	}{
		{name: "absent", fresh: true},
		{name: "absent-three-control-planes", edit: world.ThreeControlPlanes, fresh: true},
		{name: "correct"},
		{name: "wrong-sysctl", change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) { h.Sysctls["net.ipv4.ip_forward"] = "0" })
		}},
		{name: "wrong-containerd-config", change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) {
				h.Files[templates.ContainerdConfigFile] = facts.File{Mode: 0o644, SHA256: "beef"}
				h.Contents[templates.ContainerdConfigFile] = []byte("version = 3\nedited = true\n")
			})
		}},
		{name: "wrong-kubelet-stopped", change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) {
				h.Units[templates.KubeletService] = facts.Unit{Load: "loaded", Active: "inactive", Enabled: "enabled"}
			})
			world.ChangeNode(*f, "w1", func(n *object.Node) { n.Ready, n.ReadyMessage = false, "Kubelet stopped posting node status." })
		}},
		{name: "wrong-kubelet-binary", change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) {
				h.Files["/usr/local/bin/kubelet"] = facts.File{Mode: 0o755, SHA256: "beef"}
				h.Versions["kubelet"] = facts.Version{Path: "/usr/local/bin/kubelet", Version: "1.36.3"}
			})
		}},
		{name: "wrong-swap", change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) {
				h.Swaps, h.FstabSwaps = []facts.Swap{{Device: "/dev/vdb"}}, []string{"/dev/vdb"}
			})
		}},
		{name: "wrong-taint", change: func(f *facts.Facts) { world.ChangeNode(*f, "cp1", func(n *object.Node) { n.Taints = nil }) }},
		{name: "wrong-image", change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) {
				h.Images["registry.k8s.io/pause:3.10.2"] = facts.Image{Digest: h.Images["registry.k8s.io/pause:3.10.2"].Digest}
			})
		}},
		{name: "wrong-object", change: func(f *facts.Facts) { delete(f.API.Objects, "DaemonSet kube-flannel/kube-flannel-ds") }},
		{name: "schedulable", edit: func(c *inventory.Cluster) { c.ControlPlane.Schedulable = true }},
		{name: "labels", edit: func(c *inventory.Cluster) {
			c.Workers[0].Labels = map[string]string{"disk": "ssd", "zone": "a"}
			c.Workers[0].Taints = []inventory.Taint{{Key: "gpu", Value: "true", Effect: "NoSchedule"}}
		}, change: func(f *facts.Facts) {
			world.ChangeNode(*f, "w1", func(n *object.Node) {
				n.Labels["disk"], n.Labels["old"], n.Labels["theirs"] = "hdd", "1", "2"
				n.Annotations["fairlead/labels"] = "disk,old"
				n.Annotations["fairlead/taints"] = "old:NoExecute"
				n.Taints = []object.Taint{{Key: "old", Effect: "NoExecute"}, {Key: "theirs", Effect: "NoSchedule"}}
			})
		}},
		{name: "new-worker", change: func(f *facts.Facts) {
			delete(f.API.Nodes, "w2")
			f.Hosts["w2"] = world.FreshHost(world.Host("w2", "192.0.2.22", inventory.RoleWorker))
		}},
		{name: "half-init", edit: alone, change: func(f *facts.Facts) { f.API.Missing = []string{"DaemonSet kube-system/kube-proxy"} }},
		{name: "half-init-failed", edit: alone, change: func(f *facts.Facts) {
			f.API = facts.API{Err: world.Refused()}
			world.ChangeHost(*f, "cp1", func(h *facts.Host) { h.Units[templates.KubeadmService] = facts.Unit{Load: "loaded", Active: "failed"} })
		}},
		{name: "half-join", change: func(f *facts.Facts) {
			delete(f.API.Nodes, "w1")
			world.ChangeHost(*f, "w1", func(h *facts.Host) {
				delete(h.Kubeconfigs, "kubelet.conf")
				h.Kubeconfigs["bootstrap-kubelet.conf"] = true
			})
		}},
		{name: "half-join-no-node", change: func(f *facts.Facts) { delete(f.API.Nodes, "w1") }},
		{name: "half-join-control-plane", edit: world.ThreeControlPlanes, change: func(f *facts.Facts) {
			world.ChangeNode(*f, "cp2", func(n *object.Node) { delete(n.Labels, object.LabelControlPlane) })
		}},
		{name: "half-kubeadm-runs", change: func(f *facts.Facts) {
			f.API = facts.API{Err: world.Refused()}
			world.ChangeHost(*f, "cp1", func(h *facts.Host) { h.Units[templates.KubeadmService] = facts.Unit{Load: "loaded", Active: "active"} })
		}},
		{name: "api-away", change: func(f *facts.Facts) { f.API = facts.API{Err: world.Refused()} }},
		{name: "stale-token", change: func(f *facts.Facts) { f.API.StaleTokens = []string{"abcdef"} }},
		{name: "unreachable-worker", fresh: true, change: func(f *facts.Facts) {
			f.Hosts["w2"] = facts.Host{Unreachable: world.NoRoute()}
		}},
		{name: "unreachable-node", change: func(f *facts.Facts) {
			f.Hosts["w2"] = facts.Host{Unreachable: world.NoRoute()}
			world.ChangeNode(*f, "w2", func(n *object.Node) { n.Ready = false })
			f.API.Unready["DaemonSet kube-flannel/kube-flannel-ds"] = "2 of 3 pods are available"
		}},
		{name: "unreachable-control-plane", edit: world.ThreeControlPlanes, fresh: true, change: func(f *facts.Facts) {
			f.Hosts["cp2"] = facts.Host{Unreachable: world.NoRoute()}
		}},
		{name: "absent-private-registry", edit: world.PrivateRegistry(t), fresh: true},
		{name: "correct-private-registry", edit: world.PrivateRegistry(t)},
		{name: "wrong-private-registry", edit: world.PrivateRegistry(t), change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) {
				delete(h.Files, templates.RegistryCertsFolder+"/registry.lab:5000/hosts.toml")
				h.Files[templates.RegistryCredentials(nil, templates.Containerd{}).Path] = facts.File{Mode: 0o644, SHA256: "beef"}
			})
		}},
		{name: "no-private-registry-any-more", change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) {
				for _, path := range []string{templates.RegistryCertsFolder + "/registry.lab:5000/hosts.toml", templates.RegistryCredentials(nil, templates.Containerd{}).Path} {
					h.Files[path] = facts.File{Mode: 0o600, SHA256: "beef"}
					h.Ledger = append(h.Ledger, ledger.Entry{Kind: ledger.File, Key: path, Was: "absent"})
				}
			})
		}},
		{name: "image-problems", edit: world.PrivateRegistry(t), fresh: true, change: func(f *facts.Facts) {
			const image = "registry.lab:5000/k8s/pause:3.10.2"
			for _, err := range []*facts.Problem{
				{Kind: facts.RegistryUnreachable, Text: "registry is unreachable"},
				{Kind: facts.RegistryCertificate, Text: "registry's certificate is not trusted"},
				{Kind: facts.RegistryCredentials, Text: "registry denies access"},
			} {
				f.ImageProblems = append(f.ImageProblems, facts.ImageProblem{Host: "w1", Image: image, Registry: "registry.lab:5000", Whole: true, Err: err})
			}
			f.ImageProblems = append(f.ImageProblems, facts.ImageProblem{
				Host: "w2", Image: image, Registry: "registry.lab:5000", Err: &facts.Problem{Kind: facts.ImageMissing, Text: "not in the registry"},
			})
		}},
		{name: "kubeadm-wants-one-repository", fresh: true, edit: func(c *inventory.Cluster) {
			c.Images.Rewrite = []inventory.RewriteRule{{From: "registry.k8s.io/kube-proxy", To: "registry.lab:5000/proxy"}}
		}},
		{name: "absent-own-registry", edit: world.OwnRegistryOnWorker, fresh: true},
		{name: "correct-own-registry", edit: world.OwnRegistryOnWorker, change: func(f *facts.Facts) { installRegistry(t, f, "w1") }},
		{name: "wrong-own-registry", edit: world.OwnRegistryOnWorker, change: func(f *facts.Facts) {
			installRegistry(t, f, "w1")
			world.ChangeHost(*f, "w1", func(h *facts.Host) {
				delete(h.RegistryImages, "registry.k8s.io/pause:3.10.2")
				h.Units[templates.RegistryService] = facts.Unit{Load: "loaded", Active: "failed", Enabled: "enabled"}
				h.Units[templates.RegistryWriterService] = facts.Unit{Load: "loaded", Active: "active"}
			})
			world.ChangeHost(*f, "w2", func(h *facts.Host) { delete(h.Files, desired.CAFile("192.0.2.21:5000")) })
		}},
		{name: "unreachable-own-registry", edit: world.OwnRegistryOnWorker, change: func(f *facts.Facts) {
			installRegistry(t, f, "w1")
			f.Hosts["w1"] = facts.Host{Unreachable: world.NoRoute()}
		}},
		{name: "absent-addons", edit: world.AllAddons, fresh: true},
		{name: "correct-addons", edit: world.AllAddons},
		{name: "new-addons", edit: world.AllAddons, change: func(f *facts.Facts) {
			world.KeepSettings(t, world.State(t, nil), f)
			for _, set := range []string{desired.SetApprover, desired.SetMetricsServer, desired.SetIngress} {
				for _, item := range f.API.Applied[set] {
					delete(f.API.Objects, object.Key(item.Object()))
				}
				delete(f.API.Applied, set)
			}
		}},
		{name: "wrong-addons", edit: world.AllAddons, change: func(f *facts.Facts) {
			f.API.Serving = []object.ServingRequest{{Name: "csr-x", Node: "w1"}}
			f.API.Unready["Deployment kube-system/metrics-server"] = "0 of 1 pods are available"
		}},
		{name: "addon-removed", change: func(f *facts.Facts) {
			item := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": "app", "name": "x"}}
			f.API.Applied["app"] = []object.Applied{object.Identify(item)}
			f.API.Orphans["app"] = f.API.Applied["app"]
		}},
		{name: "absent-network-of-others", fresh: true, edit: func(c *inventory.Cluster) { c.Addons.Network.Name = inventory.NetworkNone }},
		{name: "another-network", change: func(f *facts.Facts) {
			world.ChangeHost(*f, "w1", func(h *facts.Host) { h.NetworkConfigurations = []string{"10-calico.conflist", "10-flannel.conflist"} })
		}},
		{name: "absent-dual-stack", edit: world.All(world.ThreeControlPlanes, world.DualStack), fresh: true},
		{name: "correct-dual-stack", edit: world.DualStack},
		{name: "absent-ipv6-only", edit: world.IPv6Only, fresh: true},
		{name: "correct-ipv6-only", edit: world.IPv6Only},
		{name: "another-version", change: func(f *facts.Facts) { f.API.ServerVersion = "1.36.3" }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			wish := world.State(t, c.edit)
			seen := world.Converged(t, wish)
			if c.fresh {
				seen = world.Of(wish, func(_ desired.State, host inventory.Host) facts.Host { return world.FreshHost(host) })
			}
			if c.change != nil {
				c.change(&seen)
			}
			plan := Make(wish, seen)
			Golden(t, c.name, Show(plan))
			if again := Show(Make(wish, seen)); again != Show(plan) {
				t.Error("the same facts give another plan")
			}
			if err := plan.Sound(); err != nil {
				t.Error(err)
			}
			WantSameFromFile(t, wish, seen)
		})
	}
}

// installRegistry makes fairlead's own registry whole on its host, and known on the others.
func installRegistry(t *testing.T, f *facts.Facts, name string) {
	t.Helper()
	wish := world.State(t, world.OwnRegistryOnWorker)
	host, _ := wish.Cluster.Host(name)
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	f.ObservedAt = now
	authority, err := pki.NewAuthority(rand.Reader, "test", now)
	if err != nil {
		t.Fatal(err)
	}
	certificate, _, err := authority.IssueServer(rand.Reader, []string{name}, []netip.Addr{host.Address}, now)
	if err != nil {
		t.Fatal(err)
	}
	put := func(h *facts.Host, file templates.HostFile) {
		sum := sha256.Sum256(file.Content)
		h.Files[file.Path] = facts.File{Mode: file.Mode, SHA256: hex.EncodeToString(sum[:])}
	}
	world.ChangeHost(*f, name, func(h *facts.Host) {
		h.RegistryCA, h.RegistryCertificate = authority.CertificatePEM(), certificate
		h.Units[templates.RegistryService] = facts.Unit{Load: "loaded", Active: "active", Enabled: "enabled"}
		h.RegistryImages = map[string]string{}
		for _, need := range wish.Needs {
			repository, tag, err := wish.OwnRepository(need.Name)
			if err != nil {
				t.Fatal(err)
			}
			h.RegistryImages[repository+":"+tag] = need.Bundled.Digest.String()
		}
		for _, file := range templates.RegistryFiles() {
			put(h, file)
		}
	})
	for _, each := range wish.Cluster.Hosts() {
		world.ChangeHost(*f, each.Name, func(h *facts.Host) {
			put(h, templates.HostFile{Path: desired.CAFile(wish.OwnRegistry()), Mode: 0o644, Content: authority.CertificatePEM()})
		})
	}
}
