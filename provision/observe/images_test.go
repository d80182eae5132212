package observe

import (
	"context"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/remote"
)

// plain are registries without TLS; of those that mirror, "HOST=DOMAIN".
func plain(hosts ...string) func(*inventory.Cluster) {
	return func(c *inventory.Cluster) {
		for _, each := range hosts {
			host, of, mirrors := strings.Cut(each, "=")
			r := inventory.Registry{Host: host, PlainHTTP: true}
			if mirrors {
				r.Mirrors = []inventory.Mirror{{Of: of, Path: "copy"}}
			}
			c.Images.Registries = append(c.Images.Registries, r)
		}
	}
}

// needing is a wish for images alone.
func needing(edit func(*inventory.Cluster), needs ...desired.ImageNeed) desired.State {
	cluster := &inventory.Cluster{Name: "lab"}
	for _, name := range []string{"cp1", "w1"} {
		cluster.Workers = append(cluster.Workers, world.Host(name, "192.0.2.1", inventory.RoleWorker))
	}
	edit(cluster)
	wish := desired.State{Cluster: cluster, Needs: needs}
	for _, r := range cluster.Images.Registries {
		wish.Registries = append(wish.Registries, desired.Registry{Registry: r})
	}
	return wish
}

// checking asks w1 for images, and what the registries said.
func checking(t *testing.T, r *registries, wish desired.State, images ...string) []facts.ImageProblem {
	t.Helper()
	s := newScene(t, wish, true)
	s.hosts["w1"].OnDial(r.dial)
	var needs []desired.ImageNeed
	for _, name := range images {
		needs = append(needs, desired.ImageNeed{Name: name})
	}
	seen := facts.Facts{Hosts: map[string]facts.Host{"cp1": {}, "w1": {}}}
	return s.CheckImages(t.Context(), seen, map[string][]desired.ImageNeed{"w1": needs})
}

// Images are looked for where the host's runtime looks, in the same order, and each registry that
// is of no use is asked once.
func TestImagesAreLookedForWhereHostsLook(t *testing.T) {
	const one, two = "r.lab/app/one:1", "r.lab/app/two:2"
	digest := "@sha256:" + strings.Repeat("a", 64)
	mirrored := plain("m1.lab=r.lab", "m2.lab=r.lab", "r.lab")
	for _, c := range []struct {
		name     string
		edit     func(*inventory.Cluster)
		statuses map[string]int
		images   []string
		asked    []string
		want     []facts.ImageProblem // without the texts
		texts    []string             // all in the first problem's
	}{
		{name: "there", edit: plain("r.lab"), images: []string{one, two}, asked: []string{one, two}},
		{name: "by its digest", edit: plain("r.lab"), images: []string{"r.lab/app/one:1" + digest}, asked: []string{"r.lab/app/one:" + digest[1:]}},
		{name: "in a mirror", edit: mirrored, images: []string{one}, asked: []string{"m1.lab/copy/app/one:1"}},
		{
			name: "in the next place", edit: mirrored, statuses: map[string]int{"m1.lab": 404}, images: []string{one, two},
			asked: []string{"m1.lab/copy/app/one:1", "m2.lab/copy/app/one:1", "m1.lab/copy/app/two:2", "m2.lab/copy/app/two:2"},
		},
		{
			name: "missing", edit: plain("r.lab"), statuses: map[string]int{one: 404}, images: []string{one, two}, asked: []string{one, two},
			want: []facts.ImageProblem{{Registry: "r.lab", Image: one, Err: &facts.Problem{Kind: facts.ImageMissing}}},
		},
		{
			name: "no access", edit: plain("r.lab"), statuses: map[string]int{"r.lab": 403}, images: []string{one, two}, asked: []string{one},
			want: []facts.ImageProblem{{Registry: "r.lab", Image: one, Whole: true, Err: &facts.Problem{Kind: facts.RegistryCredentials}}},
		},
		{
			name: "unreachable", edit: plain("down.lab"), images: []string{"down.lab/one:1", "down.lab/two:2"},
			want: []facts.ImageProblem{{Registry: "down.lab", Image: "down.lab/one:1", Whole: true, Err: &facts.Problem{Kind: facts.RegistryUnreachable}}},
		},
		{
			name: "each place fails in its way", edit: plain("down.lab=r.lab", "m2.lab=r.lab", "r.lab"), statuses: map[string]int{"m2.lab": 403, "r.lab": 404},
			images: []string{one, two}, asked: []string{"m2.lab/copy/app/one:1", one, two},
			want: []facts.ImageProblem{
				{Registry: "r.lab", Image: one, Err: &facts.Problem{Kind: facts.RegistryUnreachable}},
				{Registry: "r.lab", Image: two, Err: &facts.Problem{Kind: facts.ImageMissing}},
			},
			texts: []string{"connection refused", "m2.lab", "r.lab/app/one:1"},
		},
		{
			name: "no name of an image", edit: plain("r.lab"), images: []string{"UPPER CASE"},
			want: []facts.ImageProblem{{Image: "UPPER CASE", Err: &facts.Problem{Kind: facts.ImageUnknown}}},
		},
		{
			name: "no registry", edit: plain("r.lab=x.lab"), images: []string{"r.lab_/one:1"},
			want: []facts.ImageProblem{{Image: "r.lab_/one:1", Err: &facts.Problem{Kind: facts.ImageUnknown}}},
		},
	} {
		r := newRegistries(t)
		if c.statuses != nil {
			r.statuses = c.statuses
		}
		got := checking(t, r, needing(c.edit), c.images...)
		if !slices.Equal(r.asked, c.asked) || len(got) != len(c.want) {
			t.Errorf("%s: asked for %v, want %v; problems %v", c.name, r.asked, c.asked, got)
			continue
		}
		for i, problem := range got {
			for _, text := range c.texts[:min(len(c.texts), len(c.texts)*(1-i))] {
				if !strings.Contains(problem.Err.Text, text) {
					t.Errorf("%s: %q is not in %q", c.name, text, problem.Err.Text)
				}
			}
			problem.Err = &facts.Problem{Kind: problem.Err.Kind}
			c.want[i].Host = "w1"
			if !reflect.DeepEqual(problem, c.want[i]) {
				t.Errorf("%s: %+v of kind %s, want %+v of kind %s", c.name, problem, problem.Err.Kind, c.want[i], c.want[i].Err.Kind)
			}
		}
	}
}

// One connection serves all images of a registry, and it goes through the proxy that the host's runtime uses.
func TestRegistriesAreReachedAsTheRuntimeDoes(t *testing.T) {
	for proxy, want := range map[string]string{"": "r.lab:80", "http://proxy.lab:3128": "proxy.lab:3128"} {
		r := newRegistries(t)
		wish := needing(func(c *inventory.Cluster) {
			plain("r.lab")(c)
			c.Proxy.HTTP = proxy
		})
		if got := checking(t, r, wish, "r.lab/one:1", "r.lab/two:2"); len(got) != 0 {
			t.Errorf("%s: %v", proxy, got)
		}
		if !slices.Equal(r.dials, []string{want}) {
			t.Errorf("%s: dialled %v, want %s", proxy, r.dials, want)
		}
	}
}

// A host that was lost since it answered is unreachable: what registries said through it is no
// problem of images, and the other hosts' checks go on.
func TestAHostThatIsLostIsNoProblemOfImages(t *testing.T) {
	for name, lose := range map[string]func(*scene){
		"before": func(s *scene) { s.refused["w1"] = remote.ErrUnreachable },
		"meanwhile": func(s *scene) {
			s.hosts["w1"].OnDial(func(context.Context, string, string) (net.Conn, error) {
				s.hosts["w1"].Lose()
				return nil, remote.ErrLost
			})
		},
	} {
		r := newRegistries(t)
		r.statuses["r.lab"] = http.StatusNotFound
		s := newScene(t, needing(plain("r.lab")), true)
		s.hosts["cp1"].OnDial(r.dial)
		lose(s)
		needs := []desired.ImageNeed{{Name: "r.lab/one:1"}}
		seen := facts.Facts{Hosts: map[string]facts.Host{"cp1": {Root: true}, "w1": {Root: true}}}
		got := s.CheckImages(t.Context(), seen, map[string][]desired.ImageNeed{"cp1": needs, "w1": needs})
		if len(got) != 1 || got[0].Host != "cp1" || !got[0].Err.Of(facts.ImageMissing) {
			t.Errorf("%s: %+v", name, got)
		}
		want := map[string]facts.Kind{"before": facts.HostUnreachable, "meanwhile": facts.HostLost}[name]
		if lost := seen.Hosts["w1"]; !lost.Unreachable.Of(want) || lost.Root || seen.Hosts["cp1"].Unreachable != nil {
			t.Errorf("%s: w1 is %+v, cp1 %+v", name, lost, seen.Hosts["cp1"])
		}
	}
}

// Hosts that gave no answer are not asked, nor are those that need nothing; a look that is cut off finds no host lost.
func TestWhoIsAskedForImages(t *testing.T) {
	s := newScene(t, needing(plain("r.lab")), true)
	needs := map[string][]desired.ImageNeed{"w1": {{Name: "r.lab/one:1"}}}
	lost := facts.NewProblem(facts.HostLost, remote.ErrLost)
	seen := facts.Facts{Hosts: map[string]facts.Host{"cp1": {}, "w1": {Unreachable: lost}}}
	s.refused["cp1"], s.refused["w1"] = remote.ErrUnreachable, remote.ErrUnreachable
	if got := s.CheckImages(t.Context(), seen, needs); len(got) != 0 || seen.Hosts["cp1"].Unreachable != nil || seen.Hosts["w1"].Unreachable != lost {
		t.Errorf("%v; %v", got, seen.Hosts)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	seen.Hosts["w1"] = facts.Host{Root: true}
	if s.CheckImages(ctx, seen, needs); seen.Hosts["w1"].Unreachable != nil {
		t.Errorf("w1 is %v", seen.Hosts["w1"].Unreachable)
	}
}

// Proof is asked for of images that a host will pull from a registry that the inventory speaks of,
// unless it, or for images that may run anywhere another host, has them already.
func TestWhatNeedsProof(t *testing.T) {
	image := func(complete bool) facts.Host {
		return facts.Host{Images: map[string]facts.Image{"r.lab/one:1": {Complete: complete}}}
	}
	bundled := &world.TestBundle().Images[0]
	for _, c := range []struct {
		name   string
		need   desired.ImageNeed
		edit   func(*inventory.Cluster)
		cp1    facts.Host
		w1     facts.Host
		proven bool
	}{
		{name: "it is pulled", need: desired.ImageNeed{Name: "r.lab/one:1", Pulled: true}},
		{name: "it is imported", need: desired.ImageNeed{Name: "r.lab/one:1"}, proven: true},
		{name: "no name of an image", need: desired.ImageNeed{Name: "UPPER CASE", Pulled: true}, proven: true},
		{name: "another registry", need: desired.ImageNeed{Name: "quay.io/one:1", Pulled: true}, proven: true},
		{name: "it is there", need: desired.ImageNeed{Name: "r.lab/one:1", Pulled: true}, w1: image(true), proven: true},
		{name: "it is there in part", need: desired.ImageNeed{Name: "r.lab/one:1", Pulled: true}, w1: image(false)},
		{name: "another host has it", need: desired.ImageNeed{Name: "r.lab/one:1", Pulled: true}, cp1: image(true)},
		{name: "another host has it, where it may run", need: desired.ImageNeed{Name: "r.lab/one:1", Pulled: true, Anywhere: true}, cp1: image(true), proven: true},
		{name: "another host has a part of it", need: desired.ImageNeed{Name: "r.lab/one:1", Pulled: true, Anywhere: true}, cp1: image(false)},
		{
			name: "a host that is gone had it", need: desired.ImageNeed{Name: "r.lab/one:1", Pulled: true, Anywhere: true},
			cp1: facts.Host{Images: image(true).Images, Unreachable: facts.NewProblem(facts.HostLost, remote.ErrLost)},
		},
		{name: "it is in the bundle", need: desired.ImageNeed{Name: "r.lab/one:1", Pulled: true, Bundled: bundled}},
		{
			name: "fairlead's own registry will hold it", need: desired.ImageNeed{Name: "r.io/one:1", Pulled: true, Bundled: bundled},
			edit: world.OwnRegistryOnWorker, proven: true,
		},
		{
			name: "fairlead's own registry never will", need: desired.ImageNeed{Name: "192.0.2.1:5000/one:1", Pulled: true},
			edit: world.OwnRegistryOnWorker,
		},
	} {
		c.need.Hosts = []string{"cp1", "w1", "w9"}
		if !c.need.Anywhere {
			c.need.Hosts = []string{"w1"}
		}
		edit := world.All(plain("r.lab"), func(*inventory.Cluster) {})
		if c.edit != nil {
			edit = world.All(plain("r.lab"), c.edit)
		}
		s := newScene(t, needing(edit, c.need), true)
		seen := facts.Facts{Hosts: map[string]facts.Host{"cp1": c.cp1, "w1": c.w1}}
		host, _ := s.wish.Cluster.Host("w1")
		if got := s.unproven(host, seen); (len(got) == 0) != c.proven {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// An observation asks registries from each host's side, after the hosts have said what they have.
func TestObserveAsksRegistries(t *testing.T) {
	r := newRegistries(t)
	r.statuses["r.lab/one:1"] = http.StatusNotFound
	wish := needing(plain("r.lab"),
		desired.ImageNeed{Name: "r.lab/one:1", Pulled: true, Hosts: []string{"cp1", "w1"}},
		desired.ImageNeed{Name: "r.lab/two:2", Pulled: true, Hosts: []string{"w1"}})
	s := newScene(t, wish, true)
	for name := range s.hosts {
		s.hosts[name].OnDial(r.dial)
	}
	s.says("cp1", "image\tr.lab/one:1\tsha256:1\tcomplete\ttrue")
	got := s.observe().ImageProblems
	if len(got) != 1 || got[0].Host != "w1" || got[0].Image != "r.lab/one:1" || !slices.Equal(r.asked, []string{"r.lab/one:1", "r.lab/two:2"}) {
		t.Errorf("asked for %v: %v", r.asked, got)
	}
}
