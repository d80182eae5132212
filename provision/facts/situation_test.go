package facts

import (
	"fmt"
	"testing"

	"fairlead/templates"
)

// TestAssess has a row for each situation, and for what tells one from the next.
func TestAssess(t *testing.T) {
	refused := &Problem{Kind: APINoAnswer, Text: "connection refused"}
	forbids := &Problem{Kind: APIRefuses, Text: "forbidden"}
	bare := Host{}
	whole := []string{"etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"}
	with := func(changes ...func(*Host)) Host {
		h := Host{Kubeconfigs: map[string]bool{"admin.conf": true}, Manifests: whole, KubeletConfig: true, Units: map[string]Unit{}}
		for _, change := range changes {
			change(&h)
		}
		return h
	}
	kubeadm := func(state string) func(*Host) {
		return func(h *Host) { h.Units[templates.KubeadmService] = Unit{Active: state} }
	}
	noAdmin := func(h *Host) { h.Kubeconfigs = nil }
	noManifests := func(h *Host) { h.Manifests = nil }
	noScheduler := func(h *Host) { h.Manifests = whole[:3] }
	noKubelet := func(h *Host) { h.KubeletConfig = false }
	away := Host{Unreachable: refused}
	awayWithRest := with(func(h *Host) { h.Unreachable = refused }, noAdmin)
	const (
		mayHold  = "control-plane host %s cannot be looked at and may hold the cluster"
		began    = "kubeadm init has not finished and the API server does not answer: connection refused"
		nobody   = "no control-plane host of the cluster can be reached"
		missing  = "kubeadm init has not finished: ClusterRole a, DaemonSet b missing"
		noAnswer = "connection refused"
		lacks    = "kubeadm init has not finished: the host has no "
	)
	for _, c := range []struct {
		name  string
		api   API
		hosts []Host // cp1, cp2, cp3
		want  Cluster
	}{
		{"nothing was done", API{Err: NoCluster()}, []Host{bare}, Cluster{Situation: None, Host: "cp1"}},
		{"nothing was done on three", API{Err: NoCluster()}, []Host{bare, bare, bare}, Cluster{Situation: None, Host: "cp1"}},
		{"nobody knows of a cluster, for a reason", API{Err: &Problem{Kind: APINoCluster, Text: "ask"}}, []Host{bare}, Cluster{Situation: None, Host: "cp1"}},

		{"the only one is away", API{Err: NoCluster()}, []Host{away}, Cluster{Situation: Unknown, Host: "cp1", Reason: fmt.Sprintf(mayHold, "cp1")}},
		{"the last one is away", API{Err: NoCluster()}, []Host{bare, bare, away}, Cluster{Situation: Unknown, Host: "cp3", Reason: fmt.Sprintf(mayHold, "cp3")}},
		{"two are away", API{Err: NoCluster()}, []Host{bare, away, away}, Cluster{Situation: Unknown, Host: "cp2", Reason: fmt.Sprintf(mayHold, "cp2")}},
		{"one was not looked at", API{Err: NoCluster()}, nil, Cluster{Situation: Unknown, Host: "cp1", Reason: fmt.Sprintf(mayHold, "cp1")}},

		{"init lacks its last objects", API{Via: "cp2", Missing: []string{"ClusterRole a", "DaemonSet b"}}, []Host{with(), with()}, Cluster{Situation: Half, Host: "cp2", Reason: missing, Answers: true}},
		{"init has failed", API{Err: refused}, []Host{with(kubeadm("failed"))}, Cluster{Situation: Half, Host: "cp1", Reason: began}},
		{"init has failed before the manifests", API{Err: refused}, []Host{with(kubeadm("failed"), noManifests)}, Cluster{Situation: Half, Host: "cp1", Reason: began}},
		{"init ended before admin.conf", API{Err: refused}, []Host{with(noAdmin)}, Cluster{Situation: Half, Host: "cp1", Reason: began}},
		{"init has failed on the second", API{Err: refused}, []Host{bare, with(noAdmin)}, Cluster{Situation: Half, Host: "cp2", Reason: began}},

		{"nothing failed", API{Err: refused}, []Host{with()}, Cluster{Situation: Silent, Host: "cp1", Reason: noAnswer}},
		{"init was cut off before the manifests", API{Err: refused}, []Host{with(noManifests), bare}, Cluster{Situation: Half, Host: "cp1", Reason: lacks + "/etc/kubernetes/manifests/etcd.yaml"}},
		{"init was cut off before the last manifest", API{Err: refused}, []Host{with(noScheduler)}, Cluster{Situation: Half, Host: "cp1", Reason: lacks + "/etc/kubernetes/manifests/kube-scheduler.yaml"}},
		{"init was cut off before the kubelet", API{Err: refused}, []Host{bare, with(noKubelet), bare}, Cluster{Situation: Half, Host: "cp2", Reason: lacks + "/var/lib/kubelet/config.yaml"}},
		{"another one lives without manifests", API{Err: refused}, []Host{with(noManifests), with()}, Cluster{Situation: Silent, Host: "cp1", Reason: noAnswer}},
		{"one without manifests and one that may live", API{Err: refused}, []Host{with(noManifests), away}, Cluster{Situation: Silent, Host: "cp1", Reason: noAnswer}},
		{"kubeadm has ended well", API{Err: refused}, []Host{with(kubeadm("inactive"))}, Cluster{Situation: Silent, Host: "cp1", Reason: noAnswer}},
		{"the first one counts", API{Err: refused}, []Host{with(), with(kubeadm("failed"))}, Cluster{Situation: Silent, Host: "cp1", Reason: noAnswer}},
		{"the first one is away", API{Err: refused}, []Host{away, with()}, Cluster{Situation: Silent, Host: "cp2", Reason: noAnswer}},
		{"what is left of one that is away is not asked", API{Err: refused}, []Host{awayWithRest, with()}, Cluster{Situation: Silent, Host: "cp2", Reason: noAnswer}},
		{"all are away", API{Err: refused}, []Host{away, away}, Cluster{Situation: Silent, Reason: nobody}},
		{"only hosts without anything were reached", API{Err: refused}, []Host{bare, away}, Cluster{Situation: Silent, Reason: nobody}},

		{"init has given no rights yet", API{Err: forbids}, []Host{with(), bare}, Cluster{Situation: Half, Host: "cp1", Reason: "kubeadm init has not finished: forbidden"}},
		{"init on the second has given no rights yet", API{Err: forbids}, []Host{bare, with()}, Cluster{Situation: Half, Host: "cp2", Reason: "kubeadm init has not finished: forbidden"}},
		{"somebody took the rights away", API{Err: forbids}, []Host{with(), with()},
			Cluster{Situation: Silent, Reason: "forbidden; give the group kubeadm:cluster-admins its rights again, with super-admin.conf"}},
		{"one that refuses and one that is away", API{Err: forbids}, []Host{with(), away},
			Cluster{Situation: Silent, Reason: "forbidden; control-plane host cp2 cannot be looked at and may know better"}},

		{"the API server answers", API{Via: "cp1"}, []Host{with()}, Cluster{Situation: Living, Host: "cp1", Answers: true}},
		{"another one answers", API{Via: "cp2"}, []Host{away, with()}, Cluster{Situation: Living, Host: "cp2", Answers: true}},
		{"it answers in spite of a kubeadm that failed", API{Via: "cp1"}, []Host{with(kubeadm("failed"))}, Cluster{Situation: Living, Host: "cp1", Answers: true}},
	} {
		seen, names := Facts{API: c.api, Hosts: map[string]Host{}}, []string{"cp1"}
		for i, host := range c.hosts {
			name := fmt.Sprintf("cp%d", i+1)
			if i > 0 {
				names = append(names, name)
			}
			seen.Hosts[name] = host
		}
		got := Assess(names, seen)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if want := got.Situation == None || got.Situation == Half; got.Unfinished() != want {
			t.Errorf("%s: unfinished is %v", c.name, !want)
		}
	}
}
