package etcd

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// The member of a host that leaves goes where etcd goes on without it, and a leader hands that over first.
func TestRemoveLeaving(t *testing.T) {
	three := []Member{at("1", "cp1", "192.0.2.11"), at("2", "cp2", "192.0.2.12"), at("255", "cp3", "192.0.2.13")}
	five := append(slices.Clone(three), at("4", "cp4", "192.0.2.12"), at("5", "cp5", "192.0.2.12"))
	learner := at("255", "", "192.0.2.13")
	learner.Learner = true
	for name, c := range map[string]struct {
		cluster cluster
		dead    bool
		kept    string // a part of the error
		none    bool
		moved   string
	}{
		"one that lives":                    {cluster: cluster{members: three, lead: "1"}},
		"the leader":                        {cluster: cluster{members: three, lead: "255"}, moved: "1"},
		"a dead one":                        {cluster: cluster{members: three, lead: "1"}, dead: true},
		"a dead one that answers":           {cluster: cluster{members: three, open: []string{"192.0.2.13:2380"}}, dead: true, kept: "something answers at https://192.0.2.13:2380"},
		"one of two that live":              {cluster: cluster{members: three[1:], lead: "2"}},
		"a dead one of two":                 {cluster: cluster{members: three[1:]}, dead: true, kept: "of the others only cp2 are well, and 2 are needed"},
		"the last one":                      {cluster: cluster{members: three[2:]}, kept: "it is the last one"},
		"another one is not well":           {cluster: cluster{members: three, sick: []string{"192.0.2.12"}}, kept: "of the others only cp1 are well, and 2 are needed"},
		"a dead one, and another is sick":   {cluster: cluster{members: three, sick: []string{"192.0.2.12"}}, dead: true, kept: "of the others only cp1 are well, and 2 are needed"},
		"a learner":                         {cluster: cluster{members: append(slices.Clone(three[:2]), learner), lead: "1"}},
		"none":                              {cluster: cluster{members: three[:2]}, none: true},
		"one of its name at another place":  {cluster: cluster{members: []Member{three[0], three[1], at("255", "cp3", "192.0.2.14")}}, kept: "etcd has cp3 (https://192.0.2.14:2380)"},
		"one that stays when told":          {cluster: cluster{members: three, lead: "1", stays: true}, kept: "it is still there"},
		"one of five, and three are sick":   {cluster: cluster{members: five, sick: []string{"192.0.2.12"}}, kept: "of the others only cp1 are well, and 3 are needed"},
		"an answer that has no members":     {kept: "there are none in the answer"},
		"one that lives, nobody leads":      {cluster: cluster{members: three}},
		"a dead one whose place is another": {cluster: cluster{members: []Member{three[0], three[1], at("255", "master", "192.0.2.13")}}, dead: true, kept: "and the host is cp3"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := c.cluster
			client := cluster.client(t)
			leaving := Leaving{Name: "cp3", PeerURL: "https://192.0.2.13:2380", Dead: c.dead}
			before := client.CheckLeaving(t.Context(), leaving)
			removed, err := client.RemoveLeaving(t.Context(), leaving)
			if (err == nil) != (c.kept == "") || err != nil && !strings.Contains(err.Error(), c.kept) {
				t.Fatalf("removed %v, %v", removed, err)
			}
			if (before == nil) != (err == nil) && !cluster.stays {
				t.Errorf("it was said before that %v", before)
			}
			if want := err == nil && !c.none; removed != want || (len(cluster.removed) > 0) != (want || cluster.stays) {
				t.Errorf("removed %v, told to remove %v", removed, cluster.removed)
			}
			if cluster.moved != c.moved {
				t.Errorf("the leader is moved to %q, want %q", cluster.moved, c.moved)
			}
		})
	}
}

// The others have to be well after it, too.
func TestRemoveLeavingLooksAgain(t *testing.T) {
	cluster := cluster{members: []Member{at("1", "cp1", "192.0.2.11"), at("2", "cp2", "192.0.2.12"), at("255", "cp3", "192.0.2.13")}, lead: "1"}
	cluster.after = func() { cluster.sick = []string{"192.0.2.11", "192.0.2.12"} }
	client := cluster.client(t)
	removed, err := client.RemoveLeaving(t.Context(), Leaving{Name: "cp3", PeerURL: "https://192.0.2.13:2380"})
	if !removed || !errors.Is(err, ErrQuorum) {
		t.Errorf("removed %v, %v", removed, err)
	}
}

func TestMember(t *testing.T) {
	cluster := cluster{members: []Member{at("1", "cp1", "192.0.2.11"), at("255", "cp3", "192.0.2.13")}}
	client := cluster.client(t)
	for url, want := range map[string]string{"https://192.0.2.13:2380": "255", "https://192.0.2.19:2380": ""} {
		name := "cp3"
		if want == "" {
			name = "cp9"
		}
		if id, err := client.Member(t.Context(), Leaving{Name: name, PeerURL: url}); id != want || err != nil {
			t.Errorf("%s: %q, %v", url, id, err)
		}
	}
}
