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

const quorumCheck = "QuorumLost"

func asksOfEtcd(desired.State) facts.Query {
	return facts.Query{Texts: []string{templates.RecoveryMark, templates.ManifestPath(templates.ComponentEtcd)}, Folders: []string{etcdFolder}}
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
func memberFindings(m facts.EtcdMember, host string, known bool) (all []Finding) {
	warn := func(name, fix, format string, args ...any) {
		all = append(all, Finding{Name: name, Warning: true, Message: fmt.Sprintf(format, args...), Fix: fix})
	}
	byHand := "if it is gone for good: etcdctl member remove " + m.ID + ", in the pod etcd-… of a control plane that lives"
	if known {
		byHand = "fairlead up goes on with the join; if the host is gone for good: fairlead remove " + host
	}
	switch {
	case !known:
		warn("UnknownMember", "add its host to the inventory; or, "+byHand, "etcd has a member %s that is on no control-plane host of the inventory", memberName(m))
	case !m.Started:
		warn("UnstartedMember", byHand, "the etcd member of the host has never started")
	case m.Learner:
		warn("Learner", byHand, "the etcd member of the host has no vote: its join has not come to its end")
	case !m.Healthy && m.Listens:
		warn("EtcdHealth", "look at its log: crictl logs, or the files in /var/log/pods of its etcd", "the etcd member of the host answers and does not serve")
	case !m.Healthy:
		warn("EtcdHealth", "start the host, or its etcd; if the host is gone for good: fairlead remove "+host, "the etcd member of the host does not answer; the others have a quorum")
	}
	for _, alarm := range m.Alarms {
		all = append(all, alarmFinding(m, alarm))
	}
	return all
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
	if len(lost) == 0 || p.ignored(quorumCheck) {
		return
	}
	etcd := p.facts.API.Etcd
	voters := len(etcd.Voters())
	p.plan.Findings = append(p.plan.Findings, Finding{
		Host: etcd.Via, Name: quorumCheck,
		Message: fmt.Sprintf("etcd has lost its quorum: of its %d members %s are gone, and %d are needed: nothing in the cluster can be changed; pods that run go on, and what etcd holds can still be read and saved on %s",
			voters, inWords(memberNames(lost)), etcd.Quorum(), etcd.Via),
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

// inWords is a list as it is said.
func inWords(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
