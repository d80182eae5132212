package provision

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/bundle"
	"fairlead/provision/kube"
	"fairlead/provision/registry"
	"fairlead/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sortImages(images []bundle.Image) {
	slices.SortFunc(images, func(a, b bundle.Image) int { return cmp.Compare(a.Name, b.Name) })
}

func golden(t *testing.T, name, got string) {
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

func changeHost(f Facts, name string, change func(*HostFacts)) {
	host := f.Hosts[name]
	change(&host)
	f.Hosts[name] = host
}

func changeNode(f Facts, name string, change func(*kube.Node)) {
	node := f.API.Nodes[name]
	node.Labels, node.Annotations = maps.Clone(node.Labels), maps.Clone(node.Annotations)
	change(&node)
	f.API.Nodes[name] = node
}

// TestPlan has a case for hosts on which a thing is absent, correct, wrong, half done, and
// for hosts that cannot be reached. Every plan is a golden file.
func TestPlan(t *testing.T) {
	alone := func(c *inventory.Cluster) { c.Workers = nil }
	cases := []struct {
		name   string
		edit   func(*inventory.Cluster)
		fresh  bool // start from fresh hosts, else from a converged cluster
		change func(*Facts)
	}{
		{name: "absent", fresh: true},
		{name: "absent-three-control-planes", edit: threeControlPlanes, fresh: true},
		{name: "correct"},
		{name: "wrong-sysctl", change: func(f *Facts) {
			changeHost(*f, "w1", func(h *HostFacts) { h.Sysctls["net.ipv4.ip_forward"] = "0" })
		}},
		{name: "wrong-containerd-config", change: func(f *Facts) {
			changeHost(*f, "w1", func(h *HostFacts) {
				h.Files[configTOML] = FileFacts{Mode: 0o644, SHA256: "beef"}
				h.Contents[configTOML] = []byte("version = 3\nedited = true\n")
			})
		}},
		{name: "wrong-kubelet-stopped", change: func(f *Facts) {
			changeHost(*f, "w1", func(h *HostFacts) {
				h.Units[kubeletUnit] = UnitFacts{Load: "loaded", Active: "inactive", Enabled: "enabled"}
			})
			changeNode(*f, "w1", func(n *kube.Node) { n.Ready, n.ReadyMessage = false, "Kubelet stopped posting node status." })
		}},
		{name: "wrong-kubelet-binary", change: func(f *Facts) {
			changeHost(*f, "w1", func(h *HostFacts) {
				h.Files["/usr/local/bin/kubelet"] = FileFacts{Mode: 0o755, SHA256: "beef"}
				h.Versions["kubelet"] = Version{Path: "/usr/local/bin/kubelet", Version: "1.36.3"}
			})
		}},
		{name: "wrong-swap", change: func(f *Facts) {
			changeHost(*f, "w1", func(h *HostFacts) {
				h.Swaps, h.FstabSwaps = []Swap{{Device: "/dev/vdb", Kind: "partition"}}, []string{"/dev/vdb"}
			})
		}},
		{name: "wrong-taint", change: func(f *Facts) { changeNode(*f, "cp1", func(n *kube.Node) { n.Taints = nil }) }},
		{name: "wrong-image", change: func(f *Facts) {
			changeHost(*f, "w1", func(h *HostFacts) {
				h.Images["registry.k8s.io/pause:3.10.2"] = ImageFacts{Digest: h.Images["registry.k8s.io/pause:3.10.2"].Digest}
			})
		}},
		{name: "wrong-object", change: func(f *Facts) { delete(f.API.Objects, "DaemonSet kube-flannel/kube-flannel-ds") }},
		{name: "schedulable", edit: func(c *inventory.Cluster) { c.ControlPlane.Schedulable = true }},
		{name: "labels", edit: func(c *inventory.Cluster) {
			c.Workers[0].Labels = map[string]string{"disk": "ssd", "zone": "a"}
			c.Workers[0].Taints = []inventory.Taint{{Key: "gpu", Value: "true", Effect: "NoSchedule"}}
		}, change: func(f *Facts) {
			changeNode(*f, "w1", func(n *kube.Node) {
				n.Labels["disk"], n.Labels["old"], n.Labels["theirs"] = "hdd", "1", "2"
				n.Annotations[annotationLabels] = "disk,old"
				n.Annotations[annotationTaints] = "old:NoExecute"
				n.Taints = []kube.Taint{{Key: "old", Effect: "NoExecute"}, {Key: "theirs", Effect: "NoSchedule"}}
			})
		}},
		{name: "new-worker", change: func(f *Facts) {
			delete(f.API.Nodes, "w2")
			f.Hosts["w2"] = freshHost(testHost("w2", "192.0.2.22", inventory.RoleWorker))
		}},
		{name: "half-init", edit: alone, change: func(f *Facts) { f.API.Missing = []string{"DaemonSet kube-system/kube-proxy"} }},
		{name: "half-init-failed", edit: alone, change: func(f *Facts) {
			f.API = APIFacts{Err: errors.New("connection refused")}
			changeHost(*f, "cp1", func(h *HostFacts) { h.Units[kubeadmUnit] = UnitFacts{Load: "loaded", Active: "failed"} })
		}},
		{name: "half-join", change: func(f *Facts) {
			delete(f.API.Nodes, "w1")
			changeHost(*f, "w1", func(h *HostFacts) {
				delete(h.Kubeconfigs, "kubelet.conf")
				h.Kubeconfigs["bootstrap-kubelet.conf"] = true
			})
		}},
		{name: "half-join-no-node", change: func(f *Facts) { delete(f.API.Nodes, "w1") }},
		{name: "half-join-control-plane", edit: threeControlPlanes, change: func(f *Facts) {
			changeNode(*f, "cp2", func(n *kube.Node) { delete(n.Labels, labelControlPlane) })
		}},
		{name: "half-kubeadm-runs", change: func(f *Facts) {
			f.API = APIFacts{Err: errors.New("connection refused")}
			changeHost(*f, "cp1", func(h *HostFacts) { h.Units[kubeadmUnit] = UnitFacts{Load: "loaded", Active: "active"} })
		}},
		{name: "api-away", change: func(f *Facts) { f.API = APIFacts{Err: errors.New("connection refused")} }},
		{name: "stale-token", change: func(f *Facts) { f.API.StaleTokens = []string{"abcdef"} }},
		{name: "unreachable-worker", fresh: true, change: func(f *Facts) {
			f.Hosts["w2"] = HostFacts{Unreachable: errors.New("no route to host")}
		}},
		{name: "unreachable-node", change: func(f *Facts) {
			f.Hosts["w2"] = HostFacts{Unreachable: errors.New("no route to host")}
			changeNode(*f, "w2", func(n *kube.Node) { n.Ready = false })
			f.API.Unready["DaemonSet kube-flannel/kube-flannel-ds"] = "2 of 3 pods are available"
		}},
		{name: "unreachable-control-plane", edit: threeControlPlanes, fresh: true, change: func(f *Facts) {
			f.Hosts["cp2"] = HostFacts{Unreachable: errors.New("no route to host")}
		}},
		{name: "absent-private-registry", edit: privateRegistry(t), fresh: true},
		{name: "correct-private-registry", edit: privateRegistry(t)},
		{name: "wrong-private-registry", edit: privateRegistry(t), change: func(f *Facts) {
			changeHost(*f, "w1", func(h *HostFacts) {
				delete(h.Files, templates.RegistryCertsFolder+"/registry.lab:5000/hosts.toml")
				h.Files[templates.RegistryCredentials(nil, templates.Containerd{}).Path] = FileFacts{Mode: 0o644, SHA256: "beef"}
			})
		}},
		{name: "no-private-registry-any-more", change: func(f *Facts) {
			changeHost(*f, "w1", func(h *HostFacts) {
				for _, path := range []string{templates.RegistryCertsFolder + "/registry.lab:5000/hosts.toml", templates.RegistryCredentials(nil, templates.Containerd{}).Path} {
					h.Files[path] = FileFacts{Mode: 0o600, SHA256: "beef"}
					h.Ledger = append(h.Ledger, LedgerEntry{Kind: touchFile, Key: path, Was: "absent"})
				}
			})
		}},
		{name: "image-problems", edit: privateRegistry(t), fresh: true, change: func(f *Facts) {
			const image = "registry.lab:5000/k8s/pause:3.10.2"
			for _, err := range []error{registry.ErrUnreachable, registry.ErrCertificate, registry.ErrCredentials} {
				f.ImageProblems = append(f.ImageProblems, ImageProblem{Host: "w1", Image: image, Registry: "registry.lab:5000", Whole: true, Err: err})
			}
			f.ImageProblems = append(f.ImageProblems, ImageProblem{Host: "w2", Image: image, Registry: "registry.lab:5000", Err: registry.ErrMissing})
		}},
		{name: "kubeadm-wants-one-repository", fresh: true, edit: func(c *inventory.Cluster) {
			c.Images.Rewrite = []inventory.RewriteRule{{From: "registry.k8s.io/kube-proxy", To: "registry.lab:5000/proxy"}}
		}},
		{name: "absent-own-registry", edit: ownRegistryOnWorker, fresh: true},
		{name: "correct-own-registry", edit: ownRegistryOnWorker, change: func(f *Facts) { installRegistry(t, f, "w1") }},
		{name: "wrong-own-registry", edit: ownRegistryOnWorker, change: func(f *Facts) {
			installRegistry(t, f, "w1")
			changeHost(*f, "w1", func(h *HostFacts) {
				delete(h.RegistryImages, "registry.k8s.io/pause:3.10.2")
				h.Units[registryUnit] = UnitFacts{Load: "loaded", Active: "failed", Enabled: "enabled"}
				h.Units[registryWriter] = UnitFacts{Load: "loaded", Active: "active"}
			})
			changeHost(*f, "w2", func(h *HostFacts) { delete(h.Files, caFile("192.0.2.21:5000")) })
		}},
		{name: "unreachable-own-registry", edit: ownRegistryOnWorker, change: func(f *Facts) {
			installRegistry(t, f, "w1")
			f.Hosts["w1"] = HostFacts{Unreachable: errors.New("no route to host")}
		}},
		{name: "absent-addons", edit: allAddons, fresh: true},
		{name: "correct-addons", edit: allAddons},
		{name: "new-addons", edit: allAddons, change: func(f *Facts) {
			keepSettings(t, testWish(t, nil), f)
			for _, set := range []string{setApprover, setMetricsServer, setIngress} {
				for _, object := range f.API.Applied[set] {
					delete(f.API.Objects, objectKey(object.Object()))
				}
				delete(f.API.Applied, set)
			}
		}},
		{name: "wrong-addons", edit: allAddons, change: func(f *Facts) {
			f.API.Serving = []kube.ServingRequest{{Name: "csr-x", Node: "w1"}}
			f.API.Unready["Deployment kube-system/metrics-server"] = "0 of 1 pods are available"
		}},
		{name: "addon-removed", change: func(f *Facts) {
			object := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": "app", "name": "x"}}
			f.API.Applied["app"] = []kube.AppliedObject{kube.Identify(object)}
			f.API.Strays["app"] = f.API.Applied["app"]
		}},
		{name: "absent-network-of-others", fresh: true, edit: func(c *inventory.Cluster) { c.Addons.Network.Name = inventory.NetworkNone }},
		{name: "another-network", change: func(f *Facts) {
			changeHost(*f, "w1", func(h *HostFacts) { h.NetworkConfigurations = []string{"10-calico.conflist", flannelConfiguration} })
		}},
		{name: "another-version", change: func(f *Facts) { f.API.ServerVersion = "1.36.3" }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			wish := testWish(t, c.edit)
			facts := converged(t, wish)
			if c.fresh {
				facts = factsOf(wish, func(_ Wish, host inventory.Host) HostFacts { return freshHost(host) })
			}
			if c.change != nil {
				c.change(&facts)
			}
			plan := MakePlan(wish, facts)
			golden(t, c.name, show(plan))
			if again := show(MakePlan(wish, facts)); again != show(plan) {
				t.Error("the same facts give another plan")
			}
			sound(t, plan)
		})
	}
}

// sound checks that ids are unique and that needs point to steps that stand in the plan.
func sound(t *testing.T, plan Plan) {
	t.Helper()
	ids := map[string]bool{}
	for _, step := range plan.Steps {
		if ids[step.ID] {
			t.Errorf("step %s stands twice", step.ID)
		}
		ids[step.ID] = true
		if len(step.Reasons) == 0 {
			t.Errorf("step %s has no reason", step.ID)
		}
	}
	for _, step := range plan.Steps {
		for _, need := range step.Needs {
			if !ids[need] {
				t.Errorf("step %s needs %s, which is not there", step.ID, need)
			}
		}
	}
}

// installRegistry makes fairlead's own registry whole on its host, and known on the others.
func installRegistry(t *testing.T, f *Facts, name string) {
	t.Helper()
	wish := testWish(t, ownRegistryOnWorker)
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
	put := func(h *HostFacts, file templates.HostFile) {
		sum := sha256.Sum256(file.Content)
		h.Files[file.Path] = FileFacts{Mode: file.Mode, SHA256: hex.EncodeToString(sum[:])}
	}
	changeHost(*f, name, func(h *HostFacts) {
		h.RegistryCA, h.RegistryCertificate = authority.CertificatePEM(), certificate
		h.Units[registryUnit] = UnitFacts{Load: "loaded", Active: "active", Enabled: "enabled"}
		h.RegistryImages = map[string]string{}
		for _, need := range wish.Needs {
			repository, tag, err := wish.ownRepository(need.Name)
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
		changeHost(*f, each.Name, func(h *HostFacts) {
			put(h, templates.HostFile{Path: caFile(wish.ownRegistry()), Mode: 0o644, Content: authority.CertificatePEM()})
		})
	}
}
