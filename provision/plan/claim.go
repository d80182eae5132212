package plan

import (
	"fmt"
	"slices"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// claimCheck is the name of the finding about a record of another cluster.
const claimCheck = "ClusterName"

// claim is what is done before and after kubeadm makes a host a member: at every moment the host says whose it is, so that a
// reset by the inventory of another cluster can be told from one by its own.
func (p *planner) claim() RecordCluster { return RecordCluster{Name: p.Cluster.Name} }

// claims plans the records of members that have none, or one that is out of date: they joined before there were records, were
// adopted, or the run that made them members was cut off. Where fairlead has changed nothing there is nothing to own up to.
func (p *planner) claims() {
	if p.plan.More != "" {
		return
	}
	changing, claimed := map[string][]string{}, map[string]bool{}
	for _, step := range p.plan.Steps {
		if slices.ContainsFunc(step.Actions, isClaim) {
			claimed[step.Host] = true // kubeadm makes it a member; one that only registers anew is one already
		}
		if len(step.Touches()) > 0 {
			changing[step.Host] = append(changing[step.Host], step.ID)
		}
	}
	for _, host := range p.Cluster.Hosts() {
		seen, ok := p.reached(host.Name)
		if !ok || !seen.Joined() || claimed[host.Name] || p.foreign(seen) || len(seen.Ledger)+len(changing[host.Name]) == 0 {
			continue
		}
		hash := p.owners().hashes[host.Name]
		is, _ := recordOf(seen)
		if slices.Contains([]ledger.Whose{is, {Cluster: p.Cluster.Name}}, ledger.Whose{Cluster: p.Cluster.Name, CA: hash}) {
			continue // it is up to date, or there is no CA to be written down
		}
		step := hostStep(host, StageJoin, "claim", "write down of which cluster the host is")
		step.because("its record is of %s", described(is))
		step.Needs = changing[host.Name] // the first of them begins the ledger, by which a reset finds the record
		step.do(p.claim())
		p.add(step)
	}
}

func isClaim(action Action) bool {
	_, is := action.(RecordCluster)
	return is
}

// described is a record in words.
func described(w ledger.Whose) string {
	switch {
	case w.Cluster == "":
		return "no cluster"
	case w.CA == "":
		return fmt.Sprintf("cluster %s, without a CA", w.Cluster)
	}
	return fmt.Sprintf("cluster %s, with the CA %s", w.Cluster, shortHash(w.CA))
}

// recordOf is fairlead's record on a host of whose it is.
func recordOf(seen facts.Host) (ledger.Whose, bool) {
	return ledger.ReadWhose(seen.Contents[templates.ClusterRecord])
}

// checkClaim finds hosts of which fairlead has written down that they are another cluster's: an address may be wrong, and up
// must not take them over in passing.
func checkClaim(p *planner, _ inventory.Host, f facts.Host) (string, string) {
	record, ok := recordOf(f)
	if !ok || record.Cluster == p.Cluster.Name || p.foreign(f) {
		return "", ""
	}
	return fmt.Sprintf("fairlead has made the host one of cluster %s, says %s, and the inventory is of cluster %s", record.Cluster, templates.ClusterRecord, p.Cluster.Name),
		"correct the host's address, or the inventory's name; if the cluster got another name, run up once with ignorePreflight: [" + claimCheck + "]"
}
