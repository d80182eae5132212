package observe

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// piped is a PEM as the probe prints it.
func piped(pem string) string { return strings.ReplaceAll(pem, "\n", "|") }

// certificate is one for a DNS name and an address.
func certificate(t *testing.T, name, address string) string {
	t.Helper()
	return issued(t, &x509.Certificate{DNSNames: []string{name}, IPAddresses: []net.IP{net.ParseIP(address)}})
}

// withSubject is a certificate of a subject.
func withSubject(t *testing.T, subject pkix.Name) string {
	t.Helper()
	return issued(t, &x509.Certificate{Subject: subject})
}

func issued(t *testing.T, template *x509.Certificate) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotAfter = big.NewInt(1), time.Unix(1<<33, 0)
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// said is what becomes of a line of the probe.
type said struct {
	line string
	want func(*facts.Host)
}

// machineLines are lines about the machine and its network.
func machineLines() []said {
	return []said{
		{"uid\t0", func(h *facts.Host) { h.Root = true }},
		{"uid\t1000", func(*facts.Host) {}},
		{"clock\t1005000000000", func(h *facts.Host) { h.ClockOffset = 5 * time.Second }},
		{"os\tdebian\t12\tlinux\tDebian 12\tbookworm", func(h *facts.Host) {
			h.OS = facts.OS{ID: "debian", Version: "12", Like: "linux", Name: "Debian 12", Codename: "bookworm"}
		}},
		{"arch\tx86_64", func(h *facts.Host) { h.Architecture = "amd64" }},
		{"arch\taarch64", func(h *facts.Host) { h.Architecture = "arm64" }},
		{"arch\triscv64", func(h *facts.Host) { h.Architecture = "riscv64" }},
		{"cpus\t4", func(h *facts.Host) { h.CPUs = 4 }},
		{"memory\t2048", func(h *facts.Host) { h.MemoryKiB = 2048 }},
		{"disk\t/var\t/dev/vda1\t100\t40", func(h *facts.Host) {
			h.Disks = []facts.Disk{{Folder: "/var", Device: "/dev/vda1", SizeKiB: 100, FreeKiB: 40}}
		}},
		{"hostname\tcp1", func(h *facts.Host) { h.Hostname = "cp1" }},
		{"machine-id\tab", func(h *facts.Host) { h.MachineID = "ab" }},
		{"product-uuid\tcd", func(h *facts.Host) { h.ProductUUID = "cd" }},
		{"boot-id\tef", func(h *facts.Host) { h.BootID = "ef" }},
		{"systemd\t252", func(h *facts.Host) { h.Systemd = 252 }},
		{"container\tdocker", func(h *facts.Host) { h.Container = "docker" }},
		{"cgroup\tv2", func(h *facts.Host) { h.CgroupV2 = true }},
		{"cgroup\tv1", func(*facts.Host) {}},
		{"capabilities\t1ff", func(h *facts.Host) { h.Capabilities = 0x1ff }},
		{"apparmor\tenabled", func(h *facts.Host) { h.AppArmor = true }},
		{"selinux\t1", func(h *facts.Host) { h.SELinux = true }},
		{"selinux\t0", func(*facts.Host) {}},
		{"missing-tool\tss\nmissing-tool\tip", func(h *facts.Host) { h.MissingTools = []string{"ss", "ip"} }},
		{"address\teth0\t192.0.2.1/24", func(h *facts.Host) {
			h.Addresses = []facts.LinkAddress{{Link: "eth0", Prefix: netip.MustParsePrefix("192.0.2.1/24")}}
		}},
		{"link\tcni0\nlink\tlo", func(h *facts.Host) { h.Links = []string{"cni0", "lo"} }},
		{"nameserver\t192.0.2.53", func(h *facts.Host) { h.Nameservers = []netip.Addr{netip.MustParseAddr("192.0.2.53")} }},
		{"port\t6443\tkube-apiserver", func(h *facts.Host) { h.Ports[6443] = "kube-apiserver" }},
		{"loopback-name\tlocalhost\t127.0.0.1", func(h *facts.Host) {
			h.LoopbackNames = []facts.LoopbackName{{Name: "localhost", Address: "127.0.0.1"}}
		}},
		{"no-localhost", func(h *facts.Host) { h.NoLocalhost = true }},
		{"login-key\t/root/.ssh/authorized_keys\tAAAA", func(h *facts.Host) {
			h.LoginKeys = []facts.LoginKey{{Path: "/root/.ssh/authorized_keys", Key: "AAAA"}}
		}},
		{"ssh-sessions\t10", func(h *facts.Host) { h.SSHSessions = 10 }},
		{"reach\tapi.lab:6443\trefused", func(h *facts.Host) { h.Reach["api.lab:6443"] = facts.Refused }},
		{"readyz\tapi.lab:6443\tready", func(h *facts.Host) { h.Readyz["api.lab:6443"] = "ready" }},
		{"port\t65535\t", func(h *facts.Host) { h.Ports[65535] = "" }},
		{"swap\t/dev/vdb\tpartition\t1024", func(h *facts.Host) { h.Swaps = []facts.Swap{{Device: "/dev/vdb"}} }},
		{"fstab-swap\tUUID=1\nfstab-swap\t/swap", func(h *facts.Host) { h.FstabSwaps = []string{"UUID=1", "/swap"} }},
		{"swap-unit\tdev-vdb.swap\tgenerated", func(h *facts.Host) {
			h.SwapUnits = []facts.SwapUnit{{Name: "dev-vdb.swap", State: "generated"}}
		}},
		{"zram-generator\t", func(h *facts.Host) { h.ZramGenerator = true }},
		{"zram-generator", func(h *facts.Host) { h.ZramGenerator = true }}, // as the script prints it
		{"module\toverlay\tloaded\nmodule\tnever\tabsent", func(h *facts.Host) { h.Modules["overlay"], h.Modules["never"] = true, false }},
		{"sysctl-line\t/etc/sysctl.d/a b.conf\t12\tnet.ipv4.ip_forward\t0", func(h *facts.Host) {
			h.SysctlLines = []facts.SysctlLine{{Path: "/etc/sysctl.d/a b.conf", Line: 12, Key: "net.ipv4.ip_forward", Value: "0"}}
		}},
		{"environment\tNO_PROXY\t$'*.lab,\\'a\\',b\\\\'", func(h *facts.Host) { h.Environment["NO_PROXY"] = `*.lab,'a',b\` }},
		{"candidate\tnfs-common\t", func(h *facts.Host) { h.Candidates["nfs-common"] = "" }},
		{"candidate\todd\tr132-1", func(h *facts.Host) { h.Candidates["odd"] = "r132-1" }},
		{"environment\tno_proxy\t\"a,b\"", func(h *facts.Host) { h.Environment["NO_PROXY"] = `"a,b"` }},
		{"candidate\tnfs-common\t", func(h *facts.Host) { h.Candidates["nfs-common"] = "" }},
		{"candidate\todd\tr132-1", func(h *facts.Host) { h.Candidates["odd"] = "r132-1" }},
		{"environment\tno_proxy\t$'a", func(h *facts.Host) { h.Environment["NO_PROXY"] = `$'a` }},
		{"sysctl\tvm.swappiness\t60", func(h *facts.Host) { h.Sysctls["vm.swappiness"] = "60" }},
		{"absent\tsysctl\tnet/bridge/x", func(h *facts.Host) { h.Absent["sysctl:net.bridge.x"] = true }},
	}
}

// fileLines are lines about files, units and software.
func fileLines() []said {
	file := facts.File{Mode: 0o4755, UID: 10, GID: 20, Size: 30}
	hashed := file
	hashed.SHA256 = strings.Repeat("0f", 32)
	return []said{
		{"file\t/a\t4755\t10\t20\t30", func(h *facts.Host) { h.Files["/a"] = file }},
		{"file\t/a\t4755\t10\t20\t30\nsha256\t/a\t" + strings.Repeat("0f", 32), func(h *facts.Host) { h.Files["/a"] = hashed }},
		{"tree\t/etc", func(h *facts.Host) { h.Trees["/etc"] = true }},
		{"socket\t/run/x.sock", func(h *facts.Host) { h.Sockets["/run/x.sock"] = true }},
		{"symlink\t/etc/mtab", func(h *facts.Host) { h.Symlinks["/etc/mtab"] = true }},
		{"content\t/a\tone\x1ftwo\x1ethree\x1f", func(h *facts.Host) { h.Contents["/a"] = []byte("one\ntwo\tthree\n") }},
		{"unit\tkubelet.service\tloaded\tactive\trunning\tenabled\t/etc/x\t42\tsuccess\tyes", func(h *facts.Host) {
			h.Units["kubelet.service"] = facts.Unit{Load: "loaded", Active: "active", Enabled: "enabled", Path: "/etc/x", NeedsReload: true}
		}},
		{"unit\tx.service\tnot-found\tinactive\tdead\t\t\t0\t\tno", func(h *facts.Host) {
			h.Units["x.service"] = facts.Unit{Load: "not-found", Active: "inactive"}
		}},
		{"version\trunc\t/usr/sbin/runc\t1.5.2", func(h *facts.Host) { h.Versions["runc"] = facts.Version{Path: "/usr/sbin/runc", Version: "1.5.2"} }},
		{"package\tkubelet\t1:1.37.2-1.1\theld", func(h *facts.Host) { h.Packages["kubelet"] = facts.Package{Version: "1.37.2", Held: true} }},
		{"package\trunc\t1.5.2-3\t-", func(h *facts.Host) { h.Packages["runc"] = facts.Package{Version: "1.5.2"} }},
		{"candidate\tcontainerd\t1.7.28-0ubuntu1", func(h *facts.Host) { h.Candidates["containerd"] = "1.7.28" }},
		{"candidate\tnfs-common\t", func(h *facts.Host) { h.Candidates["nfs-common"] = "" }},
		{"candidate\todd\tr132-1", func(h *facts.Host) { h.Candidates["odd"] = "r132-1" }},
		{"environment\tno_proxy\ta,b", func(h *facts.Host) { h.Environment["NO_PROXY"] = "a,b" }},
		{"install-cut\tyes", func(h *facts.Host) { h.InstallCut = true }},
		{"image\tr/a:1\tsha256:1\tcomplete\ttrue", func(h *facts.Host) { h.Images["r/a:1"] = facts.Image{Digest: "sha256:1", Complete: true} }},
		{"image\tr/a:1\tsha256:1\tincomplete\ttrue", func(h *facts.Host) { h.Images["r/a:1"] = facts.Image{Digest: "sha256:1"} }},
		{"image\tr/a:1\tsha256:1\tcomplete\tfalse", func(h *facts.Host) { h.Images["r/a:1"] = facts.Image{Digest: "sha256:1"} }},
	}
}

// clusterLines are lines about a cluster and what a reset leaves none of.
func clusterLines() []said {
	ca := func(path string) []facts.Certificate {
		return []facts.Certificate{{Path: path, Subject: "CN=kubernetes"}}
	}
	return []said{
		{"manifest\tetcd.yaml\nmanifest\tkube-apiserver.yaml", func(h *facts.Host) { h.Manifests = []string{"etcd.yaml", "kube-apiserver.yaml"} }},
		{"kubeconfig\tadmin.conf", func(h *facts.Host) { h.Kubeconfigs["admin.conf"] = true }},
		{"server\tadmin.conf\thttps://192.0.2.11:6443", func(h *facts.Host) { h.Servers["admin.conf"] = "https://192.0.2.11:6443" }},
		{"kubelet-config\tpresent", func(h *facts.Host) { h.KubeletConfig = true }},
		{"kubelet-credentials\tpresent", func(h *facts.Host) { h.KubeletCredentials = true }},
		{"etcd-unbegun\tyes", func(h *facts.Host) { h.EtcdUnbegun = true }},
		{"network-configuration\t10-x.conflist", func(h *facts.Host) { h.NetworkConfigurations = []string{"10-x.conflist"} }},
		{"not-empty\t/var/lib/etcd", func(h *facts.Host) { h.NotEmpty["/var/lib/etcd"] = true }},
		{"ledger\tfile /a absent\nledger\tnet all\nledger\tswap all /dev/a /dev/b", func(h *facts.Host) {
			h.Ledger = []ledger.Entry{{Kind: "file", Key: "/a", Was: "absent"}, {Kind: "net", Key: "all"}, {Kind: "swap", Key: "all", Was: "/dev/a /dev/b"}}
		}},
		{"ledger-gone\tyes", func(h *facts.Host) { h.LedgerDamage = "it is gone, and what it refers to is there" }},
		{"registry-image\tk8s/pause\t3.10\tsha256:2", func(h *facts.Host) { h.RegistryImages["k8s/pause:3.10"] = "sha256:2" }},
		{"process\tkubelet\t42", func(h *facts.Host) { h.Processes = []facts.Process{{Program: "kubelet", PID: "42"}} }},
		{"mount\t/run/netns\nmount\t/run/k8s.io/x", func(h *facts.Host) { h.Mounts = []string{"/run/netns", "/run/k8s.io/x"} }},
		{"netfilter\tiptables-save\t7", func(h *facts.Host) { h.Netfilter = []string{"iptables-save (7)"} }},
		{"certificate\t" + templates.CACertificate + "\t" + piped(world.CA), func(h *facts.Host) {
			h.CA, h.Certificates = []byte(world.CA), ca(templates.CACertificate)
		}},
		{"certificate\t" + templates.RegistryCA + "\t" + piped(world.CA), func(h *facts.Host) {
			h.RegistryCA, h.Certificates = []byte(world.CA), ca(templates.RegistryCA)
		}},
		{"certificate\t" + templates.RegistryCertificate + "\t" + piped(world.CA), func(h *facts.Host) {
			h.RegistryCertificate, h.Certificates = []byte(world.CA), ca(templates.RegistryCertificate)
		}},
	}
}

// Each line of the probe comes to the fact that it is about, and to no other. There is a line for
// every fact that the probe may print.
func TestLinesBecomeFacts(t *testing.T) {
	now := time.Unix(1000, 0)
	missing := map[string]bool{}
	for name := range probeRules() {
		missing[name] = true
	}
	both := certificate(t, "api.lab", "192.0.2.11")
	kubelet := withSubject(t, pkix.Name{Organization: []string{"system:nodes"}, CommonName: "system:node:w1.lab"})
	for of, node := range map[string]string{kubelet: "w1.lab", kubelet + world.CA: "w1.lab", world.CA: ""} {
		seen, err := parseProbe([]byte("certificate\t"+templates.KubeletClientCertificate+"\t"+piped(of)+"\nend\n"), time.Unix(0, 0), time.Unix(0, 0))
		if err != nil || seen.NodeName() != node {
			t.Errorf("the node is %q, %v, want %q", seen.NodeName(), err, node)
		}
	}
	all := append(append(machineLines(), fileLines()...), clusterLines()...)
	all = append(all, said{"certificate\t/c\t" + piped(both+world.CA), func(h *facts.Host) {
		h.Certificates = []facts.Certificate{{Path: "/c", Names: []string{"api.lab", "192.0.2.11"}}, {Path: "/c", Subject: "CN=kubernetes"}}
	}})
	for _, c := range all {
		name, _, _ := strings.Cut(c.line, "\t")
		for line := range strings.Lines(c.line) {
			of, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			delete(missing, of)
		}
		text := c.line + "\nend\n"
		want, err := parseProbe([]byte("clock\t1000000000000\nend\n"), now, now)
		if err != nil {
			t.Fatal(err)
		}
		c.want(&want)
		if name != "clock" {
			text = "clock\t1000000000000\n" + text
		}
		if got, err := parseProbe([]byte(text), now, now); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is, with error %v,\n%+v, want\n%+v", c.line, err, got, want)
		}
	}
	for name := range missing {
		t.Errorf("no line is tried for %s", name)
	}
}

// A host's clock is off only as far as the way there and back does not explain it.
func TestClockOffset(t *testing.T) {
	sent := time.Unix(1000, 0)
	for at, want := range map[int64]time.Duration{
		999: -time.Second, 1000: 0, 1001: 0, 1002: 0, 1003: time.Second,
	} {
		if got := clockOffset(time.Duration(at)*time.Second, sent, sent.Add(2*time.Second)); got != want {
			t.Errorf("at %d it is %s off, want %s", at, got, want)
		}
	}
}
