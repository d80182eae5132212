package templates

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// probePart is what some of the probe's functions say on a host.
func (s *standIns) probePart(calls string) string {
	s.t.Helper()
	// The names of sysctls begin behind the folder.
	functions := strings.Replace(probeFunctions(s.t), "substr(FILENAME, 11)", fmt.Sprintf("substr(FILENAME, %d)", len(s.at("/proc/sys"))+2), 1)
	transcript, ok := s.onHost(functions + "\n" + calls + "\n")
	if !ok {
		s.t.Errorf("it failed:\n%s", transcript)
	}
	return transcript
}

// wantFacts fails the test unless the probe says exactly this; spaces stand for tabs.
func (s *standIns) wantFacts(calls string, want ...string) {
	s.t.Helper()
	wantProbe(s.t, s.probePart(calls), want...)
}

// Swap that is on, and lines of fstab that turn it on at boot.
func TestProbeOfSwap(t *testing.T) {
	s := newHost(t, map[string]string{"df": ""})
	s.wantFacts("kernel")
	s.put("/proc/swaps", oneSwap+"/swapfile                               file\t\t524284\t\t0\t\t-3\n")
	s.put("/etc/fstab", "# /dev/sda3 none swap sw 0 0\n#/dev/sda4 none swap sw\nUUID=1 / ext4 defaults 0 1\nUUID=2\tnone\tswap\tsw\t0 0\n\n  /dev/sda6 none swap\ntmpfs /swap tmpfs swap\n")
	s.wantFacts("kernel", "swap /dev/sda2 partition 1048572", "swap /swapfile file 524284", "fstab-swap UUID=2", "fstab-swap /dev/sda6")
	s.put("/proc/swaps", noSwap)
	s.put("/etc/fstab", "")
	s.put("/usr/lib/systemd/system-generators/zram-generator", "")
	s.wantFacts("kernel", "zram-generator")
	s.put("/etc/systemd/zram-generator.conf", "")
	s.wantFacts("kernel")
	// Lines without an end.
	s.put("/etc/fstab", "UUID=1 / ext4\nUUID=2 none swap sw")
	s.put("/etc/resolv.conf", "nameserver 192.0.2.1")
	s.wantFacts("kernel", "fstab-swap UUID=2")
	s.wantFacts("network", "nameserver 192.0.2.1")
}

// What zram-generator is configured to do at the next boot, in the order of its folders. Devices with a file system are no swap.
func TestProbeOfZram(t *testing.T) {
	s := newHost(t, nil)
	s.put("/etc/systemd/zram-generator.conf", "[zram0]\n")
	s.wantFacts("kernel")
	s.put("/usr/lib/systemd/system-generators/zram-generator", "")
	s.put("/usr/lib/systemd/zram-generator.conf", "[zram7]\n")
	s.wantFacts("kernel", "swap-unit dev-zram0.swap generated")
	s.put("/etc/systemd/zram-generator.conf", "# [zram5]\n [zram0]\nzram-size = ram / 2\n[zram1]\n mount-point=/var/tmp\n[zram2]\n")
	s.put("/usr/lib/systemd/zram-generator.conf.d/a.conf", "[zram3]\nswap-priority = 1\n[zram2]\nswap-priority=2\n")
	s.wantFacts("kernel", "swap-unit dev-zram0.swap generated", "swap-unit dev-zram2.swap generated", "swap-unit dev-zram3.swap generated")
	s.symlink("/dev/null", "/etc/systemd/system/dev-zram0.swap")
	s.symlink("/dev/null", "/etc/systemd/system/dev-zram3.swap")
	s.wantFacts("kernel", "swap-unit dev-zram2.swap generated")
}

// Modules and sysctls, and the room on the disks below folders that may not be there yet.
func TestProbeOfTheKernel(t *testing.T) {
	s := newHost(t, map[string]string{"df": `printf '%s\n' 'Filesystem 1024-blocks Used Available Capacity Mounted on' '/dev/sda1 100 60 40 60% /usr' '/dev/sdb1 200 50 150 25% /var' '/dev/sdb1 200 50 150 25% /var' '- - - - - /x'`})
	s.put("/proc/filesystems", "nodev\ttmpfs\nnodev\toverlay\n")
	s.put("/proc/sys/net/ipv4/ip_forward", "1\n")
	s.put("/proc/sys/net/bridge/bridge-nf-call-iptables", "0\n")
	s.put("/proc/sys/kernel/panic", "10\n")
	s.put("/proc/sys/kernel/other", "1\n")
	s.mkdir("/var/lib/containerd")
	const all = "set -- module:overlay module:br_netfilter module:never sysctl:net/ipv4/ip_forward sysctl:net/bridge/bridge-nf-call-iptables sysctl:kernel/panic sysctl:vm/never " +
		"disk:/usr/local/bin disk:/var/lib/containerd disk:/var/lib/etcd disk:/var/lib/kubelet\nmodules \"$@\"\nsysctls \"$@\"\ndisks \"$@\""
	s.wantFacts(all, "module overlay loaded", "module br_netfilter loaded", "module never absent", "absent sysctl vm/never",
		"sysctl net.ipv4.ip_forward 1", "sysctl net.bridge.bridge-nf-call-iptables 0", "sysctl kernel.panic 10",
		"disk /usr/local/bin /dev/sda1 100 40", "disk /var/lib/containerd /dev/sdb1 200 150", "disk /var/lib/etcd /dev/sdb1 200 150")
	if did := s.probePart(all); !strings.Contains(did, "\ndf -Pk /usr /var/lib/containerd /var/lib /var/lib\n") {
		t.Errorf("it did\n%s", did)
	}
	s.mkdir("/sys/module/overlay")
	s.put("/proc/filesystems", "nodev\toverlayfs\n")
	if did := s.probePart("modules module:overlay"); !strings.Contains(did, "| module\toverlay\tloaded\n") {
		t.Errorf("it did\n%s", did)
	}
}

// Lines that set asked kernel parameters at boot, in the order in which they do.
func TestProbeOfSysctlsAtBoot(t *testing.T) {
	s := newHost(t, nil)
	const calls = "boot_sysctls sysctl:net/ipv4/ip_forward path:/x sysctl:net/ipv6/conf/all/forwarding"
	s.wantFacts(calls)
	s.put("/etc/sysctl.conf", "# net.ipv4.ip_forward=1\n;net.ipv4.ip_forward=1\n\n  net.ipv4.ip_forward =\t0 \r\nkernel.panic = 1\nnet.ipv4.ip_forward_x = 1\nnet.ipv6.conf.all.forwarding=1")
	s.symlink(s.at("/etc/sysctl.conf"), "/etc/sysctl.d/99-sysctl.conf")
	s.put("/etc/sysctl.d/99-fairlead.conf", "net.ipv4.ip_forward = 1\n")
	s.put("/etc/sysctl.d/a b.conf", "-net/ipv4/ip_forward=1\nnet.ipv4.conf.all.forwarding=2\nnet.ipv4.*=3\nnet.ipv6.conf.*.forwarding=4\n")
	s.put("/etc/sysctl.d/README", "net.ipv4.ip_forward=9\n")
	s.put("/run/sysctl.d/10-a.conf", "net.ipv4.ip_forward=5\n")
	s.put("/usr/lib/sysctl.d/10-a.conf", "net.ipv4.ip_forward=6\n")
	s.put("/usr/local/lib/sysctl.d/50-b.conf", "net.ipv4.ip_forward=7\n")
	s.put("/usr/lib/sysctl.d/zz.conf", "net.ipv4.ip_forward=8\n")
	s.symlink("/dev/null", "/etc/sysctl.d/zz.conf")
	s.put("/etc/ufw/sysctl.conf", "net/ipv4/ip_forward=0\n")
	s.put("/etc/ufw/ufw.conf", "ENABLED=no\n")
	all := []string{
		"sysctl-line /run/sysctl.d/10-a.conf 1 net.ipv4.ip_forward 5",
		"sysctl-line /usr/local/lib/sysctl.d/50-b.conf 1 net.ipv4.ip_forward 7",
		"sysctl-line /etc/sysctl.d/99-fairlead.conf 1 net.ipv4.ip_forward 1",
		"sysctl-line /etc/sysctl.d/99-sysctl.conf 4 net.ipv4.ip_forward 0", "sysctl-line /etc/sysctl.d/99-sysctl.conf 7 net.ipv6.conf.all.forwarding 1",
		"sysctl-line /etc/sysctl.d/a b.conf 1 net.ipv4.ip_forward 1", "sysctl-line /etc/sysctl.d/a b.conf 2 net.ipv4.ip_forward 2",
		"sysctl-line /etc/sysctl.d/a b.conf 3 net.ipv4.ip_forward 3", "sysctl-line /etc/sysctl.d/a b.conf 4 net.ipv6.conf.all.forwarding 4",
	}
	s.wantFacts(calls, all...)
	s.put("/etc/ufw/ufw.conf", "# x\nENABLED=yes\n")
	s.wantFacts(calls, append(all, "sysctl-line /etc/ufw/sysctl.conf 1 net.ipv4.ip_forward 0")...)
	s.wantFacts("boot_sysctls path:/x")
}

// What systemd says of units, however many blocks it has.
func TestProbeOfUnits(t *testing.T) {
	s := newHost(t, map[string]string{"systemctl": `cat "$S/units"`})
	s.write("units", `Id=dev-sdb1.swap
UnitFileState=generated
SourcePath=`+s.at("/etc/fstab")+`

Id=kubelet.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
FragmentPath=/lib/systemd/system/kubelet=a.service
MainPID=4711
Result=success
NeedDaemonReload=no

Id=dev-sda2.swap
LoadState=loaded
UnitFileState=generated

Id=swapfile.swap
LoadState=loaded
UnitFileState=

LoadState=x
ActiveState=inactive
Id=docker.service
NeedDaemonReload=yes
`)
	s.wantFacts("units unit:kubelet.service", "unit dev-sdb1.swap    generated    ", // which /etc/fstab tells of
		"unit kubelet.service loaded active running enabled /lib/systemd/system/kubelet=a.service 4711 success no",
		"swap-unit dev-sda2.swap generated", "unit dev-sda2.swap loaded   generated    ", "unit swapfile.swap loaded       ", "unit docker.service x inactive      yes")
	did := s.probePart("units path:/x unit:containerd.service unit:kubelet.service 'unit:*.swap'")
	for _, unit := range []string{"containerd.service", "kubelet.service", "*.swap"} {
		if !strings.Contains(did, " "+unit+" ") {
			t.Errorf("it does not ask for %s:\n%s", unit, did)
		}
	}
	for _, property := range []string{"Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "FragmentPath", "SourcePath", "MainPID", "Result", "NeedDaemonReload"} {
		if !strings.Contains(did, " -p "+property) {
			t.Errorf("it does not ask for %s:\n%s", property, did)
		}
	}
}

const machineSays = `
case ${0##*/} in
id) echo 0 ;;
date) echo 1764000000000000000 ;;
uname) echo Linux-node x86_64 ;;
nproc) echo 4 ;;
systemctl) echo "252.38-1~deb12u1" ;;
systemd-detect-virt) echo docker ;;
stat) echo cgroup2fs ;;
esac
`

// What the machine is, and which of the programs that fairlead needs it lacks.
func TestProbeOfTheMachine(t *testing.T) {
	programs := map[string]string{}
	for _, name := range strings.Fields("id date uname nproc systemctl systemd-detect-virt stat sha256sum mount losetup iptables ip modprobe systemd-run flock find") {
		programs[name] = machineSays
	}
	s := newHost(t, programs)
	s.put("/proc/meminfo", "MemTotal:        8000000 kB\nMemFree:          100 kB\n")
	s.put("/proc/self/status", "Name:\tsh\nCapInh:\t0000000000000000\nCapBnd:\t000001ffffffffff\n")
	s.put("/etc/machine-id", "abc\n")
	s.put("/proc/sys/kernel/random/boot_id", "boot\n")
	s.put("/etc/os-release", "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\nPRETTY_NAME=\"Ubuntu 24.04 LTS\"\nVERSION_CODENAME=noble\n")
	first := []string{"uid 0", "clock 1764000000000000000", "os ubuntu 24.04 debian Ubuntu 24.04 LTS noble", "hostname Linux-node", "arch x86_64", "cpus 4", "memory 8000000", "capabilities 000001ffffffffff", "machine-id abc", "boot-id boot"}
	s.wantFacts("machine", append(append([]string{}, first...), "container docker", "cgroup v2")...)
	s.mkdir("/run/systemd/system")
	s.mkdir("/sys/kernel/security/apparmor")
	s.put("/sys/module/apparmor/parameters/enabled", "N\n")
	s.put("/sys/fs/selinux/enforce", "1\n")
	s.put("/sys/class/dmi/id/product_uuid", "uuid\n")
	s.put("/etc/os-release", "ID=linuxmint\nVERSION_CODENAME=virginia\nUBUNTU_CODENAME=jammy\n")
	for _, name := range []string{"iptables", "systemd-detect-virt", "losetup"} {
		if err := os.Remove(s.path("bin/" + name)); err != nil {
			t.Fatal(err)
		}
	}
	s.write("bin/stat", standInPrelude+"echo tmpfs\n")
	first[2] = "os linuxmint    jammy"
	first[len(first)-1] = "product-uuid uuid"
	first = append(first, "boot-id boot", "systemd 252.38-1~deb12u1", "container ", "cgroup v1", "selinux 1", "missing-tool losetup", "missing-tool iptables")
	s.wantFacts("machine\ntools tool:tar tool:losetup tool:mount tool:iptables", first...)
	s.put("/sys/module/apparmor/parameters/enabled", "Y\n")
	if said := s.probePart("machine"); !strings.Contains(said, "| apparmor\tenabled\n") {
		t.Errorf("it says\n%s", said)
	}
}

// Names that lead back into the machine are told of itself alone, whatever else /etc/hosts holds.
func TestProbeOfLoopbackNames(t *testing.T) {
	s := newHost(t, map[string]string{"id": "echo 0", "date": "echo 1", "uname": "echo W1.example.org x86_64", "nproc": "echo 4", "stat": "echo cgroup2fs", "systemd-detect-virt": "echo none"})
	s.put("/proc/meminfo", "MemTotal: 1 kB\n")
	s.put("/proc/self/status", "CapBnd:\t1ff\n")
	s.put("/etc/hosts", "127.0.0.1\tlocalhost # w1\n# 127.0.0.1 w1\n127.0.1.1 W1.Example.org w1 w12 other\r\n192.0.2.21 w1\n0.0.0.0 ads.example.org\n"+
		"127.0.0.1 ads.example.org w1.local\n::1 localhost ip6-localhost w1\n127.x w1\n127.0.0.1")
	s.wantFacts("machine", "uid 0", "clock 1", "os     ", "hostname W1.example.org", "arch x86_64", "cpus 4", "memory 1", "capabilities 1ff", "loopback-name localhost 127.0.0.1",
		"loopback-name w1.example.org 127.0.1.1", "loopback-name w1 127.0.1.1", "loopback-name localhost ::1", "loopback-name w1 ::1", "loopback-name w1 127.x", "container none", "cgroup v2")
	for hosts, lacks := range map[string]bool{"": true, "127.0.0.1 w1 localhost.example.org\n": true, "::1 localhost\n": true, "# 127.0.0.1 localhost\n": true, "127.0.0.1 w1 LOCALHOST": false} {
		s.put("/etc/hosts", hosts)
		if said := s.probePart("machine"); strings.Contains(said, "| no-localhost\n") != lacks {
			t.Errorf("of %q it says\n%s", hosts, said)
		}
	}
}

// Keys are looked for where root and the user who has logged in have theirs, and what is switched off by a comment is none.
func TestProbeOfLoginKeys(t *testing.T) {
	s := newHost(t, nil)
	s.put("/etc/passwd", "root:x:0:0::/var/root:/bin/sh\nann:x:1000:1000::/var/ann:/bin/sh\nbob:x:1001:1001::/var/bob:/bin/sh\nnobody:x:65534:65534::/none:/bin/sh\n")
	for _, name := range []string{"root", "ann", "bob"} {
		s.put("/var/"+name+"/.ssh/authorized_keys", "ssh-ed25519 AAAA/"+name+" "+name+"\n#ssh-ed25519 AAAA/off\nno-pty ssh-rsa AAAA/all+==\n")
	}
	s.put("/var/ann/.ssh/authorized_keys2", "ssh-ed25519 AAAA/second")
	asks := "login_keys path:/etc login-key:AAAA/root login-key:AAAA/ann login-key:AAAA/bob login-key:AAAA/all+== login-key:AAAA/off login-key:AAAA/second"
	root := []string{"login-key /var/root/.ssh/authorized_keys AAAA/root", "login-key /var/root/.ssh/authorized_keys AAAA/all+=="}
	ann := []string{"login-key /var/ann/.ssh/authorized_keys AAAA/ann", "login-key /var/ann/.ssh/authorized_keys AAAA/all+==", "login-key /var/ann/.ssh/authorized_keys2 AAAA/second"}
	s.wantFacts("unset SUDO_USER DOAS_USER; "+asks, root...)
	s.wantFacts("SUDO_USER=ann; "+asks, append(root, ann...)...)
	s.wantFacts("unset SUDO_USER; DOAS_USER=ann; "+asks, append(root, ann...)...)
	s.wantFacts("SUDO_USER=nobody; "+asks, root...)
	s.wantFacts("SUDO_USER=ann; login_keys path:/etc")
}

func TestProbeOfTheNetwork(t *testing.T) {
	s := newHost(t, map[string]string{
		"ip": `printf '%s\n' '1: lo    inet 127.0.0.1/8 scope host lo' '2: eth0    inet6 fe80::1/64 scope link'`,
		"ss": `printf '%s\n' 'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))' 'LISTEN 0 128 [::]:6443 [::]:* users:(("kube-apiserver",pid=2,fd=3),("x",pid=3,fd=4))' 'LISTEN 0 1 127.0.0.1:9 0.0.0.0:*'`,
	})
	s.put("/etc/resolv.conf", "# nameserver 192.0.2.9\nsearch lab\nnameserver 192.0.2.1\nnameserver fd00::1 x\n")
	s.wantFacts("network", "address lo 127.0.0.1/8", "address eth0 fe80::1/64", "nameserver 192.0.2.1", "nameserver fd00::1", "port 22 sshd", "port 6443 kube-apiserver", "port 9 ")
	if did := s.probePart("network"); !strings.Contains(did, "\nip -o addr show\nss -Hltnp\n") {
		t.Errorf("it did\n%s", did)
	}
}
