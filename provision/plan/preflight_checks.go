package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/templates"
)

// hostChecks are all checks of a host, in the order in which they are reported.
func hostChecks() []check {
	return []check{
		{name: "OS", run: checkOS},
		{name: "Packages", run: checkFamily},
		{name: "PackageNames", run: checkPackageNames},
		{name: "Systemd", run: checkSystemd},
		{name: "Architecture", run: checkArchitecture},
		{name: "Root", run: checkRoot},
		{name: "Ledger", run: checkLedger},
		{name: claimCheck, run: checkClaim},
		{name: "Tools", run: checkTools},
		{name: "NumCPU", run: checkCPUs},
		{name: "Mem", run: checkMemory},
		{name: "Disk", run: checkDisk},
		{name: "LowDisk", warning: true, run: checkLowDisk},
		{name: "Clock", run: checkClock},
		{name: "MaxSessions", run: checkSessions},
		{name: "Forwarding", run: checkForwarding},
		{name: "Address", run: checkAddress},
		{name: "SharedAddress", run: checkShared},
		{name: "IPv6", run: checkIPv6},
		{name: "SystemVerification", run: checkCgroup},
		{name: "Resolver", run: checkResolver},
		{name: "NameServer", run: checkNameServer},
		{name: "Subnet", run: checkSubnet},
		{name: "ForeignKubernetes", run: checkKubernetes},
		{name: "ForeignRuntime", run: checkRuntime},
		{name: checkContainerdName, run: checkContainerdVersion},
		{name: "KindPlugins", run: checkKindPlugins},
		{name: "CRISocket", run: checkSocket},
		{name: "DaemonJSON", run: checkDockerConfig},
		{name: "Balancer", run: checkBalancerPrograms},
		{name: "BalancerPort", run: checkBalancerPorts},
		{name: checkVIPName, run: checkSharedNetwork},
		{name: endpointFinding, run: checkEndpointToJoin},
		{name: endpointFinding, warning: true, run: checkEndpointOfMember},
		{name: endpointFinding, warning: true, run: checkEarlyEndpoint},
		{name: "Proxy", run: checkProxy},
		{name: "Network", run: checkNetwork},
		{name: "Swap", warning: true, run: checkSwap},
		{name: "Firewalld", warning: true, run: checkFirewalld},
		{name: "UFW", warning: true, run: checkUFW},
		{name: "Sysctl", run: checkSysctl},
		{name: "Localhost", warning: true, run: checkLocalhost},
		{name: "InsecureKey", warning: true, run: checkInsecureKey},
		{name: "SELinux", warning: true, run: checkSELinux},
	}
}

func checkOS(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	if _, known := f.Family(); known {
		return "", ""
	}
	return fmt.Sprintf("%s (ID=%s) is not supported", cmp.Or(f.OS.Name, "this operating system"), f.OS.ID),
		"supported are Debian, Ubuntu and the RHEL family; ignorePreflight: [OS] if you know that it works"
}

func checkSystemd(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	if f.Systemd >= minSystemd {
		return "", ""
	}
	return fmt.Sprintf("systemd %d or newer does not run this host (found %d)", minSystemd, f.Systemd), "use a host that systemd runs"
}

func checkArchitecture(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	if !p.HasBundle() || f.Architecture == p.Bundle.Architecture {
		return "", ""
	}
	return fmt.Sprintf("the host is %s and the bundle is for %s", f.Architecture, p.Bundle.Architecture),
		"give a bundle for " + f.Architecture + " in kubernetes.bundle"
}

func checkRoot(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	if f.Root {
		return "", ""
	}
	return "commands do not run as root", "let the user become root by sudo without a password, or set ssh.user: root"
}

// ledgerMending is what to do with a ledger that cannot be trusted.
const ledgerMending = "put back a whole copy of " + templates.StateFolder + "/ledger; if there is none, undo by hand what it still names, with the former files in " +
	templates.StateFolder + "/saved, and move " + templates.StateFolder + " away"

func ledgerMessage(f facts.Host) string {
	return "the ledger of what fairlead changed on the host is damaged: " + f.LedgerDamage
}

// checkLedger finds a ledger that could not be gone on from: the first step would fail, and a reset.
func checkLedger(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	if f.LedgerDamage != "" {
		return ledgerMessage(f), ledgerMending
	}
	if unknown := unknownEntries(f.Ledger); len(unknown) > 0 {
		return unknownMessage(unknown), "take the one that wrote it"
	}
	return "", ""
}

func checkTools(p *planner, host inventory.Host, f facts.Host) (string, string) {
	from, _ := p.kubernetesSource(f)
	missing := slices.DeleteFunc(slices.Clone(f.MissingTools), func(tool string) bool {
		if tool != "iptables" {
			return false
		}
		// The kubelet's package depends on it.
		return from == fromPackages || slices.ContainsFunc(p.Cluster.PackagesOf(host), func(name string) bool { return strings.HasPrefix(name, tool) })
	})
	if len(missing) == 0 {
		return "", ""
	}
	return "programs are missing: " + strings.Join(missing, ", "), "install the packages that hold them (util-linux, kmod, iptables, iproute2, tar, gzip)"
}

func checkCPUs(_ *planner, host inventory.Host, f facts.Host) (string, string) {
	if host.Role != inventory.RoleControlPlane || f.CPUs >= minCPUs {
		return "", ""
	}
	return fmt.Sprintf("%d CPU, a control plane needs %d", f.CPUs, minCPUs), "use a larger machine"
}

func checkMemory(_ *planner, host inventory.Host, f facts.Host) (string, string) {
	if host.Role != inventory.RoleControlPlane || f.MemoryKiB >= minMemoryKiB {
		return "", ""
	}
	return fmt.Sprintf("%d MiB of memory, a control plane needs %d", f.MemoryKiB>>10, minMemoryKiB>>10), "use a larger machine"
}

// checkDisk compares what is still to be put on the host with the free space.
func checkDisk(p *planner, host inventory.Host, f facts.Host) (string, string) {
	need := map[string]int64{}
	for _, image := range p.common.images[host.Name] {
		if !f.Images[image.Name].Complete {
			need["/var/lib/containerd"] += image.Size * unpackedPerStored
		}
	}
	if len(p.neededRepositories(f)) > 0 {
		need["/usr/local/bin"] += packagesSize
	}
	for _, component := range p.Bundle.Components {
		if !slices.Contains(p.bundledFor(f), component.Name) {
			continue
		}
		for _, layer := range component.Layers {
			if lacks(f, component, layer) == "" {
				continue
			}
			for _, file := range layer.Files {
				need["/usr/local/bin"] += file.Size
			}
		}
	}
	byDevice := map[string]int64{}
	for _, disk := range f.Disks {
		byDevice[disk.Device] += need[disk.Folder]
		if sum := byDevice[disk.Device] >> 10; sum > disk.FreeKiB {
			return fmt.Sprintf("%s has %d MiB free for %s, about %d MiB are needed", disk.Device, disk.FreeKiB>>10, disk.Folder, sum>>10),
				"free some space: du -xh / | sort -h | tail"
		}
	}
	return "", ""
}

func checkLowDisk(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	for _, disk := range f.Disks {
		if disk.SizeKiB > 0 && disk.FreeKiB*100 < disk.SizeKiB*lowDiskPercent {
			return fmt.Sprintf("%s has %d%% free for %s: the kubelet deletes images and evicts pods when a disk is nearly full",
				disk.Device, disk.FreeKiB*100/disk.SizeKiB, disk.Folder), "free some space"
		}
	}
	return "", ""
}

func checkClock(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	if f.ClockOffset.Abs() <= maxClockOffset {
		return "", ""
	}
	return fmt.Sprintf("the clock is %v off this machine's", f.ClockOffset), "set up time synchronisation (chrony or systemd-timesyncd) on both"
}

func checkCgroup(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	if f.CgroupV2 {
		return "", ""
	}
	return "the host uses cgroup v1, which Kubernetes no longer supports",
		"boot with systemd.unified_cgroup_hierarchy=1; or set kubernetes.config.KubeletConfiguration.failCgroupV1: false and ignorePreflight: [SystemVerification]"
}

func checkSELinux(_ *planner, _ inventory.Host, f facts.Host) (string, string) {
	if !f.SELinux {
		return "", ""
	}
	return "SELinux is enforcing, which kubeadm's documentation does not support", "set it to permissive; or install container-selinux, and ignorePreflight: [SELinux]"
}
