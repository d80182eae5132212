package plan

import (
	"net/netip"
	"strings"

	"fairlead/templates"
)

// StopEtcd writes down which nodes are given up, takes etcd's manifest away and waits until etcd has ended.
func StopEtcd(lost []string) Script {
	return Script{Title: "stop etcd, whose members on " + strings.Join(lost, ", ") + " are given up", Name: templates.ScriptRecoverEtcd, Args: append([]string{"begin"}, lost...)}
}

// CopyEtcd keeps a copy of the data of an etcd that was stopped.
func CopyEtcd() Script {
	return Script{Title: "copy etcd's data to " + templates.RecoveryCopy, Name: templates.ScriptRecoverEtcd, Args: []string{"copy"}}
}

// BackFromRecovery puts etcd's manifest back after StopEtcd, and forgets that a recovery was begun.
func BackFromRecovery() Script {
	return Script{Title: "put etcd's manifest back", Name: templates.ScriptRecoverEtcd, Args: []string{"back"}}
}

// EndRecovery forgets a recovery that has come to its end.
func EndRecovery() Script {
	return Script{Title: "remove " + templates.RecoveryMark, Name: templates.ScriptRecoverEtcd, Args: []string{"end"}}
}

// ForceNewCluster starts an etcd that was stopped so that it forgets all other members. From here on there is no way back.
type ForceNewCluster struct{}

// Describe implements Action.
func (ForceNewCluster) Describe() string {
	return "write " + templates.ManifestPath(templates.ComponentEtcd) + " with --force-new-cluster"
}

// EndForce waits until etcd is a cluster of the host's member alone, takes the flag away that made it so, and waits until etcd runs
// without: with it the next start would forget whoever has joined.
type EndForce struct{ Address netip.Addr }

// Describe implements Action.
func (EndForce) Describe() string {
	return "wait until etcd has one member, then write its manifest without --force-new-cluster"
}

// AwaitMember waits until the host's etcd tells of its members, with a quorum or without.
type AwaitMember struct{ Address netip.Addr }

// Describe implements Action.
func (AwaitMember) Describe() string { return "wait until etcd answers" }

// Waits implements Waiter.
func (AwaitMember) Waits() {}
