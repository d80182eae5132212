package world

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/object"
	"fairlead/templates"

	"github.com/opencontainers/go-digest"
)

// This file makes the facts of hosts that are as the inventory wants them, and of hosts
// on which nothing was done yet. The tests change a copy of them.

// testCA is the cluster's CA, renewedCA the same key in a certificate that was issued later, and
// foreignCA that of another cluster: kubeadm gives every one of them this name. Ed25519 certificates
// are short; these end in 2126.
const (
	CA = `-----BEGIN CERTIFICATE-----
MIIBPTCB8KADAgECAgEBMAUGAytlcDAVMRMwEQYDVQQDDAprdWJlcm5ldGVzMCAX
DTI2MTEyNTE1NTQzM1oYDzIxMjYxMTAxMTU1NDMzWjAVMRMwEQYDVQQDDAprdWJl
cm5ldGVzMCowBQYDK2VwAyEAdcfG2PJi8XJMKiFy2S864fRiKqbnNIeMSQqJ+l7y
yi+jYzBhMB0GA1UdDgQWBBQEMjcNnbRNuj0fkfrPbvKh5IIUpzAfBgNVHSMEGDAW
gBQEMjcNnbRNuj0fkfrPbvKh5IIUpzAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB
/wQEAwICpDAFBgMrZXADQQAXgTW+Z6QUjjClPTYdu0vEH1axLsj9mTHm41qvsqnN
k3fwW0N5o1PEP+oV6rOXwVu43Zk4cnl8/uTtO4TBzlMP
-----END CERTIFICATE-----
`
	RenewedCA = `-----BEGIN CERTIFICATE-----
MIIBPTCB8KADAgECAgECMAUGAytlcDAVMRMwEQYDVQQDDAprdWJlcm5ldGVzMCAX
DTI2MTEyNTE1NTQzM1oYDzIxMjYxMTAxMTU1NDMzWjAVMRMwEQYDVQQDDAprdWJl
cm5ldGVzMCowBQYDK2VwAyEAdcfG2PJi8XJMKiFy2S864fRiKqbnNIeMSQqJ+l7y
yi+jYzBhMB0GA1UdDgQWBBQEMjcNnbRNuj0fkfrPbvKh5IIUpzAfBgNVHSMEGDAW
gBQEMjcNnbRNuj0fkfrPbvKh5IIUpzAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB
/wQEAwICpDAFBgMrZXADQQCvvZTWekVGYFNpEz0d9xWPgv5yjnfuVKUwpKSOklWY
woQjgrO41NK+w8pWoiGL3IbihygvPJ8wH8niLCcHylEN
-----END CERTIFICATE-----
`
	ForeignCA = `-----BEGIN CERTIFICATE-----
MIIBPTCB8KADAgECAgEBMAUGAytlcDAVMRMwEQYDVQQDDAprdWJlcm5ldGVzMCAX
DTI2MTEyNTE1NTQzM1oYDzIxMjYxMTAxMTU1NDMzWjAVMRMwEQYDVQQDDAprdWJl
cm5ldGVzMCowBQYDK2VwAyEAOIcMSn5/ENBmD+TtO4/HPuUaR6ldMpSitXN4gpf2
BEyjYzBhMB0GA1UdDgQWBBSdL4cwmKSUeLW/79+U9T4/wcuyBDAfBgNVHSMEGDAW
gBSdL4cwmKSUeLW/79+U9T4/wcuyBDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB
/wQEAwICpDAFBgMrZXADQQBCRXruuxNsbQR3Sd/65LLUi8upcy8SePS5tJ0aunnZ
dpabgJ89uZhwFsZchwQWMX6UA3l1UWQaskqa0efbcm4O
-----END CERTIFICATE-----
`
)

// State is what is desired of cp1, w1 and w2, as edit has it.
func State(t testing.TB, edit func(*inventory.Cluster)) desired.State {
	t.Helper()
	return BundledState(t, edit, nil)
}

// BundledState is a wish with another bundle than it should have, if change says so.
func BundledState(t testing.TB, edit func(*inventory.Cluster), change func(*bundle.Manifest)) desired.State {
	t.Helper()
	cluster := &inventory.Cluster{
		Name: "lab",
		Kubernetes: inventory.Kubernetes{
			Version: "1.37.2", Source: "bundle", Bundle: "/bundle.tar",
			PodSubnet: Subnets("10.244.0.0/16"), ServiceSubnet: Subnets("10.96.0.0/12"),
			Config: map[string]map[string]any{},
		},
		ControlPlane: inventory.ControlPlane{Endpoint: "192.0.2.11:6443", Hosts: []inventory.Host{Host("cp1", "192.0.2.11", inventory.RoleControlPlane)}},
		Workers:      []inventory.Host{Host("w1", "192.0.2.21", inventory.RoleWorker), Host("w2", "192.0.2.22", inventory.RoleWorker)},
	}
	if edit != nil {
		edit(cluster)
	}
	var manifest bundle.Manifest
	if cluster.Kubernetes.Bundle != "" {
		manifest = TestBundle()
		if change != nil {
			change(&manifest)
		}
	}
	wish, err := desired.New(t.Context(), cluster, manifest, desired.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	return wish
}

// PrivateRegistry has every image renamed to one registry, which needs a CA and a password.
func PrivateRegistry(t testing.TB) func(*inventory.Cluster) {
	t.Helper()
	folder := t.TempDir()
	ca, password := filepath.Join(folder, "ca.crt"), filepath.Join(folder, "password")
	for file, text := range map[string]string{ca: CA, password: "hunter2\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(c *inventory.Cluster) {
		c.Images.Rewrite = []inventory.RewriteRule{{From: "registry.k8s.io", To: "registry.lab:5000/k8s"}, {From: "ghcr.io", To: "registry.lab:5000"}}
		c.Images.Registries = []inventory.Registry{{Host: "registry.lab:5000", CA: ca, User: "puller", PasswordFile: password}}
	}
}

// OwnRegistryOnWorker lets fairlead run a registry on w1.
func OwnRegistryOnWorker(c *inventory.Cluster) { c.Images.Host = "w1" }

// AllAddons asks for every add-on that fairlead brings along.
func AllAddons(c *inventory.Cluster) {
	c.Addons.MetricsServer = &inventory.MetricsServer{}
	c.Addons.Ingress = &inventory.Ingress{Controller: inventory.IngressTraefik, HostNetwork: true, Placement: inventory.Placement{On: inventory.PlaceControlPlane}}
}

// ThreeControlPlanes adds cp2 and cp3.
func ThreeControlPlanes(c *inventory.Cluster) {
	c.ControlPlane.Hosts = append(c.ControlPlane.Hosts,
		Host("cp2", "192.0.2.12", inventory.RoleControlPlane), Host("cp3", "192.0.2.13", inventory.RoleControlPlane))
}

// Host is a host of an inventory.
func Host(name, address string, role inventory.Role) inventory.Host {
	return inventory.Host{Name: name, Address: netip.MustParseAddr(address), Role: role, Labels: map[string]string{}}
}

// TestBundle is the manifest of a bundle of Kubernetes 1.37.2.
func TestBundle() bundle.Manifest {
	both := []string{bundle.RoleControlPlane, bundle.RoleWorker}
	manifest := bundle.Manifest{SchemaVersion: 1, KubernetesVersion: "1.37.2", Architecture: "amd64"}
	for _, c := range []struct {
		name, version string
		files         []string
	}{
		{bundle.Kubernetes, "1.37.2", []string{"/usr/local/bin/kubeadm", "/usr/local/bin/kubelet", "/usr/local/bin/kubectl"}},
		{bundle.Containerd, "2.4.2", []string{"/usr/local/bin/containerd", "/usr/local/bin/ctr"}},
		{bundle.Runc, "1.5.2", []string{"/usr/local/sbin/runc"}},
		{bundle.Registry, "3.1.2", []string{"/usr/local/bin/registry"}},
	} {
		component := bundle.Component{Name: c.name, Version: c.version}
		for _, path := range c.files {
			component.Layers = append(component.Layers, testLayer(path))
		}
		manifest.Components = append(manifest.Components, component)
	}
	manifest.Components = append(manifest.Components, bundle.Component{
		Name: bundle.CNIPlugins, Version: "1.9.1", Layers: []bundle.Layer{testLayer("/opt/cni/bin/bridge", "/opt/cni/bin/flannel")},
	})
	for name, roles := range map[string][]string{
		"registry.k8s.io/kube-apiserver:v1.37.2": {bundle.RoleControlPlane},
		"registry.k8s.io/etcd:3.7.0-0":           {bundle.RoleControlPlane},
		"registry.k8s.io/kube-proxy:v1.37.2":     both,
		"registry.k8s.io/coredns/coredns:v1":     both,
		"registry.k8s.io/pause:3.10.2":           both,
		"ghcr.io/flannel-io/flannel:v0.28.7":     both,

		"ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel1": nil,
		"registry.k8s.io/metrics-server/metrics-server:v0.9.0":  nil,
		"docker.io/library/traefik:v3.7.6":                      nil,
		"registry.fairlead.example/fairlead-approver:v1":        nil,
	} {
		manifest.Images = append(manifest.Images, bundle.Image{Name: name, Digest: digest.FromString(name), Size: 1 << 20, Roles: roles})
	}
	sortImages(manifest.Images)
	return manifest
}

func testLayer(paths ...string) bundle.Layer {
	layer := bundle.Layer{Digest: digest.FromString(paths[0] + " layer"), Size: 10 << 20}
	for _, path := range paths {
		layer.Files = append(layer.Files, bundle.File{Path: path, Mode: 0o755, Size: 30 << 20, Digest: digest.FromString(path)})
	}
	return layer
}

// FreshHost is a machine that was just installed.
func FreshHost(host inventory.Host) facts.Host {
	return facts.Host{
		Root: true, OS: facts.OS{ID: "debian", Version: "12", Name: "Debian GNU/Linux 12 (bookworm)", Codename: "bookworm"},
		Architecture: "amd64", CPUs: 2, MemoryKiB: 4 << 20, Hostname: host.Name, MachineID: host.Name, BootID: "boot of " + host.Name, Systemd: 252,
		Container: "none", CgroupV2: true, Capabilities: 1<<41 - 1, AppArmor: true,
		Disks:       []facts.Disk{{Folder: "/usr/local/bin", Device: "/dev/vda", SizeKiB: 100 << 20, FreeKiB: 50 << 20}},
		Addresses:   linkAddresses(host),
		Nameservers: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
		Ports:       map[int]string{22: "sshd"},
		Modules:     map[string]bool{"overlay": true, "br_netfilter": false},
		Sysctls:     map[string]string{"net.ipv4.ip_forward": "0", "net.ipv6.conf.all.forwarding": "0", "net.ipv6.conf.default.forwarding": "0"},
		Files:       map[string]facts.File{}, Contents: map[string][]byte{},
		Units: map[string]facts.Unit{}, Versions: map[string]facts.Version{}, Images: map[string]facts.Image{},
		Packages: map[string]facts.Package{}, Candidates: map[string]string{}, Environment: map[string]string{}, Sockets: map[string]bool{},
		Kubeconfigs: map[string]bool{}, Servers: map[string]string{}, NotEmpty: map[string]bool{},
	}
}

// preparedHost has everything that kubeadm needs, and kubeadm has not run.
func preparedHost(wish desired.State, host inventory.Host) facts.Host {
	f := FreshHost(host)
	f.Modules["br_netfilter"] = true
	ipv6 := wish.Cluster.Kubernetes.PodSubnet.IPv6()
	for _, s := range templates.Sysctls(ipv6) {
		f.Sysctls[s.Key] = s.Value
	}
	for _, component := range wish.Bundle.Components {
		for _, layer := range component.Layers {
			for _, file := range layer.Files {
				f.Files[file.Path] = facts.File{Mode: file.Mode, Size: file.Size, SHA256: file.Digest.Encoded()}
			}
		}
	}
	options := templates.Containerd{SandboxImage: wish.SandboxImage(), Credentials: len(wish.Credentials()) > 0}
	written := append(templates.KubeletUnit(), templates.ModulesFile(), templates.SysctlFile(ipv6), templates.ContainerdUnit(options),
		templates.HostFile{Path: templates.ContainerdConfigFile, Mode: 0o644, Content: templates.ContainerdConfig(options)})
	written = append(written, wish.RegistryFiles()...)
	if options.Credentials {
		written = append(written, templates.RegistryCredentials(wish.Credentials(), templates.Containerd{}))
	}
	for _, file := range written {
		sum := sha256.Sum256(file.Content)
		f.Files[file.Path] = facts.File{Mode: file.Mode, SHA256: hex.EncodeToString(sum[:])}
		f.Contents[file.Path] = file.Content
	}
	f.Units[templates.ContainerdService] = facts.Unit{Load: "loaded", Active: "active", Enabled: "enabled", Path: "/etc/systemd/system/containerd.service"}
	f.Units[templates.KubeletService] = facts.Unit{Load: "loaded", Active: "inactive", Enabled: "enabled", Path: "/etc/systemd/system/kubelet.service"}
	for _, image := range wish.Imported(host.Name) {
		f.Images[image.Name] = facts.Image{Digest: image.Digest.String(), Complete: true}
	}
	return f
}

// joinedHost is a member of the cluster.
func joinedHost(wish desired.State, host inventory.Host) facts.Host {
	f := preparedHost(wish, host)
	kubelet := f.Units[templates.KubeletService]
	kubelet.Active = "active"
	f.Units[templates.KubeletService] = kubelet
	f.Kubeconfigs["kubelet.conf"], f.KubeletConfig, f.KubeletCredentials, f.CA = true, true, true, []byte(CA)
	f.Servers["kubelet.conf"] = "https://" + wish.Cluster.ControlPlane.Endpoint
	Claimed(&f, wish.Cluster.Name)
	if host.Role == inventory.RoleControlPlane {
		f.Kubeconfigs["admin.conf"] = true
		f.Servers["admin.conf"], f.Servers["kubelet.conf"] = f.Servers["kubelet.conf"], LocalServer(host)
		f.Manifests = []string{"etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"}
		f.NotEmpty["/var/lib/etcd"] = true
		f.Ports[6443] = "kube-apiserver"
	}
	return f
}

// Of makes the facts of all hosts by a function such as FreshHost, without a cluster.
func Of(wish desired.State, of func(desired.State, inventory.Host) facts.Host) facts.Facts {
	facts := facts.Facts{Hosts: map[string]facts.Host{}, API: facts.API{Err: facts.NoCluster()}}
	for _, host := range wish.Cluster.Hosts() {
		facts.Hosts[host.Name] = of(wish, host)
	}
	return facts
}

// KeepSettings makes the cluster and its hosts keep what the inventory says.
func KeepSettings(t testing.TB, wish desired.State, seen *facts.Facts) {
	t.Helper()
	wanted, err := templates.WantedSettings(wish.TemplateCluster())
	if err != nil {
		t.Fatal(err)
	}
	seen.API.Settings, seen.API.Kubeconfigs = map[string]string{}, Kubeconfigs(wish.Cluster.ControlPlane.Endpoint)
	for kind, fields := range wanted {
		text, err := templates.SettingsDocument(kind, fields)
		if err != nil {
			t.Fatal(err)
		}
		seen.API.Settings[kind] = string(text)
	}
	if seen.API.RecordedSettings, err = desired.RecordOf(wanted); err != nil {
		t.Fatal(err)
	}
	for _, host := range wish.Cluster.Hosts() {
		ChangeHost(*seen, host.Name, func(h *facts.Host) {
			h.Contents[templates.KubeletConfigFile] = []byte(seen.API.Settings[templates.KindKubelet])
			if host.Role == inventory.RoleControlPlane {
				h.Certificates = append(h.Certificates, facts.Certificate{Path: templates.APIServerCertificate, Names: append(certified(wish.Cluster, host), endpointHost(wish))})
			}
		})
	}
}

// Converged are the facts of a cluster that is as the inventory wants it.
func Converged(t testing.TB, wish desired.State) facts.Facts {
	t.Helper()
	seen := Of(wish, joinedHost)
	seen.API = facts.API{
		Via: wish.Cluster.ControlPlane.Hosts[0].Name, ServerVersion: "1.37.2",
		Nodes: map[string]object.Node{}, Objects: map[string]object.Live{}, Unready: map[string]string{},
		Applied: map[string][]object.Applied{}, Orphans: map[string][]object.Applied{},
	}
	KeepSettings(t, wish, &seen)
	for _, host := range wish.Cluster.Hosts() {
		node := object.Node{Name: host.NodeName(), Ready: true, Labels: map[string]string{}, Annotations: map[string]string{}}
		if host.Role == inventory.RoleControlPlane {
			node.Labels[object.LabelControlPlane] = ""
			node.Taints = append(node.Taints, object.Taint{Key: object.TaintControlPlane, Effect: object.EffectNoSchedule})
		}
		seen.API.Nodes[node.Name] = node
	}
	for _, set := range wish.Addons {
		for _, item := range set.Objects {
			seen.API.Objects[object.Key(item)] = object.Live{Object: item}
			seen.API.Applied[set.Name] = append(seen.API.Applied[set.Name], object.Identify(item))
		}
	}
	return seen
}

// certified are the names in an API server's certificate: both addresses of its host, and the endpoint.
func certified(cluster *inventory.Cluster, host inventory.Host) []string {
	names := []string{cluster.ControlPlane.Hosts[0].Address.String()}
	for _, address := range host.Addresses() {
		names = append(names, address.String())
	}
	return names
}
