package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A file that nobody has touched since it was installed is not hashed; any other one is.
func TestProbeOfFiles(t *testing.T) {
	s := newHost(t, map[string]string{"sha256sum": `exec "$S/tools/sha256sum" "$@"`, "stat": `exec "$S/tools/stat" "$@" 2>/dev/null`})
	s.put("/usr/local/bin/kubelet", "kubelet")
	s.put("/usr/local/bin/kubeadm", "kubeadm")
	s.chmod("/usr/local/bin/kubeadm", 0o700)
	s.put("/etc/with a space", "")
	s.mkdir("/etc/kubernetes")
	s.symlink("kubelet", "/usr/local/bin/link")
	s.put("/var/lib/fairlead/hashes", s.hashLine("1111", "/usr/local/bin/kubelet")+"\n2222\t1:7:1.0:1.0\t/usr/local/bin/kubeadm\n")
	if err := syscall.Mknod(s.at("/run/a.sock"), syscall.S_IFSOCK|0o600, 0); err != nil {
		t.Fatal(err)
	}
	const paths = `files path:/usr/local/bin/kubelet path:/usr/local/bin/kubeadm "path:/etc/with a space" path:/etc/kubernetes path:/usr/local/bin/link path:/run/a.sock path:/etc/never unit:x`
	said := s.probePart(paths)
	own := fmt.Sprintf(" %d %d", os.Getuid(), os.Getgid())
	wantProbe(t, said, "tree /etc/kubernetes", "symlink /usr/local/bin/link", "socket /run/a.sock", "file /usr/local/bin/kubelet 755"+own+" 7", "file /usr/local/bin/kubeadm 700"+own+" 7", "file /etc/with a space 755"+own+" 0",
		"sha256 /usr/local/bin/kubelet 1111",
		"sha256 /usr/local/bin/kubeadm d5be5966597725a3cc0fa65c23fdcbd49dc3fae514a1ca0d439a56086565c5cc",
		"sha256 /etc/with a space e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	if strings.Count(said, "\nsha256sum ") != 1 || strings.Contains(said, "sha256sum -- /usr/local/bin/kubelet") {
		t.Errorf("it did\n%s", said)
	}
	// As soon as any of them is another one, it counts as touched.
	for i := range 4 {
		line := strings.Split(s.hashLine("1111", "/usr/local/bin/kubelet"), "\t")
		numbers := strings.Split(line[1], ":")
		numbers[i] = "1" + numbers[i]
		line[1] = strings.Join(numbers, ":")
		s.put("/var/lib/fairlead/hashes", strings.Join(line, "\t")+"\n")
		if said := s.probePart("files path:/usr/local/bin/kubelet"); strings.Contains(said, "1111") || !strings.Contains(said, "| sha256\t/usr/local/bin/kubelet\t") {
			t.Errorf("it says\n%s", said)
		}
	}
}

// Large files are hashed one by one, so that something is heard of each.
func TestProbeOfLargeFiles(t *testing.T) {
	s := newHost(t, map[string]string{"sha256sum": `exec "$S/tools/sha256sum" "$@"`, "stat": `exec "$S/tools/stat" "$@" 2>/dev/null`})
	sizes := map[string]int64{"/usr/bin/a": 1, "/usr/bin/it's large": 16<<20 + 1, "/usr/bin/larger": 20 << 20, "/usr/bin/not yet": 16 << 20}
	for path, size := range sizes {
		s.put(path, "")
		if err := os.Truncate(s.at(path), size); err != nil {
			t.Fatal(err)
		}
	}
	said := s.probePart(`files path:/usr/bin/a "path:/usr/bin/it's large" path:/usr/bin/larger "path:/usr/bin/not yet"`)
	for _, want := range []string{
		"\nsha256sum -- /usr/bin/a /usr/bin/not yet\n", "\nsha256sum -- /usr/bin/it's large\n", "\nsha256sum -- /usr/bin/larger\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	for path, size := range sizes {
		sum := sha256.Sum256(make([]byte, size))
		if want := "| sha256\t" + path + "\t" + hex.EncodeToString(sum[:]) + "\n"; !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
}

// Static pods, kubeconfigs, certificates without their keys, and the ledger.
func TestProbeOfTheCluster(t *testing.T) {
	s := newHost(t, nil)
	const all = "set -- kubeconfig:admin.conf kubeconfig:kubelet.conf kubeconfig:bootstrap-kubelet.conf 'certificate:/etc/kubernetes/pki/*.crt' certificate:/var/lib/kubelet/pki/kubelet-client-current.pem " +
		"folder:/var/lib/etcd folder:/var/lib/kubelet folder:/etc/kubernetes\ncluster \"$@\"\ncertificates \"$@\"\nfolders \"$@\""
	s.wantFacts(all)
	s.put("/etc/kubernetes/manifests/etcd.yaml", "")
	s.put("/etc/kubernetes/admin.conf", "")
	s.put("/etc/kubernetes/bootstrap-kubelet.conf", "")
	s.put("/var/lib/kubelet/config.yaml", "")
	s.put("/etc/cni/net.d/10-a.conflist", "")
	s.put("/etc/cni/net.d/b.conf", "")
	s.put("/etc/cni/net.d/README", "")
	s.put("/etc/kubernetes/pki/ca.crt", "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n")
	s.put("/var/lib/kubelet/pki/kubelet-client-current.pem", "-----BEGIN CERTIFICATE-----\nMIJ\n-----END CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\nsecret\n-----END EC PRIVATE KEY-----\n")
	s.put("/var/lib/etcd/.hidden", "")
	s.put("/var/lib/fairlead/ledger", "file /etc/hosts absent\nunit a.service enabled active\n")
	s.put("/var/lib/fairlead/packages.pending", "")
	s.wantFacts(all, "manifest etcd.yaml", "kubeconfig admin.conf", "kubeconfig bootstrap-kubelet.conf", "kubelet-config present",
		"network-configuration b.conf", "network-configuration 10-a.conflist",
		"install-cut yes", "ledger file /etc/hosts absent", "ledger unit a.service enabled active",
		"certificate /etc/kubernetes/pki/ca.crt -----BEGIN CERTIFICATE-----|MII|-----END CERTIFICATE-----|",
		"certificate /var/lib/kubelet/pki/kubelet-client-current.pem -----BEGIN CERTIFICATE-----|MIJ|-----END CERTIFICATE-----|",
		"not-empty /var/lib/etcd", "not-empty /var/lib/kubelet", "not-empty /etc/kubernetes")
	// What is not asked for is not looked at.
	s.wantFacts("cluster kubeconfig:kubelet.conf\ncertificates path:/etc/kubernetes/pki/ca.crt\nfolders folder:/var/lib/never", "manifest etcd.yaml", "kubelet-config present",
		"network-configuration b.conf", "network-configuration 10-a.conflist", "install-cut yes", "ledger file /etc/hosts absent", "ledger unit a.service enabled active")
}

// The kubelet writes its kubeconfig before it has the certificate that the file names.
func TestProbeOfKubeletCredentials(t *testing.T) {
	for _, c := range []struct {
		name, kubeconfig, certificate string
		want                          []string
	}{
		{name: "none"},
		{name: "a certificate without a kubeconfig", certificate: "CERT"},
		{name: "a kubeconfig that names what is to come", kubeconfig: "    client-certificate: ROOT/pem\n    client-key: ROOT/pem\n"},
		{name: "an empty certificate", kubeconfig: "    client-certificate: ROOT/pem\n", certificate: "\x00"},
		{name: "a certificate that the kubelet got", kubeconfig: "    client-certificate: ROOT/pem\n", certificate: "CERT", want: []string{"kubelet-credentials present"}},
		{name: "one that kubeadm put into the kubeconfig", kubeconfig: "    client-certificate-data: TUlJ\n", want: []string{"kubelet-credentials present"}},
		{name: "a name in quotes that is to come", kubeconfig: "    client-certificate: \"ROOT/pem\"\n"},
		{name: "a name in quotes", kubeconfig: "    client-certificate: \"ROOT/pem\"\n", certificate: "CERT", want: []string{"kubelet-credentials present"}},
		{name: "a name without its folder that is to come", kubeconfig: "    client-certificate: never.pem\n"},
		{name: "a token", kubeconfig: "    token: abc\n", want: []string{"kubelet-credentials present"}},
		{name: "a program", kubeconfig: "    exec:\n      command: aws\n", want: []string{"kubelet-credentials present"}},
		{name: "JSON", kubeconfig: `{"users":[{"user":{"client-certificate":"/pem"}}]}`, want: []string{"kubelet-credentials present"}},
		{name: "nothing put into the kubeconfig", kubeconfig: "    client-certificate-data: \n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newHost(t, nil)
			pem := filepath.Join(t.TempDir(), "pem")
			if c.certificate != "" {
				if err := os.WriteFile(pem, []byte(strings.Trim(c.certificate, "\x00")), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if c.kubeconfig != "" {
				s.put("/etc/kubernetes/kubelet.conf", strings.ReplaceAll(c.kubeconfig, "ROOT/pem", pem))
			}
			s.wantFacts("cluster", c.want...)
		})
	}
}

// The text of small files is one line each: 037 stands for a new line, 036 for a tab.
func TestProbeOfContents(t *testing.T) {
	s := newHost(t, nil)
	const all = "contents text:/etc/sysctl.d/99-fairlead.conf 'text:/etc/kubernetes/manifests/*.yaml' text:/etc/never"
	s.wantFacts(all)
	s.put("/etc/sysctl.d/99-fairlead.conf", "a = 1\n\tb\n")
	s.put("/etc/kubernetes/manifests/a.yaml", "kind: Pod\n")
	s.put("/etc/kubernetes/manifests/a.json", "{}\n")
	s.wantFacts(all, "content /etc/sysctl.d/99-fairlead.conf a = 1\037\036b\037", "content /etc/kubernetes/manifests/a.yaml kind: Pod\037")
}

func TestProbeOfSoftware(t *testing.T) {
	s := newHost(t, map[string]string{
		"kubeadm": "echo v1.37.2", "kubelet": "echo Kubernetes v1.37.1", "runc": "printf '%s\\n' 'runc version 1.3.0' 'spec: 1.2'",
		"containerd": `case $1 in --version) echo containerd github.com/containerd/containerd/v2 v2.2.1 abc ;; esac`,
		"ctr":        `cat "$S/images"`,
	})
	s.write("images", "REF TYPE DIGEST STATUS SIZE UNPACKED\nregistry.k8s.io/pause:3.10 application/x sha256:1 complete (4/4) 300 KiB/300 KiB true\nsha256:2 application/x sha256:2 complete (4/4) 1 KiB/1 KiB true\na@sha256:3 application/x sha256:3 complete (1/1) 1 B/1 B true\nb:1 application/x sha256:4 incomplete (1/2) 1 B/2 B false\n")
	versions := []string{"version kubeadm DIR/bin/kubeadm 1.37.2", "version kubelet DIR/bin/kubelet 1.37.1", "version containerd DIR/bin/containerd 2.2.1", "version runc DIR/bin/runc 1.3.0"}
	s.wantFacts("units=\nsoftware program:kubeadm program:kubelet program:containerd program:runc", versions...)
	s.wantFacts("units=\"unit${tab}containerd.service${tab}loaded${tab}inactive\"\nsoftware program:kubeadm program:kubelet program:containerd program:runc", versions...)
	s.wantFacts("units=\"unit${tab}containerd.service${tab}loaded${tab}active${tab}x\"\nsoftware program:kubeadm program:kubelet program:containerd program:runc", append(append([]string{}, versions...),
		"image registry.k8s.io/pause:3.10 sha256:1 complete true", "image b:1 sha256:4 incomplete false")...)
	// What nobody has touched is not asked.
	versions[1] = "version kubelet DIR/bin/kubelet "
	s.wantFacts("units=\nunchanged=\"sha256$tab$S/bin/kubelet${tab}1\"\nsoftware program:kubeadm program:kubelet program:containerd program:runc", versions...)
	if err := os.Remove(s.path("bin/runc")); err != nil {
		t.Fatal(err)
	}
	s.wantFacts("units=\nunchanged=\"sha256$tab$S/bin/kubelet${tab}1\"\nsoftware program:kubeadm program:kubelet program:containerd program:runc", versions[:3]...)
}

// The images in our own registry are links from tags to digests.
func TestProbeOfTheRegistry(t *testing.T) {
	s := newHost(t, nil)
	s.elsewhere = append([]string{"/var/lib/fairlead-registry/", s.path("host/var/lib/fairlead-registry") + "/"}, s.elsewhere...)
	s.wantFacts("registry")
	const root = "/var/lib/fairlead-registry/docker/registry/v2/repositories/"
	s.put(root+"coredns/coredns/_manifests/tags/v1.12.0/current/link", "sha256:1")
	s.put(root+"coredns/coredns/_manifests/tags/v1.12.0/index/sha256/1/link", "sha256:1")
	s.put(root+"coredns/coredns/_layers/sha256/1/link", "sha256:1")
	s.wantFacts("registry", "registry-image coredns/coredns v1.12.0 sha256:1")
}
