package plan

import (
	"fmt"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

func asksOfKubernetes(state desired.State) facts.Query {
	query := facts.Query{
		Paths: append(bundled(state, bundle.Kubernetes, bundle.CNIPlugins),
			templates.FlannelPlugin, templates.ContainerDropIn(templates.KubeletService).Path),
		Units:    []string{templates.KubeletService},
		Programs: []string{templates.PackageKubeadm, templates.PackageKubelet},
		Packages: append(desired.KubernetesPackages(), templates.PackageCRITools),
	}
	for _, file := range templates.KubeletUnit() {
		query.Paths, query.Texts = append(query.Paths, file.Path), append(query.Texts, file.Path)
	}
	return query
}

// kubernetes plans kubelet, kubeadm, kubectl and the CNI plugins. The kubelet runs only
// on hosts that kubeadm has given a configuration.
func (p *planner) kubernetes(host inventory.Host, facts facts.Host) {
	from, conflict := p.kubernetesSource(facts)
	if conflict != "" {
		return
	}
	step := hostStep(host, StageInstall, "kubernetes", "install kubelet, kubeadm and kubectl "+p.Cluster.Kubernetes.Version)
	step.Needs = []string{StepID(host.Name, stepProxy)}
	change := service{unit: templates.KubeletService, facts: facts.Units[templates.KubeletService], running: facts.KubeletStarted(), touched: p.kubeletTouches(host)}
	switch from {
	case fromBundle:
		change.install = p.installLayers(&step, facts, bundle.Kubernetes, bundle.CNIPlugins)
		change.files = templates.KubeletUnit()
	case fromPackages:
		change.install = p.installPackages(&step, facts, p.lackingKubernetes(facts))
	case adopted:
		step.Title = "configure the kubelet"
		if _, exists := facts.Files[templates.FlannelPlugin]; !exists && p.Cluster.Kubernetes.Source == inventory.SourceBundle {
			change.install = p.installLayers(&step, facts, bundle.CNIPlugins)
		}
	}
	wanted, removed := p.dropIns(templates.KubeletService, facts, false)
	change.files, change.removed = append(change.files, wanted...), removed
	p.service(&step, facts, change)
	if from == fromPackages {
		p.hold(&step, facts)
	}
	p.add(step)
}

// kubeletTouches are what the kubelet, kube-proxy, the pod network and etcd make on a host.
func (p *planner) kubeletTouches(host inventory.Host) []ledger.Touch {
	touched := append(ledger.Trees(kubeletTrees()), ledger.Touch{Kind: ledger.Net, Key: "all"})
	touched = append(touched, ledger.Files("/run/xtables.lock")...)
	touched = append(touched, ledger.Touch{Kind: ledger.Dir, Key: "/lib/modules"}) // kube-proxy mounts it
	touched = append(touched, kubeletSysctls()...)
	if host.Role == inventory.RoleControlPlane {
		touched = append(touched, ledger.Trees(etcdTrees())...)
	}
	return touched
}

// lackingKubernetes are the packages that are missing or that are not of the wanted version.
func (p *planner) lackingKubernetes(facts facts.Host) []packageNeed {
	want := p.Cluster.Kubernetes.Version
	var needs []packageNeed
	for _, name := range desired.KubernetesPackages() {
		need := packageNeed{name: name, version: want}
		is, installed := facts.Packages[name]
		program, known := facts.Versions[name]
		switch {
		case !installed:
			need.reason = "package " + name + " is missing"
		case is.Version != want:
			need.reason = fmt.Sprintf("package %s is %s, want %s", name, is.Version, want)
		case name == templates.PackageKubectl:
			continue // it is not asked for its version
		case !known:
			need.reason, need.again = "package "+name+" is there without its program", true
		case program.Version != want:
			need.reason, need.again = fmt.Sprintf("%s is not that of its package: it says %s", program.Path, orNothing(program.Version)), true
		default:
			continue
		}
		needs = append(needs, need)
	}
	if _, installed := facts.Packages[templates.PackageCRITools]; !installed {
		needs = append(needs, packageNeed{name: templates.PackageCRITools, reason: "package " + templates.PackageCRITools + " is missing"})
	}
	return needs
}

func orNothing(version string) string {
	if version == "" {
		return "nothing"
	}
	return version
}

// hold plans that Kubernetes stays at its version when the host's packages are upgraded.
func (p *planner) hold(step *Step, facts facts.Host) {
	family, known := facts.Family()
	if !known { // preflight reports it
		return
	}
	installing := len(p.lackingKubernetes(facts)) > 0
	free := false
	for _, name := range desired.KubernetesPackages() {
		if is, installed := facts.Packages[name]; installed && !is.Held {
			step.because("package %s is not held at its version", name)
			free = true
		}
	}
	if installing || free {
		step.Lock = packagesLock(step.Host)
		step.do(HoldPackages(family.Manager, desired.KubernetesPackages()))
	}
}
