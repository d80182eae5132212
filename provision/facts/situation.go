package facts

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/templates"
)

// Situation is how much of a cluster there is.
type Situation string

const (
	// None says that every control-plane host was looked at, and none of them holds a control plane.
	None Situation = "none"
	// Unknown says that no control plane was seen, and a control-plane host that was not reached, or not understood, may hold one.
	Unknown Situation = "unknown"
	// Half says that kubeadm init was begun and did not come to its end.
	Half Situation = "half"
	// Silent says that there is a control plane, and its API server does not answer.
	Silent Situation = "silent"
	// Living says that the API server answers, and holds all that kubeadm init makes.
	Living Situation = "living"
)

// Cluster is what is to be made of all that was observed of a cluster.
type Cluster struct {
	Situation Situation
	// Host is the control-plane host that it is about: the one to begin on (None), that was not
	// reached (Unknown), to go on with (Half), to wait for (Silent; empty when none that holds a
	// control plane was reached), or whose API server has answered (Living).
	Host string
	// Reason says why, in words for people; empty for None and Living.
	Reason string
	// Answers says that the API server answers. It may when init has not come to its end.
	Answers bool
}

// Unfinished says that kubeadm init has to run, for the first time or again.
func (c Cluster) Unfinished() bool { return c.Situation == None || c.Situation == Half }

// Assess works out the situation of a cluster with these control-plane hosts, of which the first
// is the one to begin on. An error is never taken for the absence of a cluster: that is what only
// hosts that were reached, and understood, can prove.
func Assess(controlPlanes []string, seen Facts) Cluster {
	seen = seen.Understood()
	api := seen.API
	switch {
	case api.Err == nil && len(api.Missing) == 0:
		return Cluster{Situation: Living, Host: api.Via, Answers: true}
	case api.Err == nil:
		return Cluster{Situation: Half, Host: api.Via, Answers: true, Reason: "kubeadm init has not finished: " + strings.Join(api.Missing, ", ") + " missing"}
	case api.Err.Of(APINoCluster):
		return assessAbsence(controlPlanes, seen)
	case api.Err.Of(APIRefuses):
		return assessRefusal(controlPlanes, seen)
	}
	return assessSilence(controlPlanes, seen)
}

// assessSilence says what there is of a cluster whose API server does not answer.
func assessSilence(controlPlanes []string, seen Facts) Cluster {
	api := seen.API
	for _, name := range controlPlanes {
		host, ok := seen.Hosts[name]
		if !ok || host.Unreachable != nil || !HasControlPlane(host) {
			continue
		}
		if host.Units[templates.KubeadmService].Active == "failed" || !host.Kubeconfigs["admin.conf"] {
			return Cluster{Situation: Half, Host: name, Reason: fmt.Sprintf("kubeadm init has not finished and the API server does not answer: %v", api.Err)}
		}
		if lacks := host.lacksToServe(); lacks != "" && aloneHolds(name, controlPlanes, seen) {
			return Cluster{Situation: Half, Host: name, Reason: fmt.Sprintf("kubeadm init has not finished: the host has no %s", lacks)}
		}
		return Cluster{Situation: Silent, Host: name, Reason: api.Err.Error()}
	}
	return Cluster{Situation: Silent, Reason: "no control-plane host of the cluster can be reached"}
}

// aloneHolds says that no other control-plane host holds a control plane, or may hold one.
func aloneHolds(name string, controlPlanes []string, seen Facts) bool {
	return !slices.ContainsFunc(controlPlanes, func(other string) bool {
		return other != name && (seen.Away(other) != "" || HasControlPlane(seen.Hosts[other]))
	})
}

// assessRefusal says what an API server is that answers and refuses admin.conf: that of the only control plane there is has not
// been given its rights by kubeadm init yet. Where there are more, somebody took them away.
func assessRefusal(controlPlanes []string, seen Facts) Cluster {
	var holders []string
	for _, name := range controlPlanes {
		if away := seen.Away(name); away != "" {
			return Cluster{Situation: Silent, Reason: fmt.Sprintf("%v; control-plane host %s %s and may know better", seen.API.Err, name, away)}
		}
		if HasControlPlane(seen.Hosts[name]) {
			holders = append(holders, name)
		}
	}
	if len(holders) != 1 {
		return Cluster{Situation: Silent, Reason: fmt.Sprintf("%v; give the group kubeadm:cluster-admins its rights again, with super-admin.conf", seen.API.Err)}
	}
	return Cluster{Situation: Half, Host: holders[0], Reason: fmt.Sprintf("kubeadm init has not finished: %v", seen.API.Err)}
}

// assessAbsence says whether it is proven that there is no cluster.
func assessAbsence(controlPlanes []string, seen Facts) Cluster {
	for _, name := range controlPlanes {
		if away := seen.Away(name); away != "" {
			return Cluster{Situation: Unknown, Host: name, Reason: "control-plane host " + name + " " + away + " and may hold the cluster"}
		}
	}
	none := Cluster{Situation: None}
	if len(controlPlanes) > 0 {
		none.Host = controlPlanes[0]
	}
	return none
}
