package plan

import (
	"slices"
	"strings"
	"testing"

	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// memberOf is the started member of a host that serves.
func memberOf(wish desired.State, name string) facts.EtcdMember {
	host, _ := wish.Cluster.Host(name)
	return facts.EtcdMember{
		ID: "a" + name, Name: host.NodeName(), PeerURLs: []string{templates.EtcdPeerURL(host.Address)}, Started: true, Listens: true, Healthy: true,
	}
}

// threeMembers is a cluster of three control planes that is as it should be, with what its etcd says.
func threeMembers(t *testing.T) (desired.State, facts.Facts) {
	t.Helper()
	wish := world.State(t, world.ThreeControlPlanes)
	seen := world.Converged(t, wish)
	seen.API.Etcd = facts.Etcd{Via: "cp1", Members: []facts.EtcdMember{memberOf(wish, "cp1"), memberOf(wish, "cp2"), memberOf(wish, "cp3")}}
	return wish, seen
}

// lostTwo has cp2 and cp3 be gone.
func lostTwo(seen *facts.Facts) {
	seen.Hosts["cp2"], seen.Hosts["cp3"] = facts.Host{Unreachable: world.NoRoute()}, facts.Host{Unreachable: world.NoRoute()}
	etcd := seen.API.Etcd
	etcd.NoQuorum = true
	for i := range etcd.Members {
		m := &etcd.Members[i]
		m.Healthy, m.Listens, m.Revision = false, i == 0, 77
	}
	seen.API = facts.API{Err: world.Refused(), Etcd: etcd}
}

// etcdCases are those of TestPreflight about etcd's members.
func etcdCases(t *testing.T) []preflightCase {
	t.Helper()
	of := func(name, want string, change func(*facts.Facts)) preflightCase {
		return preflightCase{name: "etcd: " + name, want: want, living: true, edit: world.ThreeControlPlanes, change: func(seen *facts.Facts) {
			_, whole := threeMembers(t)
			seen.API.Etcd = whole.API.Etcd
			change(seen)
		}}
	}
	third := func(change func(*facts.EtcdMember)) func(*facts.Facts) {
		return func(seen *facts.Facts) { change(&seen.API.Etcd.Members[2]) }
	}
	const (
		goOn   = "(fairlead up goes on with the join; if the host is gone for good: fairlead remove cp3)"
		health = "(start the host, or look at the log of its etcd in /var/log/pods; if the host is gone for good: fairlead remove cp3)"
		quorum = "error cp1 QuorumLost: etcd has lost its quorum: of its 3 members cp2 and cp3 are gone, and 2 are needed: nothing in the cluster can be changed; pods that run go on, and what etcd holds can still be read and saved on cp1 (start these hosts again, and the cluster goes on; only if they are gone for good: fairlead etcd recover --from cp1)"
	)
	return []preflightCase{
		of("all well", "", func(*facts.Facts) {}),
		of("nothing is known", "", func(seen *facts.Facts) { seen.API.Etcd = facts.Etcd{} }),
		of("one is silent", "warning cp3 EtcdHealth: the etcd member of the host does not answer; the others have a quorum "+health,
			third(func(m *facts.EtcdMember) { m.Healthy, m.Listens = false, false })),
		of("one does not serve", "warning cp3 EtcdHealth: the etcd member of the host answers and does not serve; the others have a quorum "+health,
			third(func(m *facts.EtcdMember) { m.Healthy = false })),
		of("one has no host", "warning all UnknownMember: etcd has a member old that is on no control-plane host of the inventory (add its host to the inventory; or, if it is gone for good: etcdctl member remove acp3, in the pod etcd-… of a control plane that lives)",
			third(func(m *facts.EtcdMember) { m.Name, m.PeerURLs = "old", []string{"https://192.0.2.99:2380"} })),
		of("one has another address", "", third(func(m *facts.EtcdMember) { m.PeerURLs = []string{"https://192.0.2.99:2380"} })), // its name is the host's
		of("one never started", "warning cp3 UnstartedMember: the etcd member of the host has never started "+goOn,
			third(func(m *facts.EtcdMember) { *m = facts.EtcdMember{ID: m.ID, PeerURLs: m.PeerURLs, Learner: true} })),
		of("one has no vote", "warning cp3 Learner: the etcd member of the host has no vote: its join has not come to its end "+goOn,
			third(func(m *facts.EtcdMember) { m.Learner = true })),
		of("one is full", "error cp3 EtcdSpace: the database of the etcd member cp3 is full: etcd takes no writes (fairlead etcd defragment frees what is not used and takes the alarm back; if it comes again, delete objects or raise quota-backend-bytes)",
			third(func(m *facts.EtcdMember) { m.Alarms = []string{"NOSPACE"} })),
		of("one is damaged", "error cp3 EtcdAlarm: the etcd member cp3 has the alarm CORRUPT (its data differs from that of the others: take the member out and let the host join anew)",
			third(func(m *facts.EtcdMember) { m.Alarms = []string{"CORRUPT"} })),
		of("two are gone", quorum, lostTwo),
		of("two are gone, and one came back empty", quorum, func(seen *facts.Facts) {
			lostTwo(seen)
			seen.Hosts["cp2"] = world.FreshHost(world.Host("cp2", "192.0.2.12", "control-plane"))
		}),
		of("two are silent, and one has its data", "", func(seen *facts.Facts) {
			lostTwo(seen)
			host := world.FreshHost(world.Host("cp2", "192.0.2.12", "control-plane"))
			host.NotEmpty[etcdFolder], host.Manifests = true, []string{etcdManifest}
			seen.Hosts["cp2"] = host
		}),
		of("two are silent, and one listens", "", func(seen *facts.Facts) {
			lostTwo(seen)
			seen.API.Etcd.Members[1].Listens = true
		}),
		of("a learner counts for nothing", strings.Replace(quorum, "of its 3 members cp2 and cp3 are gone", "of its 2 members cp2 is gone", 1), func(seen *facts.Facts) {
			lostTwo(seen)
			seen.API.Etcd.Members[2].Learner = true // of two with a vote one is gone
		}),
	}
}

// etcdMendings are the ways out of what is found of etcd.
func etcdMendings(t *testing.T) []mended {
	t.Helper()
	var all []mended
	says := map[string]string{
		"EtcdHealth": "start the host", "UnknownMember": "etcdctl member remove acp3", "UnstartedMember": "fairlead up goes on", "Learner": "fairlead up goes on",
		"EtcdSpace": "fairlead etcd defragment", "EtcdAlarm": "take the member out and let the host join anew", "QuorumLost": "start these hosts again",
	}
	for _, c := range etcdCases(t) {
		if c.want == "" {
			continue
		}
		well := func(seen *facts.Facts) {
			_, whole := threeMembers(t)
			seen.API.Etcd = whole.API.Etcd
		}
		all = append(all, mended{nameIn(c.want), c, []mending{{says: says[nameIn(c.want)], change: well}}})
	}
	return all
}

// Without a quorum nothing of the control planes is planned, and what can be named is not done by halves.
func TestPlanWithoutAQuorum(t *testing.T) {
	wish, seen := threeMembers(t)
	lostTwo(&seen)
	made := Make(wish, seen)
	if len(made.Errors()) != 1 || !slices.Contains(made.Blocked, Blocked{Title: "reach the API server", Reason: "etcd has lost its quorum"}) {
		t.Errorf("planned %s", Show(made))
	}
	for _, step := range made.Steps {
		if step.Stage == StageAwait || step.Stage == StageJoin {
			t.Errorf("it plans %s", step.ID)
		}
	}
	wish.Cluster.IgnorePreflight = []string{"quorumlost"}
	if made := Make(wish, seen); len(made.Errors()) != 0 {
		t.Errorf("errors are %v", made.Errors())
	}
}

// A recovery that was cut off goes first, on each of the ways that are left.
func TestPlanGoesOnWithARecovery(t *testing.T) {
	manifest := world.ManifestOf("etcd", "--name=cp1")
	forced, err := templates.Force(manifest)
	if err != nil {
		t.Fatal(err)
	}
	mark := func(forced bool) []byte {
		return templates.Recovery{Forced: forced, Lost: []string{"cp2", "cp3"}}.Text()
	}
	finish := []string{
		"wait until etcd has one member, then write its manifest without --force-new-cluster", "systemctl restart kubelet.service", "wait until /readyz answers",
		"keep in the cluster that cp2 is removed without its machine", ForgetNode{Name: "cp2"}.Describe(),
		"keep in the cluster that cp3 is removed without its machine", ForgetNode{Name: "cp3"}.Describe(), "remove /var/lib/fairlead/recovery/mark",
	}
	for name, c := range map[string]struct {
		mark, manifest []byte
		want           []string
	}{
		"none":                   {nil, manifest, nil},
		"begun":                  {mark(false), nil, []string{"put etcd's manifest back", "wait until etcd answers"}},
		"about to be forced":     {mark(true), nil, append([]string{"write /etc/kubernetes/manifests/etcd.yaml with --force-new-cluster"}, finish...)},
		"forced":                 {mark(true), forced, finish},
		"over but for its nodes": {mark(true), manifest, finish},
		"somebody has forced it": {nil, forced, slices.Delete(slices.Clone(finish), 3, 7)},
	} {
		t.Run(name, func(t *testing.T) {
			wish, seen := threeMembers(t)
			world.ChangeHost(seen, "cp1", func(h *facts.Host) {
				h.Contents[templates.RecoveryMark], h.Contents[templates.ManifestPath("etcd")] = c.mark, c.manifest
				if c.manifest == nil {
					h.Manifests = slices.DeleteFunc(slices.Clone(h.Manifests), func(m string) bool { return m == etcdManifest })
				}
			})
			made := Make(wish, seen)
			var got []string
			for _, step := range made.Steps {
				if step.Stage != StageRecover {
					continue
				}
				for _, action := range step.Actions {
					got = append(got, action.Describe())
				}
			}
			if !slices.Equal(got, c.want) || (made.More != "") != (c.want != nil) || c.want != nil && len(made.Steps) != 1 {
				t.Errorf("planned %q and %q", got, made.More)
			}
			if err := made.Sound(); err != nil {
				t.Error(err)
			}
			WantSameFromFile(t, wish, seen)
		})
	}
}

// What is given up is said with the last that the survivor knows.
func TestMakeRecovery(t *testing.T) {
	wish, seen := threeMembers(t)
	lostTwo(&seen)
	made, err := MakeRecovery(wish, seen, "cp1")
	if err != nil || made.Half || made.Again || len(made.Steps) != 1 {
		t.Fatalf("%+v, %v", made, err)
	}
	loss := made.Loss
	if loss.Survivor != "cp1" || loss.Voters != 3 || loss.Revision != 77 || !slices.Equal(loss.Members, []string{"cp2", "cp3"}) {
		t.Errorf("it gives up %+v", loss)
	}
	first := made.Steps[0].Actions[0].(Script)
	if !slices.Equal(first.Args, []string{"begin", "cp2", "cp3"}) {
		t.Errorf("it begins with %v", first.Args)
	}
	seen.API.Etcd.Members[1].Listens = true
	if _, err := MakeRecovery(wish, seen, "cp1"); err == nil || !strings.HasPrefix(err.Error(), "the etcd member cp2 is not gone: something answers") {
		t.Error(err)
	}
}
