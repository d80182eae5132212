package plan

import (
	"bytes"
	"fmt"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// prepare plans what a host needs before kubeadm may run on it.
func (p *planner) prepare(host inventory.Host) {
	facts, ok := p.reached(host.Name)
	if !ok {
		p.block(host.Name, "prepare the host", "the host "+p.facts.Away(host.Name))
		return
	}
	if facts.KubeadmRunning() {
		step := hostStep(host, StageAwait, "await-kubeadm", "wait for the kubeadm that is still running")
		step.because("unit %s is %s", templates.KubeadmService, facts.Units[templates.KubeadmService].Active)
		step.do(AwaitKubeadm{})
		p.add(step)
		p.plan.More = "kubeadm of an earlier run is still at work on " + host.Name
		return
	}
	for _, concern := range concerns() {
		if concern.plan != nil {
			concern.plan(p, host, facts)
		}
	}
}

func asksOfSwap(desired.State) facts.Query { return facts.Query{Units: []string{"*.swap"}} }

// swap plans to turn swap off, now and after a reboot, unless the kubelet tolerates it.
func (p *planner) swap(host inventory.Host, facts facts.Host) {
	if fail, ok := p.Cluster.Kubernetes.Config["KubeletConfiguration"]["failSwapOn"].(bool); ok && !fail {
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
	var units []string
	for _, unit := range facts.SwapUnits {
		if unit.State != "generated" && unit.State != "masked" && unit.State != "transient" {
			step.because("unit %s is %s", unit.Name, unit.State)
			units = append(units, unit.Name)
		}
	}
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

func asksOfKernel(desired.State) facts.Query {
	files := []string{templates.ModulesFile().Path, templates.SysctlFile(false).Path}
	query := facts.Query{Modules: templates.Modules(), Paths: files, Texts: files}
	for _, ipv6 := range []bool{false, true} {
		for _, sysctl := range templates.Sysctls(ipv6) {
			query.Sysctls = append(query.Sysctls, sysctl.Key)
		}
	}
	return query
}

// kernel plans modules and sysctls: the files for the next boot and the values now.
func (p *planner) kernel(host inventory.Host, facts facts.Host) {
	step := hostStep(host, StagePrepare, "kernel", "load kernel modules and set sysctls")
	ipv6 := p.Cluster.Kubernetes.PodSubnet.Addr().Is6()
	p.hostFile(&step, facts, templates.ModulesFile())
	var load []string
	for _, module := range templates.Modules() {
		if !facts.Modules[module] {
			step.because("module %s is not loaded", module)
			load = append(load, module)
		}
	}
	if len(load) > 0 {
		step.do(LoadModules(load))
	}
	p.hostFile(&step, facts, templates.SysctlFile(ipv6))
	var assignments []string
	for _, sysctl := range templates.Sysctls(ipv6) {
		if is := facts.Sysctls[sysctl.Key]; is != sysctl.Value {
			step.because("sysctl %s is %q, want %q", sysctl.Key, is, sysctl.Value)
			assignments = append(assignments, sysctl.Key+"="+sysctl.Value)
		}
	}
	if len(assignments) > 0 {
		step.do(SetSysctls(assignments))
	}
	p.add(step)
}

// hostFile plans one of our own files.
func (p *planner) hostFile(step *Step, facts facts.Host, file templates.HostFile) {
	is, exists := facts.Files[file.Path]
	differs := is.SHA256 != p.common.sum(file)
	switch {
	case !exists:
		step.because("%s is missing", file.Path)
	case differs && (file.Secret || facts.Withholds(file.Path)):
		step.because("%s differs", file.Path)
	case differs:
		step.because("%s differs%s", file.Path, firstDifference(facts.Contents[file.Path], file.Content))
	case is.Mode != file.Mode || is.UID != 0 || is.GID != 0:
		step.because("%s has mode %o and owner %d:%d, want %o and 0:0", file.Path, is.Mode, is.UID, is.GID, file.Mode)
	default:
		return
	}
	step.do(PutFile{Path: file.Path, Mode: file.Mode, Content: file.Content, Before: facts.Contents[file.Path], Secret: file.Secret})
}

// firstDifference names the first line in which two texts differ.
func firstDifference(is, want []byte) string {
	a, b := bytes.Split(is, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range max(len(a), len(b)) {
		line := func(lines [][]byte) string {
			if i >= len(lines) {
				return "no such line"
			}
			return fmt.Sprintf("%q", strings.TrimSpace(string(lines[i])))
		}
		if line(a) != line(b) {
			return fmt.Sprintf(" from line %d: is %s, want %s", i+1, line(a), line(b))
		}
	}
	return ""
}
