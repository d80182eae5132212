package plan

import (
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

const kiBofMiB = 1 << 10

// disks puts containerd's folder and the programs on one device.
func disks(freeKiB, sizeKiB int64) func(*facts.Host) {
	return func(h *facts.Host) {
		h.Disks = []facts.Disk{
			{Folder: "/usr/local/bin", Device: "/dev/vda", FreeKiB: freeKiB, SizeKiB: sizeKiB},
			{Folder: "/var/lib/containerd", Device: "/dev/vda", FreeKiB: freeKiB, SizeKiB: sizeKiB},
		}
	}
}

func nameservers(addresses ...string) func(*facts.Host) {
	return func(h *facts.Host) {
		h.Nameservers = nil
		for _, address := range addresses {
			h.Nameservers = append(h.Nameservers, netip.MustParseAddr(address))
		}
	}
}

func clock(offset time.Duration) func(*facts.Host) {
	return func(h *facts.Host) { h.ClockOffset = offset }
}

func port(number int, process string) func(*facts.Host) {
	return func(h *facts.Host) { h.Ports[number] = process }
}

// machineCases are about what a machine is.
func machineCases() []preflightCase {
	const (
		lowMending   = "(free some space)"
		lowMeaning   = ": the kubelet deletes images and evicts pods when a disk is nearly full "
		clockMending = " off this machine's (set up time synchronisation (chrony or systemd-timesyncd) on both)"
		resolver     = ": CoreDNS would ask itself (set kubernetes.config.KubeletConfiguration.resolvConf to a file with the real name servers)"
	)
	ipv6 := netip.MustParsePrefix("2001:db8::11/64")
	return []preflightCase{
		{name: "a system that nobody knows", host: func(h *facts.Host) { h.OS = facts.OS{ID: "void", Name: "Void Linux", Like: "arch"} },
			want: "error cp1 OS: Void Linux (ID=void) is not supported (supported are Debian, Ubuntu and the RHEL family; ignorePreflight: [OS] if you know that it works)"},
		{name: "a system without a name", host: func(h *facts.Host) { h.OS = facts.OS{} },
			want: "error cp1 OS: this operating system (ID=) is not supported (supported are Debian, Ubuntu and the RHEL family; ignorePreflight: [OS] if you know that it works)"},
		{name: "a system like a known one", host: func(h *facts.Host) { h.OS = facts.OS{ID: "neon", Like: "arch ubuntu"} }},
		{name: "no systemd", host: func(h *facts.Host) { h.Systemd = 0 },
			want: "error cp1 Systemd: systemd 240 or newer does not run this host (found 0) (use a host that systemd runs)"},
		{name: "an old systemd", on: "w1", host: func(h *facts.Host) { h.Systemd = 239 },
			want: "error w1 Systemd: systemd 240 or newer does not run this host (found 239) (use a host that systemd runs)"},
		{name: "the oldest systemd", host: func(h *facts.Host) { h.Systemd = 240 }},
		{name: "another architecture", on: "w1", host: func(h *facts.Host) { h.Architecture = "arm64" },
			want: "error w1 Architecture: the host is arm64 and the bundle is for amd64 (give a bundle for arm64 in kubernetes.bundle)"},
		{name: "another architecture without a bundle", edit: world.All(world.FromRepositories, world.WithoutBundle), host: func(h *facts.Host) { h.Architecture = "arm64" }},
		{name: "not root", on: "w1", host: func(h *facts.Host) { h.Root = false },
			want: "error w1 Root: commands do not run as root (let the user become root by sudo without a password, or set ssh.user: root)"},
		{name: "a ledger of a later version", on: "w1", host: func(h *facts.Host) { h.Ledger = []ledger.Entry{{Kind: "orbit", Key: "moon"}} },
			want: "error w1 Ledger: its ledger holds what this fairlead does not know: orbit moon (take the one that wrote it)"},
		{name: "a damaged ledger", host: func(h *facts.Host) { h.LedgerDamage = "it is empty" },
			want: "error cp1 Ledger: the ledger of what fairlead changed on the host is damaged: it is empty (put back a whole copy of /var/lib/fairlead/ledger; if there is none, " +
				"undo by hand what it still names, with the former files in /var/lib/fairlead/saved, and move /var/lib/fairlead away)"},
		{name: "missing programs", host: func(h *facts.Host) { h.MissingTools = []string{"iptables", "mount"} },
			want: "error cp1 Tools: programs are missing: iptables, mount (install the packages that hold them (util-linux, kmod, iptables, iproute2, tar, gzip))"},
		{name: "a missing program that the kubelet's package brings", edit: world.FromRepositories, host: func(h *facts.Host) { h.MissingTools = []string{"iptables"} }},
		{name: "another missing program", edit: world.FromRepositories, host: func(h *facts.Host) { h.MissingTools = []string{"iptables", "mount"} },
			want: "error cp1 Tools: programs are missing: mount (install the packages that hold them (util-linux, kmod, iptables, iproute2, tar, gzip))"},
		{name: "a missing program that a package brings", edit: func(c *inventory.Cluster) { c.ControlPlane.Hosts[0].Packages = []string{"iptables-nft"} },
			host: func(h *facts.Host) { h.MissingTools = []string{"iptables"} }},
		{name: "a missing program that a package of another host brings", edit: func(c *inventory.Cluster) { c.Workers[0].Packages = []string{"iptables"} },
			host: func(h *facts.Host) { h.MissingTools = []string{"iptables"} },
			want: "error cp1 Tools: programs are missing: iptables (install the packages that hold them (util-linux, kmod, iptables, iproute2, tar, gzip))"},
		{name: "names that no repository has", edit: world.WithPackages, on: "w1", host: func(h *facts.Host) { h.Candidates["nfs-common"], h.Candidates["open-iscsi"] = "", "" },
			want: "error w1 PackageNames: the host's repositories have no package of the name nfs-common, open-iscsi " +
				"(write the name that Debian has for it: a host may have packages of its own; or run apt-get update on the host, if its indexes are old)"},
		{name: "a name that a repository has", edit: world.WithPackages, host: func(h *facts.Host) { h.Candidates["nfs-common"] = "2.6.2" }},
		{name: "a name that no repository has any more", edit: world.WithPackages, host: func(h *facts.Host) {
			h.Candidates["nfs-common"] = ""
			world.Packaged(h, "nfs-common 2.6.2")
		}},
		{name: "a name that is nothing to this host", edit: world.WithPackages, host: func(h *facts.Host) { h.Candidates["open-iscsi"] = "" }},
		{name: "one processor", host: func(h *facts.Host) { h.CPUs = 1 },
			want: "error cp1 NumCPU: 1 CPU, a control plane needs 2 (use a larger machine)"},
		{name: "two processors", host: func(h *facts.Host) { h.CPUs = 2 }},
		{name: "one processor of a worker", on: "w1", host: func(h *facts.Host) { h.CPUs = 1 }},
		{name: "little memory", host: func(h *facts.Host) { h.MemoryKiB = 1700*kiBofMiB - 1 },
			want: "error cp1 Mem: 1699 MiB of memory, a control plane needs 1700 (use a larger machine)"},
		{name: "just enough memory", host: func(h *facts.Host) { h.MemoryKiB = 1700 * kiBofMiB }},
		{name: "little memory of a worker", on: "w1", host: func(h *facts.Host) { h.MemoryKiB = 512 * kiBofMiB }},

		// 24 MiB are four times the six images, 240 MiB eight programs of 30 MiB. With packages there is
		// a seventh image, and 600 MiB of software.
		{name: "a full disk", host: disks(264*kiBofMiB-1, 264*kiBofMiB),
			want: "error cp1 Disk: /dev/vda has 263 MiB free for /var/lib/containerd, about 264 MiB are needed (free some space: du -xh / | sort -h | tail)"},
		{name: "a disk that just holds it", host: disks(264*kiBofMiB, 264*kiBofMiB)},
		{name: "a disk without what a worker does not need", on: "w1", host: disks(256*kiBofMiB, 264*kiBofMiB)},
		{name: "two disks that just hold it", host: func(h *facts.Host) {
			h.Disks = []facts.Disk{{Folder: "/usr/local/bin", Device: "/dev/vda", FreeKiB: 240 * kiBofMiB}, {Folder: "/var/lib/containerd", Device: "/dev/vdb", FreeKiB: 24 * kiBofMiB}}
		}},
		{name: "a full disk of images", host: func(h *facts.Host) {
			h.Disks = []facts.Disk{{Folder: "/usr/local/bin", Device: "/dev/vda", FreeKiB: 240 * kiBofMiB}, {Folder: "/var/lib/containerd", Device: "/dev/vdb", FreeKiB: 24*kiBofMiB - 1}}
		}, want: "error cp1 Disk: /dev/vdb has 23 MiB free for /var/lib/containerd, about 24 MiB are needed (free some space: du -xh / | sort -h | tail)"},
		{name: "a full disk of programs", host: func(h *facts.Host) {
			h.Disks = []facts.Disk{{Folder: "/usr/local/bin", Device: "/dev/vda", FreeKiB: 240*kiBofMiB - 1}, {Folder: "/var/lib/containerd", Device: "/dev/vdb", FreeKiB: 24 * kiBofMiB}}
		}, want: "error cp1 Disk: /dev/vda has 239 MiB free for /usr/local/bin, about 240 MiB are needed (free some space: du -xh / | sort -h | tail)"},
		{name: "a full disk that holds it already", living: true, host: disks(0, 0)},
		{name: "a full disk with half an image", living: true, host: func(h *facts.Host) {
			disks(0, 0)(h)
			h.Images["registry.k8s.io/pause:3.10.2"] = facts.Image{Digest: h.Images["registry.k8s.io/pause:3.10.2"].Digest}
		}, want: "error cp1 Disk: /dev/vda has 0 MiB free for /var/lib/containerd, about 4 MiB are needed (free some space: du -xh / | sort -h | tail)"},
		{name: "a full disk for packages", edit: world.All(world.FromRepositories, world.OnlyControlPlane), host: disks(628*kiBofMiB-1, 0),
			want: "error cp1 Disk: /dev/vda has 627 MiB free for /var/lib/containerd, about 628 MiB are needed (free some space: du -xh / | sort -h | tail)"},
		{name: "a disk that just holds packages", edit: world.All(world.FromRepositories, world.OnlyControlPlane), host: disks(628*kiBofMiB, 0)},
		{name: "a disk that is nearly full", on: "w1", host: disks(300*kiBofMiB-1, 3000*kiBofMiB),
			want: "warning w1 LowDisk: /dev/vda has 9% free for /usr/local/bin" + lowMeaning + lowMending},
		{name: "a disk that is not yet nearly full", on: "w1", host: disks(300*kiBofMiB, 3000*kiBofMiB)},
		{name: "the second disk is nearly full", on: "w1", host: func(h *facts.Host) {
			h.Disks = append(h.Disks, facts.Disk{Folder: "/var/lib/kubelet", Device: "/dev/vdb", SizeKiB: 100, FreeKiB: 5})
		}, want: "warning w1 LowDisk: /dev/vdb has 5% free for /var/lib/kubelet" + lowMeaning + lowMending},

		{name: "swap that nobody turns on", on: "w1", host: func(h *facts.Host) { h.Swaps = []facts.Swap{{Device: "/swapfile"}} },
			want: "warning w1 Swap: swap is on (/swapfile) and it is not known what turned it on: if that is done again at boot, the kubelet will not start " +
				"(find what does it (rc.local, @reboot of cron, cloud-init, ResourceDisk.EnableSwap in waagent.conf), take it out, and swapoff -a; " +
				"or set kubernetes.config.KubeletConfiguration.failSwapOn: false)"},
		{name: "swap of fstab", host: func(h *facts.Host) {
			h.Swaps, h.FstabSwaps = []facts.Swap{{Device: "/swapfile"}}, []string{"/swapfile"}
		}},
		{name: "swap of a unit", host: func(h *facts.Host) {
			h.Swaps, h.SwapUnits = []facts.Swap{{Device: "/dev/vda3"}}, []facts.SwapUnit{{Name: "dev-vda3.swap", State: "generated"}}
		}},
		{name: "swap of a service", host: func(h *facts.Host) {
			h.Swaps = []facts.Swap{{Device: "/dev/zram0"}}
			h.Units["zramswap.service"] = facts.Unit{Load: "loaded", Active: "active", Enabled: "enabled"}
		}},
		{name: "swap of the machine below", host: func(h *facts.Host) { h.Swaps, h.Container = []facts.Swap{{Device: "/dev/vda3"}}, "docker" }},
		{name: "swap that the kubelet tolerates", edit: world.Config(templates.KindKubelet, map[string]any{"failSwapOn": false}),
			host: func(h *facts.Host) { h.Swaps = []facts.Swap{{Device: "/swapfile"}} }},
		{name: "a clock that is fast", on: "w1", host: clock(time.Minute + time.Second), want: "error w1 Clock: the clock is 1m1s" + clockMending},
		{name: "a clock that is slow", host: clock(-time.Minute - time.Millisecond), want: "error cp1 Clock: the clock is -1m0.001s" + clockMending},
		{name: "a clock that is nearly too fast", host: clock(time.Minute)},
		{name: "a clock that is nearly too slow", host: clock(-time.Minute)},
		{name: "an address that the host does not have", host: func(h *facts.Host) {
			h.Addresses = []facts.LinkAddress{
				{Link: "lo", Prefix: netip.MustParsePrefix("127.0.0.1/8")}, {Link: "eth0", Prefix: netip.MustParsePrefix("fe80::11/64")},
				{Link: "eth0", Prefix: netip.MustParsePrefix("10.0.0.11/24")}, {Link: "eth0", Prefix: ipv6},
			}
		}, want: "error cp1 Address: no interface has the address 192.0.2.11; the host has 10.0.0.11, 2001:db8::11 (nodes reach each other by this address: give one that the host has itself)"},
		{name: "an address on the second interface", host: func(h *facts.Host) {
			h.Addresses = append([]facts.LinkAddress{{Link: "eth1", Prefix: ipv6}}, h.Addresses...)
		}},
		{name: "cgroup v1", on: "w1", host: func(h *facts.Host) { h.CgroupV2 = false },
			want: "error w1 SystemVerification: the host uses cgroup v1, which Kubernetes no longer supports (boot with systemd.unified_cgroup_hierarchy=1; or set kubernetes.config.KubeletConfiguration.failCgroupV1: false and ignorePreflight: [SystemVerification])"},
		{name: "a name server of its own", host: nameservers("192.0.2.1", "127.0.0.1"), want: "error cp1 Resolver: /etc/resolv.conf names 127.0.0.1" + resolver},
		{name: "a name server of its own by IPv6", on: "w1", host: nameservers("::1"), want: "error w1 Resolver: /etc/resolv.conf names ::1" + resolver},
		{name: "systemd-resolved", host: func(h *facts.Host) {
			nameservers("127.0.0.53")(h)
			h.Units["systemd-resolved.service"] = facts.Unit{Load: "loaded", Active: "active"}
		}},
		{name: "systemd-resolved that does not run", host: func(h *facts.Host) {
			nameservers("127.0.0.53")(h)
			h.Units["systemd-resolved.service"] = facts.Unit{Load: "loaded", Active: "inactive"}
		}, want: "error cp1 Resolver: /etc/resolv.conf names 127.0.0.53" + resolver},
		{name: "SELinux", on: "w1", host: func(h *facts.Host) { h.SELinux = true },
			want: "warning w1 SELinux: SELinux is enforcing, which kubeadm's documentation does not support (set it to permissive; or install container-selinux, and ignorePreflight: [SELinux])"},
		{name: "an unreachable host", on: "w1", host: func(h *facts.Host) { *h = facts.Host{Unreachable: world.NoRoute()} }},
	}
}

// identityCases are about hosts that are alike, and about what is in the way of a new cluster.
func identityCases() []preflightCase {
	same := func(change func(*facts.Host), hosts ...string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			for _, name := range hosts {
				world.ChangeHost(*f, name, change)
			}
		}
	}
	uuid := func(container string) func(*facts.Host) {
		return func(h *facts.Host) { h.ProductUUID, h.Container = "4c4c4544", container }
	}
	const inUse = ", is in use by \"nginx\" (stop that program)"
	return []preflightCase{
		{name: "two hosts of one name", change: same(func(h *facts.Host) { h.Hostname = "debian" }, "cp1", "w2"),
			want: "warning w2 Hostname: Hostname debian is also that of cp1 (hostnamectl set-hostname)"},
		{name: "three clones", change: same(func(h *facts.Host) { h.MachineID = "8f2a" }, "cp1", "w1", "w2"),
			want: "error w1 MachineID: MachineID 8f2a is also that of cp1 (rm /etc/machine-id && systemd-machine-id-setup, then reboot)\n" +
				"error w2 MachineID: MachineID 8f2a is also that of cp1 (rm /etc/machine-id && systemd-machine-id-setup, then reboot)"},
		{name: "two virtual machines of one UUID", change: same(uuid("none"), "w1", "w2"),
			want: "warning w2 ProductUUID: ProductUUID 4c4c4544 is also that of w1 (give each virtual machine its own UUID)"},
		{name: "two machines of one UUID", change: same(uuid(""), "w1", "w2"),
			want: "warning w2 ProductUUID: ProductUUID 4c4c4544 is also that of w1 (give each virtual machine its own UUID)"},
		{name: "two containers on one machine", change: same(uuid("docker"), "w1", "w2")},
		{name: "no identities", change: same(func(h *facts.Host) { h.Hostname, h.MachineID, h.ProductUUID = "", "", "" }, "cp1", "w1", "w2")},
		{name: "a clone that is away", change: same(func(h *facts.Host) {
			*h = facts.Host{Unreachable: world.NoRoute(), MachineID: "w2"}
		}, "w1")},

		{name: "the kubelet's port", on: "w1", host: port(10250, "nginx"), want: "error w1 Port-10250: port 10250, which the kubelet needs" + inUse},
		{name: "the API server's port", host: port(6443, "nginx"), want: "error cp1 Port-6443: port 6443, which the API server needs" + inUse},
		{name: "etcd's port for clients", host: port(2379, "nginx"), want: "error cp1 Port-2379: port 2379, which etcd needs" + inUse},
		{name: "etcd's port for members", host: port(2380, "nginx"), want: "error cp1 Port-2380: port 2380, which etcd needs" + inUse},
		{name: "the controller manager's port", host: port(10257, "nginx"), want: "error cp1 Port-10257: port 10257, which the controller manager needs" + inUse},
		{name: "the scheduler's port", host: port(10259, "nginx"), want: "error cp1 Port-10259: port 10259, which the scheduler needs" + inUse},
		{name: "a process without a name", host: port(6443, ""), want: "error cp1 Port-6443: port 6443, which the API server needs, is in use by \"\" (stop that program)"},
		{name: "a port of control planes on a worker", on: "w1", host: port(6443, "nginx")},
		{name: "another port", host: port(8080, "nginx")},
		{name: "a kubelet of a join that was cut off", on: "w1", host: func(h *facts.Host) {
			port(10250, "kubelet")(h)
			port(10248, "kubelet")(h)
			h.KubeletConfig, h.Units[templates.KubeletService] = true, facts.Unit{Load: "loaded", Active: "active"}
		}},
		{name: "a kubelet of another distribution", on: "w1", host: func(h *facts.Host) {
			port(10250, "kubelet")(h)
			port(10248, "kubelet")(h)
		}, want: "error w1 Port-10250: port 10250 is in use by a kubelet that kubeadm has not configured: the host belongs to a cluster of another kind, or to none " +
			"(take that cluster's software off the host (k0s, k3s, RKE2 and MicroK8s have commands for it), or stop that kubelet)"},
		{name: "a kubelet that somebody has started", on: "w1", host: func(h *facts.Host) {
			port(10250, "kubelet")(h)
			h.Units[templates.KubeletService] = facts.Unit{Load: "loaded", Active: "active"}
		}, want: "error w1 Port-10250: port 10250 is in use by a kubelet that kubeadm has not configured: the host belongs to a cluster of another kind, or to none " +
			"(take that cluster's software off the host (k0s, k3s, RKE2 and MicroK8s have commands for it), or stop that kubelet)"},
		{name: "the port for the kubelet's health", on: "w1", host: port(10248, "nginx"), want: "error w1 Port-10248: port 10248, which the kubelet needs" + inUse},
		{name: "kube-proxy's ports", on: "w1", host: func(h *facts.Host) {
			port(10256, "nginx")(h)
			port(10249, "nginx")(h)
		}, want: "error w1 Port-10249: port 10249, which kube-proxy needs" + inUse + "\nerror w1 Port-10256: port 10256, which kube-proxy needs" + inUse},
		{name: "etcd's port for metrics", host: port(2381, "nginx"), want: "error cp1 Port-2381: port 2381, which etcd needs" + inUse},
		{name: "ports of the cluster itself", living: true, host: func(h *facts.Host) {
			for _, number := range []int{6443, 2379, 2380, 10257, 10259, 10250} {
				h.Ports[number] = "kube"
			}
		}},
		{name: "a half-made control plane", host: func(h *facts.Host) {
			h.Manifests, h.NotEmpty["/var/lib/etcd"] = []string{"etcd.yaml"}, true
			port(2379, "etcd")(h)
		}},
		{name: "a kubeadm at work", host: func(h *facts.Host) {
			h.Units[templates.KubeadmService], h.NotEmpty["/var/lib/etcd"] = facts.Unit{Load: "loaded", Active: "activating"}, true
			port(6443, "kube-apiserver")(h)
		}},
		{name: "data of an etcd", host: func(h *facts.Host) { h.NotEmpty["/var/lib/etcd"] = true },
			want: "error cp1 DirAvailable--var-lib-etcd: /var/lib/etcd is not empty (it may be the data of a cluster, so it stays: move it away, as in mv /var/lib/etcd /var/lib/etcd.before)"},
		{name: "data of an etcd that fairlead has brought", host: func(h *facts.Host) {
			h.NotEmpty["/var/lib/etcd"], h.Ledger = true, []ledger.Entry{{Kind: ledger.Tree, Key: "/var/lib/etcd", Was: "absent"}}
		}, want: "error cp1 DirAvailable--var-lib-etcd: /var/lib/etcd is not empty (it may be the data of a cluster, so it stays: move it away, as in mv /var/lib/etcd /var/lib/etcd.before; or fairlead reset cp1)"},
		{name: "data of an etcd on a worker", on: "w1", host: func(h *facts.Host) { h.NotEmpty["/var/lib/etcd"] = true }},
		{name: "an empty folder of etcd", host: func(h *facts.Host) { h.NotEmpty["/var/lib/etcd"] = false }},
	}
}

// bundleCases are about the bundle alone.
func bundleCases() []preflightCase {
	const mending = " (give the bundle of that version in kubernetes.bundle)"
	without := func(names ...string) func(*bundle.Manifest) {
		return func(m *bundle.Manifest) {
			var components []bundle.Component
			var images []bundle.Image
			for _, component := range m.Components {
				if !slices.Contains(names, component.Name) {
					components = append(components, component)
				}
			}
			for _, image := range m.Images {
				if !slices.Contains(names, nameOfImage(image.Name)) {
					images = append(images, image)
				}
			}
			m.Components, m.Images = components, images
		}
	}
	socket := func(f *facts.Facts) {
		for name := range f.Hosts {
			world.ChangeHost(*f, name, func(h *facts.Host) { h.Sockets["/run/crio/crio.sock"] = true })
		}
	}
	cases := []preflightCase{
		{name: "a bundle of another version", bundle: func(m *bundle.Manifest) { m.KubernetesVersion = "1.36.3" },
			want: "error all Bundle: the bundle holds Kubernetes 1.36.3 and the inventory wants 1.37.2" + mending},
		{name: "no component that packages bring", edit: world.FromRepositories,
			bundle: without(bundle.Kubernetes, bundle.CNIPlugins, bundle.Containerd, bundle.Runc, bundle.Registry)},
		{name: "no component that Docker brings", edit: world.WithDocker, bundle: without(bundle.Containerd, bundle.Runc, bundle.Registry)},
		{name: "no component that the user brings", edit: world.WithSocket, bundle: without(bundle.Containerd, bundle.Runc, bundle.Registry), change: socket},
		{name: "no image that is not wanted", bundle: without("traefik", "metrics-server", "fairlead-approver", "flannel-cni-plugin")},
		{name: "no image of a pod network that is not wanted", edit: func(c *inventory.Cluster) { c.Addons.Network.Name = inventory.NetworkNone },
			bundle: without("flannel", "flannel-cni-plugin")},
		{name: "no image of an approver that is not wanted", edit: func(c *inventory.Cluster) { c.Addons.MetricsServer = &inventory.MetricsServer{InsecureTLS: true} },
			bundle: without("fairlead-approver")},
		{name: "an approver without a bundle", edit: world.All(world.FromRepositories, world.WithoutBundle, world.AllAddons),
			want: "error all Bundle: the image of fairlead's approver of kubelet certificates, which addons.metricsServer needs, comes with a bundle: name one, or set insecureTLS: true" + mending},
		{name: "a cluster of another version", living: true, change: func(f *facts.Facts) { f.API.ServerVersion = "1.36.3" },
			want: "error all Version: the cluster runs Kubernetes 1.36.3 and the inventory wants 1.37.2 (put the cluster's version into kubernetes.version: up does not upgrade)"},
		{name: "a cluster that says nothing", living: true, change: func(f *facts.Facts) { f.API = facts.API{Err: world.Refused()} }},
	}
	for _, c := range []struct {
		edit func(*inventory.Cluster)
		name string
	}{
		{nil, bundle.Kubernetes}, {nil, bundle.CNIPlugins}, {nil, bundle.Containerd}, {nil, bundle.Runc}, {world.OwnRegistryOnWorker, bundle.Registry},
	} {
		cases = append(cases, preflightCase{name: "no component " + c.name, edit: c.edit, bundle: without(c.name),
			want: "error all Bundle: bundle holds no component \"" + c.name + "\"" + mending})
	}
	for _, c := range []struct {
		edit func(*inventory.Cluster)
		name string
	}{
		{nil, "pause"}, {nil, "kube-apiserver"}, {nil, "kube-proxy"}, {nil, "etcd"}, {nil, "coredns"}, {nil, "flannel"},
		{world.FromRepositories, "flannel-cni-plugin"}, {world.AllAddons, "metrics-server"}, {world.AllAddons, "traefik"}, {world.AllAddons, "fairlead-approver"},
	} {
		cases = append(cases, preflightCase{name: "no image " + c.name, edit: c.edit, bundle: without(c.name),
			want: "error all Bundle: the bundle holds no image " + c.name + mending})
	}
	for i := range cases {
		cases[i].firm = true
	}
	return cases
}

// nameOfImage is the last part of an image's repository.
func nameOfImage(reference string) string {
	name, _, _ := strings.Cut(path.Base(reference), ":")
	return name
}
