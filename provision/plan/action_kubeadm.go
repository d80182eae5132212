package plan

import (
	"net/netip"
	"time"

	"fairlead/templates"
)

// TokenLife is how long a bootstrap token lives when fairlead cannot delete it: long
// enough for the slowest join, which kubeadm itself ends after five minutes.
const TokenLife = 30 * time.Minute

// KubeadmInit runs kubeadm init.
type KubeadmInit struct {
	Cluster templates.Cluster
	Node    templates.Node
}

// Describe implements Action.
func (KubeadmInit) Describe() string { return "kubeadm init" }

// Diff implements Differ: it shows the document that kubeadm gets.
func (a KubeadmInit) Diff() (path string, before, after []byte) {
	document, err := templates.Init(a.Cluster, a.Node)
	if err != nil {
		document = []byte(err.Error())
	}
	return templates.KubeadmConfigFile, nil, document
}

// KubeadmJoin runs kubeadm join with the token and the CA hash of this run.
type KubeadmJoin struct {
	Cluster      templates.Cluster
	Node         templates.Node
	ControlPlane bool
	// KubeletStarted says that an earlier join has come as far as a kubelet with credentials
	// of its own.
	KubeletStarted bool
}

// Describe implements Action.
func (a KubeadmJoin) Describe() string {
	if a.KubeletStarted {
		return "kubeadm join, CA pinned, without what concerns the kubelet"
	}
	return "kubeadm join, CA pinned"
}

// Diff implements Differ: it shows the document that kubeadm gets, without what is known
// only after init.
func (a KubeadmJoin) Diff() (path string, before, after []byte) {
	document, err := a.Document(templates.Join{Token: "(known after init)", CAHashes: []string{"sha256:(known after init)"}})
	if err != nil {
		document = []byte(err.Error())
	}
	return templates.KubeadmConfigFile, nil, document
}

// Document is the document that kubeadm gets, with what is known only when it runs.
func (a KubeadmJoin) Document(join templates.Join) ([]byte, error) {
	join.ControlPlane, join.KubeletStarted = a.ControlPlane, a.KubeletStarted
	join.APIServer = a.Cluster.Endpoint
	return templates.JoinConfig(a.Cluster, a.Node, join)
}

// AwaitKubeadm follows a kubeadm that an earlier run has started.
type AwaitKubeadm struct{}

// Describe implements Action.
func (AwaitKubeadm) Describe() string { return "follow " + templates.KubeadmService }

// Waits implements Waiter.
func (AwaitKubeadm) Waits() {}

// RemoveFormerMember takes the member of etcd out that a host has left which has lost its data: kubeadm join would take it for
// the host's own, and etcd would not start. It goes through a control plane that lives, and leaves alone what may be needed.
type RemoveFormerMember struct {
	Node    string
	Address netip.Addr
}

// PeerURL is where the other members reach the host's, as kubeadm has it.
func (a RemoveFormerMember) PeerURL() string {
	return templates.EtcdPeerURL(a.Address)
}

// Describe implements Action.
func (a RemoveFormerMember) Describe() string {
	return "remove the etcd member that a former " + a.Node + " has left at " + a.PeerURL() + ", if there is one"
}
