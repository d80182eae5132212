package inventory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxPackageName bounds the name of a package; the longest ones of distributions have half of that.
const maxPackageName = 128

// PackagesOf lists the packages that a host gets beside those that make it a node: those of all hosts, then its own, then those
// of the balancer that a control plane has.
func (c *Cluster) PackagesOf(h Host) []string {
	names := slices.Concat(c.Packages, h.Packages)
	if h.Role != RoleControlPlane || c.ControlPlane.LoadBalancer == nil {
		return names
	}
	for _, name := range BalancerPackages() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// OwnPackages are those that fairlead itself installs, or replaces by files of a bundle. kubernetes and runtime choose them.
func OwnPackages() []string {
	return []string{
		"kubelet", "kubeadm", "kubectl", "kubernetes-cni", "cri-tools",
		"containerd", "containerd.io", "docker", "docker.io", "docker-ce", "docker-ce-cli", "moby-engine",
	}
}

// packages reads a list of names of packages; nil without any.
func (d *decoder) packages(node *yaml.Node, path []string) []string {
	names := d.each(node, path, packageProblem)
	if len(names) == 0 {
		return nil
	}
	return names
}

// packageProblem says what is wrong with the name of a package. Names are those that dpkg and rpm both allow, or one of them
// (Debian Policy 5.6.7; Fedora Packaging Guidelines, "Naming"). They are arguments of package managers, to which more has a
// meaning: NAME=VERSION, NAME/SUITE, NAME:ARCHITECTURE, @GROUP, patterns, and NAME- for what is to be removed.
func packageProblem(s string) string {
	name := regexp.MustCompile(`^[A-Za-z0-9]([-+._A-Za-z0-9]*[A-Za-z0-9+])?$`)
	switch {
	case len(s) > maxPackageName:
		return fmt.Sprintf("%q is longer than the name of any package", clip(s))
	case slices.Contains(OwnPackages(), s):
		return s + " is among what fairlead itself installs, as kubernetes and runtime say; remove it"
	case name.MatchString(s):
		return ""
	}
	hint := ""
	if i := strings.IndexAny(s, "=/:<> "); i > 0 && name.MatchString(s[:i]) {
		hint = "; did you mean " + s[:i] + "?"
	}
	return fmt.Sprintf("%q is not the name of a package (letters, digits, +, -, . and _), without version, architecture or option%s", clip(s), hint)
}

// checkPackages reports packages that a host would get twice.
func (doc *document) checkPackages(places []place) {
	all := []string{"packages"}
	doc.checkDistinct(all, doc.cluster.Packages)
	for _, p := range places {
		here := at(p.path, "packages")
		doc.checkDistinct(here, p.Packages)
		for i, name := range p.Packages {
			if k := slices.Index(doc.cluster.Packages, name); k >= 0 && name != "" && !doc.faulty(index(here, i)) {
				doc.fault(index(here, i), "%s is in %s, for all hosts, already; remove it here", name, pathString(index(all, k)))
			}
		}
	}
}
