package plan

// Stage says what a step is for, on the way from a machine to a member of a cluster, and back.
// Steps of one stage need not wait for each other: what waits for what is in Step.Needs.
type Stage string

// The stages, in about the order in which a host goes through them.
const (
	// StageAwait waits for what was begun before this run: a kubeadm that is at work, an API
	// server that does not answer yet.
	StageAwait Stage = "await"
	// StageRecover brings an etcd back that has lost its quorum.
	StageRecover Stage = "recover"
	// StageSource makes known where packages come from.
	StageSource Stage = "source"
	// StageSupply runs and fills fairlead's own registry, from which other hosts pull.
	StageSupply Stage = "supply"
	// StageInstall brings programs and images: these are the large downloads. What stands beside
	// them and follows them on the same host, as Docker Engine does, is of StagePrepare.
	StageInstall Stage = "install"
	// StagePrepare is all else that a host needs before kubeadm may run on it.
	StagePrepare Stage = "prepare"
	// StageJoin makes members: kubeadm init and join, and the token that joins use.
	StageJoin Stage = "join"
	// StageBalance changes what carries the endpoint, on control planes.
	StageBalance Stage = "balance"
	// StageSettle changes the settings of a living cluster.
	StageSettle Stage = "settle"
	// StageRecord keeps in the cluster which settings it has, and which are to come.
	StageRecord Stage = "record"
	// StageApply writes what the inventory wants of the API's objects: labels, taints, add-ons.
	StageApply Stage = "apply"
	// StageReady waits until what was made works, and gives kubelets what that takes.
	StageReady Stage = "ready"
	// StageLeave takes a node out of a cluster that lives on.
	StageLeave Stage = "leave"
	// StageReset takes fairlead and the cluster off a host.
	StageReset Stage = "reset"
)

// prepares says that kubeadm may run on the host only after steps of this stage.
func (s Stage) prepares() bool { return s == StagePrepare || s == StageInstall }

// downloads says that steps of this stage bring much from elsewhere.
func (s Stage) downloads() bool { return s == StageInstall || s == StageSupply }
