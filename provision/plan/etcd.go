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

func asksOfEtcd(desired.State) facts.Query {
	return facts.Query{Texts: []string{templates.RecoveryMark}, Folders: []string{etcdFolder}} // of all manifests the settings ask
}

// etcdFindings are what there is to say of etcd's members.
func (p *planner) etcdFindings() {
	etcd := p.facts.API.Etcd
	if !etcd.Known() || etcd.NoQuorum {
		p.quorumFinding()
		return
	}
	for _, m := range etcd.Members {
		host, known := p.hostOfMember(m)
		for _, found := range memberFindings(m, host.Name, known) {
			found.Host = host.Name
			if !p.ignored(found.Name) {
				p.plan.Findings = append(p.plan.Findings, found)
			}
		}
	}
}

// memberFindings are those about one member where there is a quorum.
func memberFindings(m facts.EtcdMember, host string, known bool) []Finding {
	goOn := "fairlead up goes on with the join; if the host is gone for good: fairlead remove " + host
	var all []Finding
	switch {
	case !known:
		all = []Finding{{
			Name: "UnknownMember", Warning: true, Message: "etcd has a member " + memberName(m) + " that is on no control-plane host of the inventory",
			Fix: "add its host to the inventory; or, if it is gone for good: etcdctl member remove " + m.ID + ", in the pod etcd-… of a control plane that lives",
		}}
	case !m.Started:
		all = []Finding{{Name: "UnstartedMember", Warning: true, Message: "the etcd member of the host has never started", Fix: goOn}}
	case m.Learner:
		all = []Finding{{Name: "Learner", Warning: true, Message: "the etcd member of the host has no vote: its join has not come to its end", Fix: goOn}}
	case !m.Healthy:
		all = []Finding{{
			Name: "EtcdHealth", Warning: true, Message: "the etcd member of the host " + ailment(m) + "; the others have a quorum",
			Fix: "start the host, or look at the log of its etcd in /var/log/pods; if the host is gone for good: fairlead remove " + host,
		}}
	}
	for _, alarm := range m.Alarms {
		all = append(all, alarmFinding(m, alarm))
	}
	return all
}

func ailment(m facts.EtcdMember) string {
	if m.Listens {
		return "answers and does not serve"
	}
	return "does not answer"
}

func alarmFinding(m facts.EtcdMember, alarm string) Finding {
	if alarm == "NOSPACE" {
		return Finding{
			Name: "EtcdSpace", Message: "the database of the etcd member " + memberName(m) + " is full: etcd takes no writes",
			Fix: "fairlead etcd defragment frees what is not used and takes the alarm back; if it comes again, delete objects or raise quota-backend-bytes",
		}
	}
	return Finding{
		Name: "EtcdAlarm", Message: "the etcd member " + memberName(m) + " has the alarm " + alarm,
		Fix: "its data differs from that of the others: take the member out and let the host join anew",
	}
}

// quorumFinding says that so many members are gone that etcd can agree on nothing more. Members that may come back are waited for.
func (p *planner) quorumFinding() {
	lost := p.lostMembers()
	if len(lost) == 0 || p.ignored("QuorumLost") {
		return
	}
	etcd := p.facts.API.Etcd
	voters := len(etcd.Voters())
	p.plan.Findings = append(p.plan.Findings, Finding{
		Host: etcd.Via, Name: "QuorumLost",
		Message: fmt.Sprintf("etcd has lost its quorum: of its %d members %s gone, and %d are needed: nothing in the cluster can be changed; pods that run go on, and what etcd holds can still be read and saved on %s",
			voters, areWords(memberNames(lost)), etcd.Quorum(), etcd.Via),
		Fix: "start these hosts again, and the cluster goes on; only if they are gone for good: fairlead etcd recover --from " + etcd.Via,
	})
}

// lostMembers are the voters that are gone, if so many are that there is no quorum without them. A host that can be reached and has its
// data may start its etcd yet.
func (p *planner) lostMembers() []facts.EtcdMember {
	etcd := p.facts.API.Etcd
	if !etcd.Known() || !etcd.NoQuorum {
		return nil
	}
	var lost []facts.EtcdMember
	for _, m := range etcd.Voters() {
		if !m.Listens && !p.mayStart(m) {
			lost = append(lost, m)
		}
	}
	if len(etcd.Voters())-len(lost) >= etcd.Quorum() {
		return nil
	}
	return lost
}

// mayStart says that the host of a member can be reached, and has what its etcd starts with.
func (p *planner) mayStart(m facts.EtcdMember) bool {
	host, known := p.hostOfMember(m)
	seen, reached := p.reached(host.Name)
	return known && reached && holdsEtcd(seen)
}

// holdsEtcd says that a host has data of etcd, or is told to run it.
func holdsEtcd(seen facts.Host) bool {
	return seen.NotEmpty[etcdFolder] || slices.Contains(seen.Manifests, etcdManifest)
}

// hostOfMember is the control-plane host of the inventory that a member is on, by its address and else by its name.
func (p *planner) hostOfMember(m facts.EtcdMember) (inventory.Host, bool) {
	hosts := p.Cluster.ControlPlane.Hosts
	i := slices.IndexFunc(hosts, func(h inventory.Host) bool { return slices.Contains(m.PeerURLs, templates.EtcdPeerURL(h.Address)) })
	if i < 0 {
		i = slices.IndexFunc(hosts, func(h inventory.Host) bool { return m.Name != "" && m.Name == h.NodeName() })
	}
	if i < 0 {
		return inventory.Host{}, false
	}
	return hosts[i], true
}

// memberName is how people know a member.
func memberName(m facts.EtcdMember) string {
	if m.Name != "" {
		return m.Name
	}
	return strings.Join(m.PeerURLs, ", ")
}

func memberNames(members []facts.EtcdMember) []string {
	var names []string
	for _, m := range members {
		names = append(names, memberName(m))
	}
	return names
}

// areWords is a list of what is somehow.
func areWords(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return inWords(names) + " are"
}

// inWords is a list as it is said.
func inWords(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
