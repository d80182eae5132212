package plan

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/templates"
)

// asksOfPackagesBeside asks every host for the packages of all: which of them are its own, the plan knows.
func asksOfPackagesBeside(state desired.State) facts.Query {
	query := facts.Query{Paths: []string{templates.PackagesRecord}, Texts: []string{templates.PackagesRecord}}
	for _, host := range state.Cluster.Hosts() {
		names := state.Cluster.PackagesOf(host)
		query.Packages, query.Candidates = append(query.Packages, names...), append(query.Candidates, names...)
	}
	return facts.Ask(query)
}

// packagesBeside plans the packages that the inventory wants beside those that make the host a node: what is missing comes,
// and what an earlier inventory wanted goes, if it came by that. What was there before is no business of fairlead's.
func (p *planner) packagesBeside(host inventory.Host, seen facts.Host) {
	family, known := seen.Family()
	if !known {
		return // preflight reports it
	}
	wanted := p.Cluster.PackagesOf(host)
	missing, withdrawn := missingPackages(wanted, seen), withdrawnPackages(wanted, seen)
	step := hostStep(host, StagePrepare, stepPackages, packagesTitle(missing, withdrawn))
	step.Needs = []string{StepID(host.Name, stepProxy), StepID(host.Name, stepRepos)}
	step.Lock = packagesLock(host.Name)
	if p.has(StepID(host.Name, stepBalancer)) { // it is taken away, and goes before its programs
		step.Needs = append(step.Needs, StepID(host.Name, stepBalancer))
	}
	if len(withdrawn) > 0 {
		for _, name := range withdrawn {
			step.because("package %s is no longer wanted", name)
		}
		step.do(WithdrawPackages(family.Manager, withdrawn, slices.Concat(wanted, inventory.OwnPackages())))
	}
	if len(missing) > 0 {
		for _, name := range missing {
			step.because("package %s is missing", name)
		}
		add := AddPackages(family.Manager, missing)
		add.Touched = append(add.Touched, balancerTouches(p.balancerPackages(host, missing))...)
		step.do(add)
	}
	p.add(step)
}

func packagesTitle(missing, withdrawn []string) string {
	var parts []string
	if len(withdrawn) > 0 {
		parts = append(parts, "remove packages "+strings.Join(withdrawn, ", "))
	}
	if len(missing) > 0 {
		parts = append(parts, "install packages "+strings.Join(missing, ", "))
	}
	return strings.Join(parts, ", ")
}

func missingPackages(wanted []string, seen facts.Host) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { _, installed := seen.Packages[name]; return installed })
}

// withdrawnPackages are those that fairlead was going to install for an earlier inventory, by the host's own record.
func withdrawnPackages(wanted []string, seen facts.Host) []string {
	wanted = slices.Concat(wanted, inventory.OwnPackages()) // what others bring along may be among these
	var withdrawn []string
	for line := range strings.Lines(string(seen.Contents[templates.PackagesRecord])) {
		name, found := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "wanted ")
		if found && !slices.Contains(wanted, name) {
			withdrawn = append(withdrawn, facts.Printable(name))
		}
	}
	return withdrawn
}

// checkPackageNames finds names that the host's repositories do not have, where the host can tell without asking them.
func checkPackageNames(p *planner, host inventory.Host, f facts.Host) (string, string) {
	unknown := slices.DeleteFunc(missingPackages(p.Cluster.PackagesOf(host), f), func(name string) bool {
		version, asked := f.Candidates[name]
		return !asked || version != ""
	})
	if len(unknown) == 0 {
		return "", ""
	}
	family, _ := f.Family()
	if lacking := p.balancerPackages(host, unknown); len(lacking) == len(unknown) {
		return fmt.Sprintf("the host's repositories have no package of the name %s, by which a control plane carries controlPlane.loadBalancer: a bundle does not hold it", strings.Join(unknown, ", ")),
			"give the host a repository of " + family.Name + "'s that has it, or run apt-get update on the host, if its indexes are old; or put a load balancer of your own in front, and its name into controlPlane.endpoint"
	}
	return fmt.Sprintf("the host's repositories have no package of the name %s", strings.Join(unknown, ", ")),
		fmt.Sprintf("write the name that %s has for it: a host may have packages of its own; or run apt-get update on the host, if its indexes are old", family.Name)
}

// balancerPackages are those among some packages that the host gets for its balancer.
func (p *planner) balancerPackages(host inventory.Host, names []string) []string {
	if p.balancerOf(host) == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(inventory.BalancerPackages(), name) })
}
