package plan

import (
	"bytes"
	"fmt"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
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
	ipv6 := p.Cluster.Kubernetes.PodSubnet.IPv6()
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
