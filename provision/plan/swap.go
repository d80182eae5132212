package plan

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// swapTarget starts all swap units at boot.
const swapTarget = "swap.target"

// swapServices turn swap on by themselves, on devices and files that no unit and no line of fstab names: those of Debian's
// zram-tools, dphys-swapfile, swapspace and systemd-swap, of Ubuntu's zram-config, and Fedora's former zram.
func swapServices() []string {
	return []string{"zramswap.service", "dphys-swapfile.service", "swapspace.service", "systemd-swap.service", "zram-config.service", "zram-swap.service"}
}

func asksOfSwap(desired.State) facts.Query {
	return facts.Query{Units: append([]string{"*.swap", swapTarget}, swapServices()...)}
}

// swap plans to turn swap off, now and after a reboot, unless the kubelet tolerates it.
func (p *planner) swap(host inventory.Host, facts facts.Host) {
	if p.toleratesSwap() {
		return
	}
	step := hostStep(host, StagePrepare, "swap", "turn swap off")
	// Containers of one machine have one kernel, which is busy while one of them turns swap off.
	step.Lock = "swap of the kernel that has the boot id " + facts.BootID
	for _, s := range facts.Swaps {
		step.because("swap is on: %s", s.Device)
	}
	for _, device := range facts.FstabSwaps {
		step.because("/etc/fstab turns swap on at boot: %s", device)
	}
	units := append(swapUnits(&step, facts), servicesOfSwap(&step, facts)...)
	touched := append([]ledger.Touch{{Kind: ledger.Swap, Key: "active"}}, ledger.Files(templates.Fstab)...)
	for _, unit := range units {
		touched = append(touched, ledger.Touch{Kind: ledger.Unit, Key: unit})
	}
	if facts.ZramGenerator {
		step.because("zram-generator makes a swap device at boot")
		step.do(PutFile{Path: "/etc/systemd/zram-generator.conf", Mode: 0o644, Content: []byte{}})
	}
	if len(step.Reasons) > 0 {
		step.do(Script{Title: "swapoff, /etc/fstab, swap units", Name: templates.ScriptSwapOff, Args: units, Touched: touched})
	}
	p.add(step)
}

func (p *planner) toleratesSwap() bool {
	fail, ok := p.Cluster.Kubernetes.Config["KubeletConfiguration"]["failSwapOn"].(bool)
	return ok && !fail
}

// swapUnits are the swap units to be masked: those of files and those that generators make at boot for zram devices and for
// partitions that say of themselves that they are swap (systemd-gpt-auto-generator). What is made for lines of fstab goes with
// these.
func swapUnits(step *Step, seen facts.Host) []string {
	noneAtBoot := strings.HasPrefix(seen.Units[swapTarget].Enabled, "masked")
	var units []string
	target := false
	for _, unit := range seen.SwapUnits {
		changes := otherAtBoot(unit, seen.Units[unit.Name].Path)
		switch {
		case unit.State == "masked" || unit.State == "transient" || slices.Contains(units, unit.Name):
			continue
		case noneAtBoot && (changes || unit.State == "generated"):
			continue
		case unit.State == "disabled" && ofAdministrator(seen.Units[unit.Name].Path):
			continue // it was disabled by us, as it cannot be masked
		}
		step.because("unit %s is %s", unit.Name, unit.State)
		units = append(units, unit.Name)
		target = target || changes
	}
	if target {
		units = append(units, swapTarget)
	}
	return units
}

// otherAtBoot says that masking or disabling a unit does not keep it from coming back: its name has the number of the disk in
// the order in which the kernel has found them, or something else than its own [Install] starts it, and its file is in the way
// of a mask.
func otherAtBoot(unit facts.SwapUnit, path string) bool {
	return strings.Contains(unit.Name, `by\x2ddiskseq`) || unit.State == "static" && ofAdministrator(path)
}

// ofAdministrator says that a unit's file is where masks are.
func ofAdministrator(path string) bool { return strings.HasPrefix(path, "/etc/systemd/system/") }

// servicesOfSwap are the services to be disabled.
func servicesOfSwap(step *Step, seen facts.Host) []string {
	var services []string
	for _, name := range swapServices() {
		unit := seen.Units[name]
		switch {
		case strings.HasPrefix(unit.Enabled, "enabled") || unit.Enabled == "generated":
			step.because("service %s turns swap on at boot", name)
		case unit.Active == "active":
			step.because("service %s is active", name)
		default:
			continue
		}
		services = append(services, name)
	}
	return services
}

// checkSwap finds swap that is on without anything that turns it on: what does so may do it again at boot.
func checkSwap(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	var none Step
	if len(f.Swaps) == 0 || p.toleratesSwap() || len(f.FstabSwaps) > 0 || f.ZramGenerator || len(swapUnits(&none, f)) > 0 || len(servicesOfSwap(&none, f)) > 0 || f.Contained() {
		return "", ""
	}
	return fmt.Sprintf("swap is on (%s) and it is not known what turned it on: if that is done again at boot, the kubelet will not start", f.Swaps[0].Device),
		"find what does it (rc.local, @reboot of cron, cloud-init, ResourceDisk.EnableSwap in waagent.conf), take it out, and swapoff -a; " +
			"or set kubernetes.config.KubeletConfiguration.failSwapOn: false"
}
