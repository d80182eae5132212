package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// Limits of preflight. CPUs and memory are kubeadm's (cmd/kubeadm/app/constants:
// ControlPlaneNumCPU, ControlPlaneMem); kubeadm backdates certificates by five minutes,
// so that a clock which is a minute off still leaves room.
const (
	minCPUs           = 2
	minMemoryKiB      = 1700 << 10
	minSystemd        = 240 // StandardOutput=append: of transient units
	maxClockOffset    = time.Minute
	lowDiskPercent    = 10        // below this the kubelet soon deletes images (imageGCHighThresholdPercent 85) and evicts pods (nodefs.available<10%)
	unpackedPerStored = 4         // bytes on disk for a byte of compressed bundle, rounded up
	packagesSize      = 600 << 20 // of Kubernetes and a runtime, installed and on their way
)

func asksOfPreflight(desired.State) facts.Query {
	return facts.Query{
		Tools:   []string{"tar", "gzip", "sha256sum", "mount", "losetup", "iptables", "ip", "modprobe", "systemd-run", "flock", "awk", "find"},
		Disks:   []string{"/usr/local/bin", "/var/lib/containerd", "/var/lib/etcd", "/var/lib/kubelet"},
		Folders: []string{"/var/lib/etcd"},
	}
}

// check is one preflight check of one host. An empty message means that all is well.
type check struct {
	name    string
	warning bool
	run     func(p *planner, host inventory.Host, facts facts.Host) (message, mending string)
}

// preflight runs all checks on all hosts that were reached.
func (p *planner) preflight() {
	p.bundleFindings()
	p.imageFindings()
	p.hostPortFindings()
	p.etcdFindings()
	p.balancerFindings()
	for _, host := range p.Cluster.Hosts() {
		p.plan.Findings = append(p.plan.Findings, unreadFindings(host.Name, p.facts.Hosts[host.Name].Unread, p.ignored(unreadName))...)
		facts, ok := p.reached(host.Name)
		if !ok {
			continue
		}
		for _, c := range slices.Concat(hostChecks(), freshChecks(facts, host)) {
			if p.ignored(c.name) {
				continue
			}
			if message, mending := c.run(p, host, facts); message != "" {
				p.plan.Findings = append(p.plan.Findings,
					Finding{Host: host.Name, Name: c.name, Message: message, Fix: mending, Warning: c.warning})
			}
		}
	}
	p.duplicates()
}

// ignored says that the inventory's ignorePreflight names the check.
func (p *planner) ignored(name string) bool {
	return slices.ContainsFunc(p.Cluster.IgnorePreflight, func(ignored string) bool { return strings.EqualFold(ignored, name) })
}

// bundleFindings are about the bundle alone.
func (p *planner) bundleFindings() {
	add := func(format string, args ...any) {
		p.plan.Findings = append(p.plan.Findings, Finding{
			Name: "Bundle", Message: fmt.Sprintf(format, args...), Fix: "give the bundle of that version in kubernetes.bundle",
		})
	}
	if has, want := p.Bundle.KubernetesVersion, p.Cluster.Kubernetes.Version; p.HasBundle() && has != want {
		add("the bundle holds Kubernetes %s and the inventory wants %s", has, want)
	}
	for _, name := range p.NeededComponents() {
		if _, err := p.Bundle.Component(name); err != nil {
			add("%v", err)
		}
	}
	for _, name := range p.NeededImages() {
		switch {
		case p.HasBundle() && desired.ImageNamed(p.Bundle, name) == "":
			add("the bundle holds no image %s", name)
		case !p.HasBundle() && name == desired.ImageApprover:
			add("the image of fairlead's approver of kubelet certificates, which addons.metricsServer needs, comes with a bundle: name one, or set insecureTLS: true")
		}
	}
	if is := p.facts.API.ServerVersion; p.found.Answers && is != p.Cluster.Kubernetes.Version {
		p.plan.Findings = append(p.plan.Findings, Finding{
			Name: "Version", Message: fmt.Sprintf("the cluster runs Kubernetes %s and the inventory wants %s", is, p.Cluster.Kubernetes.Version),
			Fix: "put the cluster's version into kubernetes.version: up does not upgrade",
		})
	}
}

// duplicates finds machines that were cloned without giving them an identity.
func (p *planner) duplicates() {
	identities := []struct {
		name    string
		warning bool
		of      func(facts.Host) string
		mending string
	}{
		{"Hostname", true, func(f facts.Host) string { return f.Hostname }, "hostnamectl set-hostname"},
		{"MachineID", false, func(f facts.Host) string { return f.MachineID }, "rm /etc/machine-id && systemd-machine-id-setup, then reboot"},
		{"ProductUUID", true, uuidOfMachine, "give each virtual machine its own UUID"},
	}
	for _, identity := range identities {
		if p.ignored(identity.name) {
			continue
		}
		first := map[string]string{}
		for _, host := range p.Cluster.Hosts() {
			facts, ok := p.reached(host.Name)
			value := identity.of(facts)
			if !ok || value == "" {
				continue
			}
			if other, taken := first[value]; taken {
				p.plan.Findings = append(p.plan.Findings, Finding{
					Host: host.Name, Name: identity.name, Warning: identity.warning,
					Message: fmt.Sprintf("%s %s is also that of %s", identity.name, value, other), Fix: identity.mending,
				})
				continue
			}
			first[value] = host.Name
		}
	}
}

// uuidOfMachine is empty in containers, which show the UUID of the machine below them.
func uuidOfMachine(f facts.Host) string {
	if f.Contained() {
		return ""
	}
	return f.ProductUUID
}

// freshChecks are for hosts on which no cluster runs yet: later the ports are its own.
func freshChecks(seen facts.Host, host inventory.Host) []check {
	if seen.KubeletStarted() || len(seen.Manifests) > 0 || seen.KubeadmRunning() {
		return nil
	}
	ports := map[int]string{10250: "the kubelet", 10248: "the kubelet", 10249: "kube-proxy", 10256: "kube-proxy"}
	if host.Role == inventory.RoleControlPlane {
		for port, user := range map[int]string{6443: "the API server", 2379: "etcd", 2380: "etcd", 2381: "etcd", 10257: "the controller manager", 10259: "the scheduler"} {
			ports[port] = user
		}
	}
	checks := []check{{name: "DirAvailable--var-lib-etcd", run: checkEtcdData}, {name: "FormerInterfaces", run: checkFormerLinks},
		{name: "HostsFile", warning: true, run: checkOwnName}}
	for _, port := range slices.Sorted(maps.Keys(ports)) {
		checks = append(checks, check{name: fmt.Sprintf("Port-%d", port), run: func(_ *planner, _ inventory.Host, facts facts.Host) (string, string) {
			return checkPort(port, ports[port], facts)
		}})
	}
	return checks
}

func checkEtcdData(_ *planner, host inventory.Host, seen facts.Host) (message, mending string) {
	if host.Role != inventory.RoleControlPlane || !seen.NotEmpty[etcdFolder] {
		return "", ""
	}
	mending = "it may be the data of a cluster, so it stays: move it away, as in mv /var/lib/etcd /var/lib/etcd.before"
	if slices.Contains(seen.Ledger, ledger.Entry{Kind: ledger.Tree, Key: etcdFolder, Was: "absent"}) { // else it would stay as it was
		mending += "; or fairlead reset " + host.Name
	}
	return etcdFolder + " is not empty", mending
}

func checkPort(port int, user string, seen facts.Host) (message, mending string) {
	process, used := seen.Ports[port]
	switch {
	case !used || process == "kubelet" && (port != 10250 || ofKubeadm(seen)):
		return "", ""
	case process == "kubelet":
		return fmt.Sprintf("port %d is in use by a kubelet that kubeadm has not configured: the host belongs to a cluster of another kind, or to none", port),
			"take that cluster's software off the host (k0s, k3s, RKE2 and MicroK8s have commands for it), or stop that kubelet"
	}
	return fmt.Sprintf("port %d, which %s needs, is in use by %q", port, user, process), "stop that program"
}

// ofKubeadm says that the kubelet that runs is one that kubeadm has started, in a join that has not come to its end.
func ofKubeadm(seen facts.Host) bool {
	active := seen.Units[templates.KubeletService].Active
	return seen.KubeletConfig && (active == "active" || active == "activating")
}
