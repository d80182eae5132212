package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/inventory"
	"fairlead/pki"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// Verdict is how a host stands to the inventory's cluster.
type Verdict string

const (
	// Vacant says that no cluster is on the host: it has no CA.
	Vacant Verdict = "vacant"
	// Ours says that it is proven to be of the inventory's cluster.
	Ours Verdict = "ours"
	// Unproven says that nothing speaks against that, and nothing proves it.
	Unproven Verdict = "unproven"
	// Foreign says that it is of another cluster, or that fairlead has not made it a member of any.
	Foreign Verdict = "foreign"
)

// Belonging is whose a host is, by what it has itself and what the others have.
type Belonging struct {
	Host    string
	Verdict Verdict
	Reason  string // why it is Unproven or Foreign
	Fix     string // what to do then
	// Cluster is the name in fairlead's record on the host, empty without one; Node is the name by which its kubelet is known.
	Cluster, Node string
	// CA is the beginning of its CA's hash, empty without one, and Since the time from which on that CA is valid.
	CA    string
	Since time.Time
}

// Whose says of all hosts that were reached, or of the named ones, whose they are.
func Whose(wish desired.State, facts facts.Facts, names []string) []Belonging {
	p := newPlanner(wish, facts)
	var all []Belonging
	for _, host := range p.Cluster.Hosts() {
		if _, ok := p.reached(host.Name); ok && (len(names) == 0 || slices.Contains(names, host.Name)) {
			all = append(all, p.belonging(host))
		}
	}
	return all
}

// belonging says whose a host is that was reached.
func (p *planner) belonging(host inventory.Host) Belonging {
	seen, _ := p.reached(host.Name)
	record, _ := recordOf(seen)
	b := Belonging{Host: host.Name, Cluster: record.Cluster, Node: seen.NodeName(), CA: shortHash(p.owners().hashes[host.Name])}
	if certificates, err := pki.ParseCertificates(seen.CA); err == nil {
		b.Since = certificates[0].NotBefore
	}
	b.Verdict, b.Reason = p.judge(host.Name, seen, record)
	switch b.Verdict {
	case Foreign:
		b.Fix = "correct the host's address; or, if the cluster that it is in is to lose it with all its data: " + p.undoing(host)
	case Unproven:
		b.Fix = fmt.Sprintf("run fairlead up, which writes down of which cluster the host is; or reset without --yes, and look at what it says of the host; or fairlead reset %s --foreign", host.Name)
	}
	return b
}

// judge is the table of situations. What fairlead has written down on the host comes first, then what other hosts have.
//
//nolint:cyclop // a table
func (p *planner) judge(name string, seen facts.Host, record ledger.Whose) (Verdict, string) {
	hash, has := p.owners().hashes[name], p.owners().carried
	switch recorded := record.Cluster == p.Cluster.Name; {
	case record.Cluster != "" && !recorded:
		return Foreign, fmt.Sprintf("fairlead has made it one of cluster %s", record.Cluster)
	case seen.CA == nil && !slices.ContainsFunc(seen.Unread, func(u facts.Unread) bool { return u.Of == templates.CACertificate }):
		return Vacant, ""
	case !recorded && len(seen.Ledger) == 0 && seen.LedgerDamage == "":
		return Foreign, "it is in a cluster, and fairlead has made nothing on it"
	case hash == "" && recorded: // a CA that was damaged, say by a power loss, does not keep a host of ours
		return Ours, ""
	case hash == "":
		return Unproven, "its CA cannot be read"
	case recorded && record.CA != "" && record.CA != hash:
		return Foreign, fmt.Sprintf("its CA is %s, and it had %s when fairlead made it one of cluster %s", shortHash(hash), shortHash(record.CA), p.Cluster.Name)
	case len(has) > 1:
		return Foreign, "hosts of the inventory have different CAs, and nobody can tell which one is its cluster's: " + p.listed(has)
	case len(has) == 1 && has[hash] == nil:
		return Foreign, fmt.Sprintf("its CA is %s, and that of cluster %s is %s", shortHash(hash), p.Cluster.Name, p.listed(has))
	case recorded, p.owners().holders[hash] > 1:
		return Ours, ""
	}
	return Unproven, "no other host of the inventory has its CA " + shortHash(hash) + ", and fairlead has not written down on it of which cluster it is" + p.unasked()
}

// owners are what all hosts together say of whose they are, worked out once.
type owners struct {
	hashes  map[string]string       // of hosts' CAs, by host
	records map[string]ledger.Whose // by host
	holders map[string]int          // hosts with a CA that may be the cluster's, by its hash
	carried map[string][]string     // the hosts by whose CA the cluster is known, by the hash of that
}

func (p *planner) owners() *owners {
	if p.ownership != nil {
		return p.ownership
	}
	o := &owners{hashes: map[string]string{}, records: map[string]ledger.Whose{}, holders: map[string]int{}}
	known := map[string]string{} // the hashes of CAs, nearly all of which are the same
	for _, host := range p.Cluster.Hosts() {
		seen, ok := p.reached(host.Name)
		if !ok || seen.CA == nil {
			continue
		}
		hash, ok := known[string(seen.CA)]
		if !ok {
			hash, _ = pki.CAHash(seen.CA) // one that cannot be read has none
			known[string(seen.CA)] = hash
		}
		o.hashes[host.Name] = hash
		o.records[host.Name], _ = recordOf(seen)
		if o.possible(p.Cluster, host) {
			o.holders[hash]++
		}
	}
	p.ownership = o
	o.carried = o.known(p.Cluster)
	return o
}

// possible says that fairlead has not written down that a host is of another cluster.
func (o *owners) possible(cluster *inventory.Cluster, host inventory.Host) bool {
	name := o.records[host.Name].Cluster
	return name == "" || name == cluster.Name
}

// known are the hosts by whose CA the cluster is known. Those on which fairlead has written down that they are of the cluster
// count more than others, and control planes more than workers.
func (o *owners) known(cluster *inventory.Cluster) map[string][]string {
	written := func(host inventory.Host) bool {
		return o.records[host.Name] == ledger.Whose{Cluster: cluster.Name, CA: o.hashes[host.Name]}
	}
	possible := func(host inventory.Host) bool { return o.possible(cluster, host) }
	leads := func(host inventory.Host) bool { return host.Role == inventory.RoleControlPlane }
	for _, counts := range []func(inventory.Host) bool{
		func(h inventory.Host) bool { return leads(h) && written(h) },
		written,
		func(h inventory.Host) bool { return leads(h) && possible(h) },
		possible,
	} {
		has := map[string][]string{}
		for _, host := range cluster.Hosts() {
			if hash := o.hashes[host.Name]; hash != "" && counts(host) {
				has[hash] = append(has[hash], host.Name)
			}
		}
		if len(has) > 0 {
			return has
		}
	}
	return nil
}

// unasked names the hosts that were not reached, and might have proven something.
func (p *planner) unasked() string {
	var names []string
	for _, host := range p.Cluster.Hosts() {
		if _, ok := p.reached(host.Name); !ok {
			names = append(names, host.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; not reached: " + strings.Join(names, ", ")
}

// listed are CAs with those who have them, in the inventory's order.
func (p *planner) listed(has map[string][]string) string {
	var all []string
	for _, host := range p.Cluster.Hosts() {
		hash := p.owners().hashes[host.Name]
		if len(has[hash]) > 0 && has[hash][0] == host.Name {
			all = append(all, fmt.Sprintf("%s (%s)", shortHash(hash), strings.Join(has[hash], ", ")))
		}
	}
	return strings.Join(all, ", ")
}

// undoing is how a host's cluster is taken off it.
func (p *planner) undoing(host inventory.Host) string {
	seen, _ := p.reached(host.Name)
	record, _ := recordOf(seen)
	switch verdict, _ := p.judge(host.Name, seen, record); {
	case len(seen.Ledger) == 0 && ofKind(seen):
		return "fairlead reset " + host.Name + " --foreign"
	case len(seen.Ledger) == 0:
		return "kubeadm reset --force as root on " + host.Name + ", where fairlead has made nothing and would undo nothing"
	case verdict == Ours:
		return "fairlead reset " + host.Name
	}
	return "fairlead reset " + host.Name + " --foreign"
}

// shortHash is as much of a CA's hash as tells clusters apart.
func shortHash(hash string) string {
	const shown = len("sha256:") + 12
	return hash[:min(len(hash), shown)]
}
