package observe

import (
	"strings"
	"time"

	"fairlead/provision/facts"
	"fairlead/templates"
)

// architectures maps what uname says to Go's words.
var architectures = map[string]string{"x86_64": "amd64", "aarch64": "arm64"}

// probeRules are all facts that the probe script may print.
var probeRules = map[string]probeRule{
	"uid":   number(func(f *facts.Host, n int64) { f.Root = n == 0 }),
	"clock": number(func(f *facts.Host, n int64) { f.ClockOffset = time.Duration(n) }),
	"os": text(5, func(f *facts.Host, v []string) {
		f.OS = facts.OS{ID: v[0], Version: v[1], Like: v[2], Name: v[3], Codename: v[4]}
	}),
	"arch":         text(1, func(f *facts.Host, v []string) { f.Architecture = architecture(v[0]) }),
	"cpus":         number(func(f *facts.Host, n int64) { f.CPUs = int(n) }),
	"memory":       number(func(f *facts.Host, n int64) { f.MemoryKiB = n }),
	"disk":         {4, readDisk},
	"hostname":     text(1, func(f *facts.Host, v []string) { f.Hostname = v[0] }),
	"machine-id":   text(1, func(f *facts.Host, v []string) { f.MachineID = v[0] }),
	"product-uuid": text(1, func(f *facts.Host, v []string) { f.ProductUUID = v[0] }),
	"boot-id":      text(1, func(f *facts.Host, v []string) { f.BootID = v[0] }),
	"systemd":      number(func(f *facts.Host, n int64) { f.Systemd = int(n) }),
	"container":    text(1, func(f *facts.Host, v []string) { f.Container = v[0] }),
	"cgroup":       text(1, func(f *facts.Host, v []string) { f.CgroupV2 = v[0] == "v2" }),
	"capabilities": {1, readCapabilities},
	"apparmor":     text(1, func(f *facts.Host, _ []string) { f.AppArmor = true }),
	"selinux":      text(1, func(f *facts.Host, v []string) { f.SELinux = v[0] == "1" }),
	"missing-tool": text(1, func(f *facts.Host, v []string) { f.MissingTools = append(f.MissingTools, v[0]) }),

	"address":    {2, readAddress},
	"link":       text(1, func(f *facts.Host, v []string) { f.Links = append(f.Links, v[0]) }),
	"nameserver": {1, readNameserver},
	"port":       {2, readPort},

	"swap": text(3, readSwap),
	"fstab-swap": text(1, func(f *facts.Host, v []string) {
		f.FstabSwaps = append(f.FstabSwaps, v[0])
	}),
	"swap-unit": text(2, func(f *facts.Host, v []string) {
		f.SwapUnits = append(f.SwapUnits, facts.SwapUnit{Name: v[0], State: v[1]})
	}),
	"zram-generator": text(1, func(f *facts.Host, _ []string) { f.ZramGenerator = true }),
	"module":         text(2, func(f *facts.Host, v []string) { f.Modules[v[0]] = v[1] == "loaded" }),
	"sysctl":         text(2, func(f *facts.Host, v []string) { f.Sysctls[v[0]] = v[1] }),
	"sysctl-line":    {4, readSysctlLine},

	"file":    {5, readFile},
	"sha256":  {2, readSHA256},
	"tree":    text(1, func(f *facts.Host, v []string) { f.Trees[v[0]] = true }),
	"content": text(2, readContent),
	"unit": text(9, func(f *facts.Host, v []string) {
		f.Units[v[0]] = facts.Unit{
			Load: v[1], Active: v[2], Enabled: v[4], Path: v[5],
			NeedsReload: v[8] == "yes",
		}
	}),
	"version": text(3, func(f *facts.Host, v []string) { f.Versions[v[0]] = facts.Version{Path: v[1], Version: v[2]} }),
	"package": text(3, func(f *facts.Host, v []string) {
		f.Packages[v[0]] = facts.Package{Version: templates.UpstreamVersion(v[1]), Held: v[2] == "held"}
	}),
	"candidate":   text(2, func(f *facts.Host, v []string) { f.Candidates[v[0]] = templates.UpstreamVersion(v[1]) }),
	"environment": text(2, func(f *facts.Host, v []string) { f.Environment[strings.ToUpper(v[0])] = unquote(v[1]) }),
	"symlink":     text(1, func(f *facts.Host, v []string) { f.Symlinks[v[0]] = true }),
	"absent": text(2, func(f *facts.Host, v []string) {
		f.Absent[v[0]+":"+strings.ReplaceAll(v[1], "/", ".")] = true
	}),
	"socket": text(1, func(f *facts.Host, v []string) { f.Sockets[v[0]] = true }),
	"image": text(4, func(f *facts.Host, v []string) {
		f.Images[v[0]] = facts.Image{Digest: v[1], Complete: v[2] == "complete" && v[3] == "true"}
	}),

	"install-cut":    text(1, func(f *facts.Host, _ []string) { f.InstallCut = true }),
	"manifest":       text(1, func(f *facts.Host, v []string) { f.Manifests = append(f.Manifests, v[0]) }),
	"kubeconfig":     text(1, func(f *facts.Host, v []string) { f.Kubeconfigs[v[0]] = true }),
	"kubelet-config": text(1, func(f *facts.Host, _ []string) { f.KubeletConfig = true }),

	"kubelet-credentials": text(1, func(f *facts.Host, _ []string) { f.KubeletCredentials = true }),
	"certificate":         {2, readCertificate},
	"network-configuration": text(1, func(f *facts.Host, v []string) {
		f.NetworkConfigurations = append(f.NetworkConfigurations, v[0])
	}),
	"not-empty":      text(1, func(f *facts.Host, v []string) { f.NotEmpty[v[0]] = true }),
	"ledger-gone":    text(1, func(f *facts.Host, _ []string) { f.LedgerDamage = "it is gone, and what it refers to is there" }),
	"registry-image": text(3, func(f *facts.Host, v []string) { f.RegistryImages[v[0]+":"+v[1]] = v[2] }),

	"process": text(2, func(f *facts.Host, v []string) {
		f.Processes = append(f.Processes, facts.Process{Program: v[0], PID: v[1]})
	}),
	"mount":     text(1, func(f *facts.Host, v []string) { f.Mounts = append(f.Mounts, v[0]) }),
	"netfilter": text(2, func(f *facts.Host, v []string) { f.Netfilter = append(f.Netfilter, v[0]+" ("+v[1]+")") }),
}

func architecture(machine string) string {
	if name, ok := architectures[machine]; ok {
		return name
	}
	return machine
}
