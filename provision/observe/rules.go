package observe

import (
	"cmp"
	"maps"

	"fairlead/provision/facts"
	"fairlead/templates"
)

// architectures maps what uname says to Go's words.
var architectures = map[string]string{"x86_64": "amd64", "aarch64": "arm64"}

// probeRules are all facts that the probe script may print.
func probeRules() rules {
	all := machineRules()
	maps.Copy(all, softwareRules())
	return all
}

// machineRules are those of facts about the machine, its network and its kernel.
func machineRules() rules {
	return rules{
		"uid":   number(func(f *facts.Host, n int64) { f.Root = n == 0 }),
		"clock": checked(1, readClock),
		"os": text(5, func(f *facts.Host, v []string) {
			f.OS = facts.OS{ID: v[0], Version: v[1], Like: v[2], Name: v[3], Codename: v[4]}
		}),
		"arch":         text(1, func(f *facts.Host, v []string) { f.Architecture = architecture(v[0]) }),
		"cpus":         number(func(f *facts.Host, n int64) { f.CPUs = int(n) }),
		"memory":       number(func(f *facts.Host, n int64) { f.MemoryKiB = n }),
		"disk":         checked(4, readDisk),
		"hostname":     text(1, func(f *facts.Host, v []string) { f.Hostname = v[0] }),
		"machine-id":   text(1, func(f *facts.Host, v []string) { f.MachineID = v[0] }),
		"product-uuid": text(1, func(f *facts.Host, v []string) { f.ProductUUID = v[0] }),
		"boot-id":      text(1, func(f *facts.Host, v []string) { f.BootID = v[0] }),
		"systemd":      checked(1, readSystemd),
		"container":    text(1, func(f *facts.Host, v []string) { f.Container = v[0] }),
		"cgroup":       word("v2", "v1", func(f *facts.Host, v2 bool) { f.CgroupV2 = v2 }),
		"capabilities": checked(1, readCapabilities),
		"apparmor":     text(1, func(f *facts.Host, _ []string) { f.AppArmor = true }),
		"selinux":      word("1", "0", func(f *facts.Host, enforcing bool) { f.SELinux = enforcing }),
		"missing-tool": named(1, func(f *facts.Host, v []string) { f.MissingTools = append(f.MissingTools, v[0]) }),

		"address":    checked(2, readAddress),
		"link":       named(1, func(f *facts.Host, v []string) { f.Links = append(f.Links, v[0]) }),
		"nameserver": checked(1, readNameserver),
		"port":       checked(2, readPort),

		"loopback-name": named(2, func(f *facts.Host, v []string) {
			f.LoopbackNames = append(f.LoopbackNames, facts.LoopbackName{Name: v[0], Address: v[1]})
		}),
		"no-localhost": text(1, func(f *facts.Host, _ []string) { f.NoLocalhost = true }),
		"login-key": named(2, func(f *facts.Host, v []string) {
			f.LoginKeys = append(f.LoginKeys, facts.LoginKey{Path: v[0], Key: v[1]})
		}),
		"reach":  withName(checked(2, readReach)),
		"readyz": named(2, func(f *facts.Host, v []string) { f.Readyz[v[0]] = v[1] }),

		"ssh-sessions": number(func(f *facts.Host, n int64) { f.SSHSessions = int(n) }),

		"swap": named(3, readSwap),
		"fstab-swap": named(1, func(f *facts.Host, v []string) {
			f.FstabSwaps = append(f.FstabSwaps, v[0])
		}),
		"swap-unit": named(2, func(f *facts.Host, v []string) {
			f.SwapUnits = append(f.SwapUnits, facts.SwapUnit{Name: v[0], State: v[1]})
		}),
		"zram-generator": text(1, func(f *facts.Host, _ []string) { f.ZramGenerator = true }),
		"module":         withName(checked(2, readModule)),
		"sysctl":         named(2, func(f *facts.Host, v []string) { f.Sysctls[v[0]] = v[1] }),
		"sysctl-line":    withName(checked(4, readSysctlLine)),
	}
}

// softwareRules are those of facts about what is on the machine.
func softwareRules() rules {
	return rules{
		"file":        withName(checked(5, readFile)),
		"sha256":      withName(checked(2, readSHA256)),
		"tree":        named(1, func(f *facts.Host, v []string) { f.Trees[v[0]] = true }),
		"content":     {fields: 2, plain: 1, named: true, private: true, read: readContent},
		"unit":        withName(checked(9, readUnit)),
		"version":     named(3, func(f *facts.Host, v []string) { f.Versions[v[0]] = facts.Version{Path: v[1], Version: v[2]} }),
		"package":     withName(checked(3, readPackage)),
		"candidate":   named(2, func(f *facts.Host, v []string) { f.Candidates[v[0]] = cmp.Or(templates.UpstreamVersion(v[1]), v[1]) }),
		"environment": {fields: 2, plain: -1, named: true, private: true, read: readEnvironment},
		"symlink":     named(1, func(f *facts.Host, v []string) { f.Symlinks[v[0]] = true }),
		"absent":      checked(2, readAbsent),
		"socket":      named(1, func(f *facts.Host, v []string) { f.Sockets[v[0]] = true }),
		"image": named(4, func(f *facts.Host, v []string) {
			f.Images[v[0]] = facts.Image{Digest: v[1], Complete: v[2] == "complete" && v[3] == "true"}
		}),

		"install-cut":    text(1, func(f *facts.Host, _ []string) { f.InstallCut = true }),
		"manifest":       named(1, func(f *facts.Host, v []string) { f.Manifests = append(f.Manifests, v[0]) }),
		"kubeconfig":     named(1, func(f *facts.Host, v []string) { f.Kubeconfigs[v[0]] = true }),
		"server":         named(2, func(f *facts.Host, v []string) { f.Servers[v[0]] = v[1] }),
		"kubelet-config": text(1, func(f *facts.Host, _ []string) { f.KubeletConfig = true }),

		"kubelet-credentials": text(1, func(f *facts.Host, _ []string) { f.KubeletCredentials = true }),
		"etcd-unbegun":        text(1, func(f *facts.Host, _ []string) { f.EtcdUnbegun = true }),
		"certificate":         {fields: 2, plain: 1, named: true, private: true, read: readCertificate},
		"network-configuration": named(1, func(f *facts.Host, v []string) {
			f.NetworkConfigurations = append(f.NetworkConfigurations, v[0])
		}),
		"not-empty":      named(1, func(f *facts.Host, v []string) { f.NotEmpty[v[0]] = true }),
		"ledger-gone":    text(1, func(f *facts.Host, _ []string) { f.LedgerDamage = "it is gone, and what it refers to is there" }),
		"registry-image": named(3, func(f *facts.Host, v []string) { f.RegistryImages[v[0]+":"+v[1]] = v[2] }),

		"process": named(2, func(f *facts.Host, v []string) {
			f.Processes = append(f.Processes, facts.Process{Program: v[0], PID: v[1]})
		}),
		"mount":     named(1, func(f *facts.Host, v []string) { f.Mounts = append(f.Mounts, v[0]) }),
		"netfilter": named(2, func(f *facts.Host, v []string) { f.Netfilter = append(f.Netfilter, v[0]+" ("+v[1]+")") }),
	}
}

func architecture(machine string) string {
	if name, ok := architectures[machine]; ok {
		return name
	}
	return machine
}
