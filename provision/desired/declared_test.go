package desired

import (
	"reflect"
	"slices"
	"testing"

	"fairlead/inventory"
)

func TestDeclaredRegistries(t *testing.T) {
	plain := func(host string, mirrors ...inventory.Mirror) inventory.Registry {
		return inventory.Registry{Host: host, PlainHTTP: true, Mirrors: mirrors}
	}
	hub := inventory.Mirror{Of: "docker.io"}
	for _, c := range []struct {
		name    string
		images  []inventory.Registry
		runtime inventory.Runtime
		want    []inventory.Registry
	}{
		{name: "nothing"},
		{name: "only images", images: []inventory.Registry{{Host: "a.lab", User: "u"}}, want: []inventory.Registry{{Host: "a.lab", User: "u"}}},
		{name: "insecure", runtime: inventory.Runtime{InsecureRegistries: []string{"b.lab:5000", "a.lab"}}, want: []inventory.Registry{plain("b.lab:5000"), plain("a.lab")}},
		{name: "insecure and known", images: []inventory.Registry{plain("a.lab")}, runtime: inventory.Runtime{InsecureRegistries: []string{"a.lab"}}, want: []inventory.Registry{plain("a.lab")}},
		{name: "mirrors in order", runtime: inventory.Runtime{Mirrors: map[string][]string{
			"quay.io": {"https://m.lab/quay"}, "docker.io": {"https://m.lab/hub/", "http://n.lab:5000", "https://m.lab"},
		}}, want: []inventory.Registry{
			{Host: "m.lab", Mirrors: []inventory.Mirror{{Of: "docker.io", Path: "hub"}, hub, {Of: "quay.io", Path: "quay"}}}, plain("n.lab:5000", hub),
		}},
		{name: "a mirror with a user", images: []inventory.Registry{{Host: "m.lab", User: "u", CA: "/ca"}}, runtime: inventory.Runtime{Mirrors: map[string][]string{"docker.io": {"https://m.lab"}}},
			want: []inventory.Registry{{Host: "m.lab", User: "u", CA: "/ca", Mirrors: []inventory.Mirror{hub}}}},
		{name: "an insecure mirror", runtime: inventory.Runtime{InsecureRegistries: []string{"m.lab"}, Mirrors: map[string][]string{"docker.io": {"http://m.lab"}}},
			want: []inventory.Registry{plain("m.lab", hub)}},
		{name: "both ways of reaching one", runtime: inventory.Runtime{InsecureRegistries: []string{"m.lab"}, Mirrors: map[string][]string{"docker.io": {"https://m.lab"}}},
			want: []inventory.Registry{plain("m.lab"), {Host: "m.lab", Mirrors: []inventory.Mirror{hub}}}},
	} {
		cluster := &inventory.Cluster{Runtime: c.runtime, Images: inventory.Images{Registries: slices.Clone(c.images)}}
		if got := declaredRegistries(cluster); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", c.name, got, c.want)
		}
		if !reflect.DeepEqual(cluster.Images.Registries, slices.Clone(c.images)) {
			t.Errorf("%s: the inventory has become %+v", c.name, cluster.Images.Registries)
		}
	}
}

// The inventory's own lists are not written to, not even behind their end.
func TestDeclaredRegistriesCopy(t *testing.T) {
	mirrors := make([]inventory.Mirror, 1, 4)
	cluster := &inventory.Cluster{
		Images:  inventory.Images{Registries: []inventory.Registry{{Host: "m.lab", Mirrors: mirrors}}},
		Runtime: inventory.Runtime{Mirrors: map[string][]string{"docker.io": {"https://m.lab"}}},
	}
	if declared := declaredRegistries(cluster); len(declared[0].Mirrors) != 2 || mirrors[:2][1] != (inventory.Mirror{}) {
		t.Errorf("declared %+v, the inventory has %+v", declared, mirrors[:2])
	}
}

func TestDockerMirrors(t *testing.T) {
	for _, c := range []struct {
		name      string
		runtime   inventory.Runtime
		want      []string
		configure bool
	}{
		{name: "no word of them"},
		{name: "none", runtime: inventory.Runtime{Mirrors: map[string][]string{}}, want: []string{}, configure: true},
		{name: "of others", runtime: inventory.Runtime{Mirrors: map[string][]string{"quay.io": {"https://q"}}}, want: []string{}, configure: true},
		{name: "of Docker Hub", runtime: inventory.Runtime{Mirrors: map[string][]string{"docker.io": {"https://b", "https://a"}}}, want: []string{"https://b", "https://a"}, configure: true},
		{name: "insecure registries only", runtime: inventory.Runtime{InsecureRegistries: []string{}}, configure: true},
	} {
		wish := State{Cluster: &inventory.Cluster{Runtime: c.runtime}}
		if got := wish.DockerMirrors(); !reflect.DeepEqual(got, c.want) || wish.ConfiguresDocker() != c.configure {
			t.Errorf("%s: %#v, configures %v", c.name, got, wish.ConfiguresDocker())
		}
	}
}
