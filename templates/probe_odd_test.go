package templates

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever a field holds, it ends neither its line nor itself.
func TestFactsStayOnTheirLines(t *testing.T) {
	var all strings.Builder
	for c := 1; c < 256; c++ {
		all.WriteByte(byte(c))
	}
	for _, text := range []string{"a\nfile\t/etc/passwd\t644\t0\t0\t1", "\nend\n", "a\tb", "\x1b[2J", "\r", "\x7f", "ä\xff", "-n", `\t`, "a=b", all.String()} {
		for name, shell := range map[string][]string{"sh": {"sh"}, "bash": {"bash", "--posix"}, "busybox": {"busybox", "sh"}} {
			if _, err := exec.LookPath(shell[0]); err != nil {
				continue
			}
			script := "LC_ALL=C; export LC_ALL\n" + Script("facts").Text() + `fact port 22 "$1"` + "\n" + `awk "$cleaner"'BEGIN { print "port\t22\t" clean(ARGV[1]) }' "$1"` + "\n"
			command := exec.CommandContext(t.Context(), shell[0], append(shell[1:], "-s", "--", text)...)
			command.Stdin = strings.NewReader(script)
			out, err := command.Output()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			lines := strings.Split(string(out), "\n")
			if len(lines) != 3 || lines[0] != lines[1] || strings.Count(lines[0], "\t") != 2 || strings.ContainsFunc(lines[0], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				t.Errorf("%s: %q is printed as %q", name, text, out)
			}
		}
	}
}

// What people and programs have as names and values is one fact each, and the right one.
func TestProbeOfOddNames(t *testing.T) {
	t.Run("addresses and name servers", func(t *testing.T) {
		s := newHost(t, map[string]string{
			"ip": `printf '%s\n' '2: wg0    inet 10.8.0.2 peer 10.8.0.1/32 scope global wg0' '3: eth0: <UP> mtu 1500' '4: v6    inet6 fd00::2 peer fd00::1/128 scope global'`,
			"ss": ":",
		})
		s.put("/etc/resolv.conf", "nameserver 192.0.2.1\r\nnameserver\t192.0.2.2#53\nnameserver 192.0.2.3 # ours\nnameserver 192.0.2.4;ours\n#nameserver 192.0.2.5\nnameserver fe80::1%eth0\nnameserver\nnameserver 192.0.2.6")
		s.wantFacts("network", "address wg0 10.8.0.2", "address v6 fd00::2", "nameserver 192.0.2.1", "nameserver 192.0.2.2", "nameserver 192.0.2.3", "nameserver 192.0.2.4",
			"nameserver fe80::1%eth0", "nameserver ", "nameserver 192.0.2.6")
	})
	t.Run("processes that listen", func(t *testing.T) {
		s := newHost(t, map[string]string{"ip": ":", "ss": `printf 'LISTEN 0 5 *:18080 *:* users:(("a\tb",pid=3,fd=4))\nLISTEN 0 5 *:80 *:* users:(("a\nb c d *:1 e",pid=4,fd=4))\nLISTEN 0 5 *:81 *:* users:(("\033]0;x",pid=5,fd=4))\n'`})
		s.put("/etc/resolv.conf", "")
		s.wantFacts("network", `port 18080 a\011b`, `port 80 a`, `port 81 \033]0;x`)
	})
	t.Run("programs and mounts", func(t *testing.T) {
		s := newHost(t, nil)
		s.symlink("/tmp/x\n/proc/1\t/opt/kubelet", "/proc/41/exe")
		s.symlink("/tmp/x\ty/etcd", "/proc/42/exe")
		s.put("/proc/self/mountinfo", "22 1 8:1 / /var/lib/kubelet/pods/a\\012file\x1b[2J rw - ext4 /dev/sda1 rw\n")
		s.wantFacts("remains", "process etcd 42", `mount /var/lib/kubelet/pods/a\012file\033[2J`)
	})
	t.Run("files", func(t *testing.T) {
		s := newHost(t, map[string]string{"sha256sum": `exec "$S/tools/sha256sum" "$@"`})
		const forged = "a\nfile\t"
		s.put("/etc/containerd/certs.d/"+forged+"/hosts.toml", "x")
		s.put("/etc/containerd/certs.d/b\\c/hosts.toml", "x")
		s.put("/etc/kubernetes/manifests/"+forged+".yaml", "x")
		s.put("/etc/kubernetes/pki/"+forged+".crt", "x")
		s.put("/etc/cni/net.d/"+forged+".conf", "x")
		s.put("/etc/a\tb", "x")
		s.wantFacts("set -- 'path-like:/etc/containerd/certs.d/*/*' 'text:/etc/containerd/certs.d/*/*' 'text:/etc/kubernetes/manifests/*.yaml' 'certificate:/etc/kubernetes/pki/*.crt' \"path:/etc/a${tab}b\"\n"+
			"files \"$@\"\ncontents \"$@\"\ncertificates \"$@\"\ncluster", `file /etc/a\011b`, `manifest a\012file\011.yaml`, `network-configuration a\012file\011.conf`)
	})
	t.Run("kernel parameters", func(t *testing.T) {
		s := newHost(t, nil)
		s.put("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n")
		if said := s.probePart("sysctls sysctl:net/ipv4/tcp_rmem"); !strings.Contains(said, "| sysctl\tnet.ipv4.tcp_rmem\t4096 131072 6291456\n") {
			t.Errorf("it says\n%s", said)
		}
	})
	t.Run("units and proxies", func(t *testing.T) {
		s := newHost(t, map[string]string{"systemctl": `case $1 in show) printf '\nId=a.service\nFragmentPath=/etc/a\tb\033\n\n\n' ;; *) printf 'http_proxy=http://a\tb\nno_proxy=a\r\n' ;; esac`})
		s.wantFacts("units unit:a.service\nenvironment", `unit a.service     /etc/a\011b\033   `, `environment http_proxy http://a\011b`, `environment no_proxy a\015`)
	})
}

// A device may have blanks in its name. A folder that df says nothing of does not lend its place to the next one.
func TestProbeOfOddDisks(t *testing.T) {
	s := newHost(t, map[string]string{"df": `cat "$S/df"`})
	s.mkdir("/var/lib/etcd")
	const head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
	s.write("df", head+"//nas/my share 1 of 2 100 120 -20 120% /usr\nzfs pool/a 200 50 150 - /var/lib\n")
	s.wantFacts("disks disk:/usr/bin disk:/var/lib/etcd", "disk /usr/bin //nas/my share 1 of 2 100 -20", "disk /var/lib/etcd zfs pool/a 200 150")
	s.write("df", head+"/dev/sda1 200 50 150 25% /var/lib\n")
	s.wantFacts("disks disk:/usr/bin disk:/var/lib/etcd", "disk  /usr/bin /var/lib/etcd   ")
}

// os-release is written in many ways, and is not a program.
func TestProbeOfOsRelease(t *testing.T) {
	s := newHost(t, nil)
	s.wantFacts("os", "os     ")
	for text, want := range map[string]string{
		"ID=debian\r\nVERSION_ID=\"12\"\r\nPRETTY_NAME=\"Debian GNU/Linux 12\"\r\n":           "os debian 12  Debian GNU/Linux 12 ",
		"# ID=x\nID='rocky'\nID_LIKE=\"rhel centos fedora\"\nPRETTY_NAME='Rocky \"Linux\"'\n": `os rocky  rhel centos fedora Rocky "Linux" `,
		"ID=debian # ours\nPRETTY_NAME=\"a\\\"b\\$c\"":                                        `os debian   a"b$c `,
		"ID=a\nfile\t/etc/b\necho uid 0\nexit 1\n$(kill $$)\nVERSION_CODENAME=\"x\ty\"\n":     `os a    x\011y`,
		"ID=\nUBUNTU_CODENAME=\"\"\nDEBIAN_CODENAME=trixie\nVERSION_CODENAME=faye\n":          "os     trixie",
	} {
		s.put("/etc/os-release", text)
		s.wantFacts("os", want)
	}
}

// A host may be called anything.
func TestProbeOfOddHostnames(t *testing.T) {
	programs := map[string]string{"uname": `printf 'my node\nuid\t0 x86_64\n'`}
	for _, name := range strings.Fields("id date nproc systemd-detect-virt stat") {
		programs[name] = machineSays
	}
	s := newHost(t, programs)
	s.put("/proc/meminfo", "MemTotal: 1 kB\n")
	s.put("/proc/self/status", "CapBnd:\t1\n")
	s.put("/etc/machine-id", "a\tb\r\nuid\t0\n")
	said := s.probePart("machine")
	for _, want := range []string{"| hostname\tmy node\\012uid\\0110\n", "| arch\tx86_64\n", "| machine-id\ta\\011b\n"} {
		if !strings.Contains(said, want) || strings.Count(said, "| uid\t") != 1 {
			t.Errorf("it lacks %q, or says who asks more than once:\n%s", want, said)
		}
	}
}

// A cut of power leaves certificates that are empty, cut, or zeroes. There is a line for each, and never one of a key in it.
func TestProbeOfDamagedCertificates(t *testing.T) {
	s := newHost(t, nil)
	const key = "-----BEGIN EC PRIVATE KEY-----\nsecret\n-----END EC PRIVATE KEY-----\n"
	const whole = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
	const folder = "/etc/kubernetes/pki/"
	s.put(folder+"a.crt", "")
	s.put(folder+"b.crt", "-----BEGIN CERTIFICATE-----\nMII\nMI")
	s.put(folder+"c.crt", key+strings.ReplaceAll(whole, "\n", "\r\n"))
	s.put(folder+"d.crt", "-----BEGIN CERTIFICATE-----\nMII\n"+key)
	s.put(folder+"e.crt", strings.Repeat("\x00", 100))
	s.put(folder+"f.crt", "-----BEGIN CERTIFICATE-----\nM\tI\n"+key)
	const part = "certificates 'certificate:" + folder + "*.crt'"
	s.wantFacts(part, "certificate "+folder+"a.crt ", "certificate "+folder+"b.crt -----BEGIN CERTIFICATE-----|MII|MI|",
		"certificate "+folder+"c.crt -----BEGIN CERTIFICATE-----|MII|-----END CERTIFICATE-----|", "certificate "+folder+"d.crt -----BEGIN CERTIFICATE-----|MII|",
		"certificate "+folder+"e.crt ", "certificate "+folder+`f.crt -----BEGIN CERTIFICATE-----|M\011I|`)
	if said := s.probePart(part); strings.Contains(said, "secret") {
		t.Errorf("it tells a key:\n%s", said)
	}
	for _, name := range []string{"b", "c", "d", "e", "f"} {
		if err := os.Remove(filepath.Clean(s.at(folder + name + ".crt"))); err != nil {
			t.Fatal(err)
		}
	}
	s.wantFacts(part, "certificate "+folder+"a.crt ")
}
