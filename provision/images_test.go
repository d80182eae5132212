package provision

import (
	"context"
	"errors"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/kube"
	"fairlead/provision/model/world"
	"fairlead/provision/remote"
	"fairlead/templates"
)

// renamed has images come from one registry without TLS.
func renamed(c *inventory.Cluster) {
	c.Images.Rewrite = []inventory.RewriteRule{{From: "registry.k8s.io", To: "r.lab/k8s"}, {From: "ghcr.io", To: "r.lab"}}
	c.Images.Registries = []inventory.Registry{{Host: "r.lab", PlainHTTP: true}}
}

// pulling is a converged fleet whose hosts have pulled their images, from a registry that has them all.
func pulling(t *testing.T) (*fleet, *shelf) {
	t.Helper()
	f, s := converged(t, renamed), newShelf(t)
	for _, need := range f.wish.Needs {
		repository, tag, _ := strings.Cut(strings.TrimPrefix(need.Name, "r.lab/"), ":")
		s.put(repository, tag)
		for _, host := range need.Hosts {
			f.change(host, func(h *facts.Host) { h.Images[need.Name] = facts.Image{Digest: "sha256:1", Complete: true} })
		}
	}
	for _, line := range f.lines {
		line.OnDial(func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasSuffix(address, ":6443") {
				return f.api.Dial(ctx, network, address)
			}
			return s.dial(ctx, network, address)
		})
	}
	return f, s
}

// pod is one with a container; id is what runs.
func pod(name, image, id string) map[string]any {
	container := map[string]any{"name": "c", "image": image}
	return map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"namespace": "app", "name": name},
		"spec": map[string]any{"containers": []any{container}}, "status": map[string]any{"containerStatuses": []any{map[string]any{"name": "c", "imageID": id}}},
	}
}

// Where all is well, every image of every host was asked for, and there is nothing else to say.
func TestVerifyImages(t *testing.T) {
	f, s := pulling(t)
	report, err := f.VerifyImages(t.Context())
	want := 0
	for _, host := range f.wish.Cluster.Hosts() {
		want += len(f.wish.NeedsOf(host.Name))
	}
	if err != nil || report.Checked != want || want < 9 || len(report.Problems)+len(report.Foreign) != 0 {
		t.Errorf("%+v of %d, %v", report, want, err)
	}
	if n := len(s.asked); n != want || len(f.scripts) != 0 {
		t.Errorf("asked for %d, ran %v", n, f.scripts)
	}
}

// What is missing, what came from elsewhere, and who was not there is said, each where it is.
func TestVerifyImagesFinds(t *testing.T) {
	f, s := pulling(t)
	delete(s.holds, "/v2/k8s/pause/manifests/3.10.2")
	f.lose("w2")
	f.change("w1", func(h *facts.Host) {
		h.Images["registry.k8s.io/pause:3.9"] = facts.Image{Digest: "sha256:1", Complete: true}
		h.Images["r.lab/other:1"] = facts.Image{Digest: "sha256:2", Complete: true}
	})
	f.api.Put(pod("old", "registry.k8s.io/pause:3.9", "x"))
	report, err := f.VerifyImages(t.Context())
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || !slices.Equal(unreachable.Hosts, []string{"w2"}) {
		t.Errorf("%v", err)
	}
	if want := len(f.wish.NeedsOf("cp1")) + len(f.wish.NeedsOf("w1")); report.Checked != want {
		t.Errorf("checked %d, want %d", report.Checked, want)
	}
	var missing []string
	for _, problem := range report.Problems {
		missing = append(missing, problem.Host+" "+problem.Image+" "+string(problem.Err.Kind))
	}
	if !slices.Equal(missing, []string{"cp1 r.lab/k8s/pause:3.10.2 image missing", "w1 r.lab/k8s/pause:3.10.2 image missing"}) {
		t.Errorf("missing are %q", missing)
	}
	want := []ForeignImage{
		{Where: "host w1", Name: "registry.k8s.io/pause:3.9", Want: "r.lab/k8s/pause:3.9"},
		{Where: "pod app/old", Name: "registry.k8s.io/pause:3.9", Want: "r.lab/k8s/pause:3.9"},
	}
	if !reflect.DeepEqual(report.Foreign, want) {
		t.Errorf("foreign are %+v", report.Foreign)
	}
	finding := want[0].Finding()
	if finding.Name != "ForeignImage" || finding.Warning || finding.Fix == "" || finding.Message != "host w1: registry.k8s.io/pause:3.9 came from elsewhere, want r.lab/k8s/pause:3.9" {
		t.Errorf("%+v", finding)
	}
}

// A look that fails, or is cut off, is an error and no report that all is well.
func TestVerifyImagesThatFails(t *testing.T) {
	f, _ := pulling(t)
	f.api.Refuse("/api/v1/pods", http.StatusForbidden)
	if _, err := f.VerifyImages(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "list pods: ") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if report, err := f.VerifyImages(ctx); !errors.Is(err, context.Canceled) || report.Checked != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	f, _ = pulling(t)
	f.change("cp1", func(h *facts.Host) { delete(h.Kubeconfigs, "admin.conf") })
	if report, err := f.VerifyImages(t.Context()); err != nil || report.Checked == 0 {
		t.Errorf("without an API server: %+v, %v", report, err)
	}
}

// What up puts into fairlead's own registry need not be there yet.
func TestVerifyImagesOfTheOwnRegistry(t *testing.T) {
	f := converged(t, world.OwnRegistryOnWorker)
	if report, err := f.VerifyImages(t.Context()); err != nil || report.Checked != 0 || len(report.Problems) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// Pods run images by the inventory's names, and the bundle's content where that is known.
func TestForeignInPods(t *testing.T) {
	wish := world.State(t, renamed)
	i := slices.IndexFunc(wish.Needs, func(n desired.ImageNeed) bool { return n.Name == "r.lab/k8s/pause:3.10.2" })
	right := "r.lab/k8s/pause@" + wish.Needs[i].Bundled.Digest.String()
	for _, c := range []struct{ name, image, id, want string }{
		{"the bundle's", "r.lab/k8s/pause:3.10.2", right, ""},
		{"not started", "r.lab/k8s/pause:3.10.2", "", ""},
		{"other content", "r.lab/k8s/pause:3.10.2", "r.lab/k8s/pause@sha256:1", wish.Needs[i].Bundled.Digest.String()},
		{"another tag", "r.lab/k8s/pause:3.9", "r.lab/k8s/pause@sha256:1", ""},
		{"another name", "registry.k8s.io/pause:3.10.2", right, "r.lab/k8s/pause:3.10.2"},
		{"no name", "UPPER CASE", "", ""},
	} {
		got := foreignInPods(wish, []kube.PodImage{{Pod: "app/x", Image: c.image, ID: c.id}})
		if (len(got) == 0) != (c.want == "") || len(got) > 0 && (got[0].Want != c.want || got[0].Where != "pod app/x") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// mirroring are needs that hosts look for in r.lab, and whose makers keep them in another registry.
func mirroring(t *testing.T, origin *shelf, names ...string) *fleet {
	t.Helper()
	wish := world.State(t, renamed)
	wish.Needs = []desired.ImageNeed{{Origin: "quay.io/x:1", Name: "quay.io/x:1"}}
	for _, name := range names {
		wish.Needs = append(wish.Needs, desired.ImageNeed{Origin: origin.at() + "/" + name, Name: "r.lab/" + name})
	}
	wish.Registries = append(wish.Registries, desired.Registry{Registry: inventory.Registry{Host: origin.at(), PlainHTTP: true}})
	return newFleet(t, wish, facts.Facts{API: facts.API{Err: facts.NoCluster()}})
}

// Images go from their makers to where hosts look for them, through a host if that is wished for, and once only.
func TestMirror(t *testing.T) {
	origin, target := newShelf(t), newShelf(t)
	origin.put("app/one", "1")
	origin.put("app/two", "2")
	f := mirroring(t, origin, "app/one:1", "app/two:2")
	f.lines["w1"].OnDial(target.dial)
	var sent, total int64
	options := MirrorOptions{To: "r.lab", Via: "w1", OnProgress: func(s, of int64) { sent, total = s, of }}
	result, err := f.Mirror(t.Context(), options)
	if err != nil || result.Images != 2 || result.Blobs == 0 || result.Bytes == 0 || !target.has("/v2/app/one/manifests/1") || !target.has("/v2/app/two/manifests/2") {
		t.Fatalf("%+v, %v", result, err)
	}
	if len(result.Elsewhere) != 1 || result.Elsewhere[0].Name != "quay.io/x:1" || sent != result.Bytes || total != sent || target.dialed[0] != "r.lab:80" {
		t.Errorf("%+v; %d of %d; dialled %v", result, sent, total, target.dialed)
	}
	options.OnProgress = nil
	if again, err := f.Mirror(t.Context(), options); err != nil || again.Images != 0 || again.Bytes != 0 || again.Skipped == 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// A copy that cannot be made says why before anything is sent.
func TestMirrorRefuses(t *testing.T) {
	origin := newShelf(t)
	f := mirroring(t, origin, "app/one:1")
	f.lose("w2")
	for _, c := range []struct {
		options MirrorOptions
		want    string
		is      error
	}{
		{MirrorOptions{To: "x.lab"}, "x.lab: no image of the inventory is looked for there", ErrNothingForRegistry},
		{MirrorOptions{To: "r.lab", Via: "w9"}, "--via: host w9 is not in the inventory", nil},
		{MirrorOptions{To: "r.lab", Via: "w2"}, "w2: host is unreachable", remote.ErrUnreachable},
		{MirrorOptions{To: "r.lab", Via: "w1"}, "reach registry r.lab: registry is unreachable: ", nil},
	} {
		result, err := f.Mirror(t.Context(), c.options)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) || result.Images != 0 {
			t.Errorf("%+v: %+v, %v", c.options, result, err)
		}
	}
	var unreachable *UnreachableError
	if _, err := f.Mirror(t.Context(), MirrorOptions{To: "r.lab", Via: "w2"}); !errors.As(err, &unreachable) {
		t.Errorf("%v", err)
	}
	f.wish.Needs[0].Name = "UPPER CASE"
	if _, err := f.Mirror(t.Context(), MirrorOptions{To: "r.lab"}); err == nil || errors.Is(err, ErrNothingForRegistry) {
		t.Errorf("a need without a name: %v", err)
	}
}

// An image is taken out of fairlead's own registry on its host, and what only it used is freed afterwards.
func TestDeleteImage(t *testing.T) {
	f, s := converged(t, world.OwnRegistryOnWorker), newShelf(t)
	path := "/v2/r.lab/app/manifests/" + s.put("r.lab/app", "1")
	f.lines["w1"].OnDial(s.dial)
	if err := f.DeleteImage(t.Context(), "r.lab/app:1"); err != nil || s.has(path) {
		t.Errorf("%v, asked %v", err, s.asked)
	}
	if n := len(f.scripts); n == 0 || f.scripts[n-1] != "w1/collect-garbage" || len(f.probes["w1"]) != 1 || len(f.probes["cp1"]) != 0 {
		t.Errorf("ran %v, asked %v", f.scripts, f.probes)
	}
	f.perform = func(context.Context, string, templates.Script) string { return "no such unit" }
	if err := f.DeleteImage(t.Context(), "r.lab/app:1"); err == nil || !strings.HasPrefix(err.Error(), "w1: delete r.lab/app:1: ") || !strings.Contains(err.Error(), "no such unit") {
		t.Errorf("%v", err)
	}
}

// Without a registry of its own, with a name that is none, or without that host nothing is deleted.
func TestDeleteImageRefuses(t *testing.T) {
	if err := converged(t, nil).DeleteImage(t.Context(), "r.lab/app:1"); err == nil || err.Error() != "images.host is not set: fairlead runs no registry" {
		t.Errorf("%v", err)
	}
	f := converged(t, world.OwnRegistryOnWorker)
	if err := f.DeleteImage(t.Context(), "UPPER CASE"); err == nil || len(f.probes) != 0 {
		t.Errorf("%v", err)
	}
	f.lose("w1")
	var unreachable *UnreachableError
	if err := f.DeleteImage(t.Context(), "r.lab/app:1"); !errors.As(err, &unreachable) || err.Error() != "w1: host is unreachable" || len(f.scripts) != 0 {
		t.Errorf("%v", err)
	}
}
