package facts

import "slices"

// Etcd is what the cluster's etcd said of its members, through a control plane with one of them. The zero value says that nobody was
// asked: no control plane that was reached has a member.
type Etcd struct {
	// Problem is why no member answered; the other fields are valid without one.
	Problem *Problem `json:"problem,omitzero"`
	// Via is the control-plane host whose member was asked.
	Via string `json:"via,omitzero"`
	// NoQuorum says that the member tells what it has itself, and that what needs the others has failed.
	NoQuorum bool         `json:"noQuorum,omitzero"`
	Members  []EtcdMember `json:"members,omitzero"`
}

// EtcdMember is one of etcd's members.
type EtcdMember struct {
	ID         string   `json:"id"` // in hexadecimal, as etcdctl has it
	Name       string   `json:"name,omitzero"`
	PeerURLs   []string `json:"peerURLs,omitzero"`
	ClientURLs []string `json:"clientURLs,omitzero"`
	Learner    bool     `json:"learner,omitzero"` // without a vote
	Started    bool     `json:"started,omitzero"` // it has told the others its name
	Listens    bool     `json:"listens,omitzero"` // something answers at one of its addresses
	Healthy    bool     `json:"healthy,omitzero"` // it serves, by its own word
	Leader     bool     `json:"leader,omitzero"`
	Version    string   `json:"version,omitzero"`
	Revision   int64    `json:"revision,omitzero"` // the last that it knows; only where there is no quorum, as it changes all the time
	Alarms     []string `json:"alarms,omitzero"`   // NOSPACE, CORRUPT
}

// Known says that the members are known.
func (e Etcd) Known() bool { return e.Problem == nil && len(e.Members) > 0 }

// Voters are the members with a vote.
func (e Etcd) Voters() []EtcdMember {
	return slices.DeleteFunc(slices.Clone(e.Members), func(m EtcdMember) bool { return m.Learner })
}

// Quorum is how many members have to agree.
func (e Etcd) Quorum() int { return len(e.Voters())/2 + 1 }
