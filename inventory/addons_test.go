package inventory

import (
	"reflect"
	"strings"
	"testing"
)

func TestAddonDefaults(t *testing.T) {
	traefik := &Ingress{Controller: "traefik", HostNetwork: true, Placement: Placement{On: "control-plane"}}
	for text, want := range map[string]Addons{
		"":                              {},
		"addons:":                       {},
		"addons: {metricsServer: }":     {MetricsServer: &MetricsServer{}},
		"addons: {metricsServer: {}}":   {MetricsServer: &MetricsServer{}},
		"addons: {ingress: }":           {Ingress: traefik},
		"addons: {ingress: {}}":         {Ingress: traefik},
		"addons: {manifests: }":         {},
		"addons: {manifests: [/a.yml]}": {Manifests: []Manifest{{Name: "a", Path: "/a.yml"}}},
		"addons: {ingress: {hostNetwork: false, placement: all}}": {
			Ingress: &Ingress{Controller: "traefik", Placement: Placement{On: "all"}}},
		"addons: {ingress: {placement: {nodeSelector: {disk: ssd}}}}": {
			Ingress: &Ingress{Controller: "traefik", HostNetwork: true, Placement: Placement{NodeSelector: map[string]string{"disk": "ssd"}}}},
	} {
		want.Network.Name = "flannel"
		c, warnings, err := Parse("/lab/f", []byte(imagesHead+text+"\n"))
		if err != nil || len(warnings) > 0 || !reflect.DeepEqual(c.Addons, want) {
			t.Errorf("%s: got %+v, %v, %v", text, c, warnings, err)
		}
	}
}

func TestManifestNames(t *testing.T) {
	a63 := strings.Repeat("a", 63)
	tests := []struct {
		m    Manifest
		want string
	}{
		{Manifest{Path: "/a/b.yaml"}, "b"},
		{Manifest{Path: "/a/B_c.v1.YML"}, "b-c-v1"},
		{Manifest{Path: "/a/b.json"}, "b"},
		{Manifest{Path: "/a/b.d"}, "b-d"},
		{Manifest{Path: "/a/-b-"}, "b"},
		{Manifest{Path: "/a/.yaml"}, ""},
		{Manifest{Path: "/"}, ""},
		{Manifest{Path: "/" + a63[1:] + ".b.yaml"}, a63[1:]},
		{Manifest{Path: "/" + a63 + "b"}, a63},
		{Manifest{URL: "https://a.example/x/deploy.yaml?ref=v1"}, "deploy"},
		{Manifest{URL: "https://a.example/x/deploy%20it.yaml"}, "deploy-it"},
		{Manifest{URL: "https://a.example/"}, "a-example"},
		{Manifest{URL: "https://a.example:8443"}, "a-example"},
		{Manifest{}, ""},
	}
	for _, test := range tests {
		if got := manifestName(test.m); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.m, got, test.want)
		}
	}
}

func TestPatchText(t *testing.T) {
	for text, ok := range map[string]bool{
		"'[{op: remove, path: /x}]'": true, "'a: b'": true, "\"a:\\tb\"": true, "\"a: b\\r\\nc: d\"": true, "\"a: 'b\\tc'\"": true,
		"\"---\\na: b\\n---\\nc: d\"": true, "'# nothing'": false, "'*x'": false, "\"a: b\\0\"": false, "5": false, "": false,
	} {
		c, _, err := Parse("/lab/f", []byte(imagesHead+"addons: {manifests: [{path: a.yaml, patches: [{target: {kind: Pod}, patch: "+text+"}]}]}\n"))
		if (err == nil) != ok {
			t.Errorf("%s: got %+v, %v", text, c, err)
		}
		if ok && err == nil && c.Addons.Manifests[0].Patches[0].Inline == "" {
			t.Errorf("%s: no patch", text)
		}
	}
}
