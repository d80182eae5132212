package facts_test

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/object"
	"fairlead/templates"
)

// filled sets every field of a value, at every depth, to something that is not its zero.
func filled(v reflect.Value) {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 11, 25, 1, 2, 3, 4, time.UTC)))
		return
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(netip.MustParseAddr("192.0.2.1")))
		return
	case reflect.TypeFor[netip.Prefix]():
		v.Set(reflect.ValueOf(netip.MustParsePrefix("192.0.2.1/24")))
		return
	case reflect.TypeFor[object.Live]():
		v.Set(reflect.ValueOf(object.Live{Object: map[string]any{"kind": "Line", "a": int64(1) << 60, "b": 0.5, "c": []any{"x", true, nil}}, Yielded: [][]string{{"spec", "replicas"}}}))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				filled(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		filled(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		filled(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		filled(key)
		filled(value)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("<some> & text\n")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(-7)
	case reflect.Uint8:
		v.SetUint(0xff) // alone it is not UTF-8
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(1<<32 - 1)
	default:
		panic("a field of a type that this test does not know: " + v.Type().String())
	}
}

// Whatever field facts have, now or later, it is written and read again.
func TestEveryFieldIsWrittenAndRead(t *testing.T) {
	var whole facts.Facts
	filled(reflect.ValueOf(&whole).Elem())
	empty := facts.Facts{Hosts: map[string]facts.Host{"w1": {
		Unreachable: &facts.Problem{Kind: facts.HostKey, Text: "x"}, CA: []byte{}, Ports: map[int]string{}, Links: []string{}, Contents: map[string][]byte{"/a": {}},
	}}}
	for _, want := range []facts.Facts{whole, empty, {}} {
		written, err := facts.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := facts.Decode(written)
		if err != nil {
			t.Fatalf("%v in:\n%s", err, written)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("read\n%+v\nwant\n%+v\nof\n%s", got, want, written)
		}
	}
	if written, err := facts.Encode(whole); err != nil || !strings.Contains(string(written), "<some> & text") {
		t.Errorf("text is not readable: %s", written)
	}
}

// What stands for an error in a file is one, without what was below it.
func TestProblemsLoseTheirCauses(t *testing.T) {
	cause := errors.New("no route")
	written, err := facts.Encode(facts.Facts{API: facts.API{Err: facts.NewProblem(facts.APINoAnswer, cause)}})
	if err != nil {
		t.Fatal(err)
	}
	read, err := facts.Decode(written)
	if err != nil {
		t.Fatal(err)
	}
	if got := read.API.Err; !got.Of(facts.APINoAnswer) || got.Of(facts.APINoCluster) || got.Error() != "no route" || errors.Is(got, cause) {
		t.Errorf("read %+v", got)
	}
	if (*facts.Problem)(nil).Of(facts.APINoCluster) {
		t.Error("no problem is of a kind")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "EOF",
		`{}`:                               "format 0, want 1",
		`{"format": 2}`:                    "format 2, want 1",
		`{"format": 1} {}`:                 "more after",
		`{"format": 1, "weather": "fine"}`: `unknown field "weather"`,
		`{"format": 1, "hosts": {"a": {"weather": "fine"}}}`:             `unknown field "weather"`,
		`{"format": 1, "api": {"objects": {"a": {"weather": "x"}}}}`:     `unknown field "weather"`,
		`{"format": 1, "hosts": {"a": {"contents": {"/a": 7}}}}`:         "cannot unmarshal",
		`{"format": 1, "hosts": {"a": {"ports": {"ssh": "sshd"}}}}`:      "ssh",
		`{"format": 1, "imageProblems": [{"host": "w1", "image": "x"}]}`: `image "x" without err`,
	} {
		if _, err := facts.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// Nothing that may be secret gets into a file, what was left out is named, and it stays so when
// the file is read and written again.
func TestSecretsAreWithheld(t *testing.T) {
	const manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml"
	host := facts.Host{
		Files: map[string]facts.File{templates.DockerConfigPath: {SHA256: "beef"}},
		Contents: map[string][]byte{
			templates.DockerConfigPath: []byte("{\n  \"registry-mirrors\": [\"https://u:hunter2@mirror.lab\", \"https://other.lab\"],\n  \"insecure-registries\": [\"plain.lab\"],\n" +
				"  \"log-opts\": {\"splunk-token\": \"hunter2\", \"q\": \"a\\\"hunter2\"}, \"debug\": true, \"hosts\": [\"hunter2\"]\n}\n"),
			templates.ContainerdConfigFile:             []byte("[auth]\n  password = \"hunter2\"\n"),
			"/etc/containerd/certs.d/a/hosts.toml":     []byte("[host.\"https://a\".header]\n  Authorization = [\n \"Basic hunter2\"]\n"),
			"/etc/apt/sources.list.d/docker.list":      []byte("deb https://u:hunter2@apt.lab stable\n"),
			"/etc/sysctl.d/99-fairlead.conf":           []byte("net.ipv4.ip_forward = 1\n"),
			"/etc/kubernetes/manifests/of-others.yaml": []byte("hunter2"),
			templates.PackagesRecord:                   []byte("wanted libpam-passwdqc\n"),
			manifest:                                   []byte("- --enable-bootstrap-token-auth=true\n- name: HTTPS_PROXY\n  value: http://u:hunter2@proxy.lab\n"),
		},
		Environment: map[string]string{"HTTPS_PROXY": "http://u:hun@hunter2/x@proxy.lab:3128", "HTTP_PROXY": "u:hunter2@proxy.lab", "NO_PROXY": "10.0.0.0/8"},
		Ledger:      []ledger.Entry{{Kind: ledger.File, Key: "/a", Was: "absent"}},
	}
	secret := map[string]any{
		"apiVersion": "v1", "kind": "Secret", "data": map[string]any{"a": "aHVudGVyMg=="}, "stringData": map[string]any{"b": "hunter2"},
		"metadata": map[string]any{"name": "x", "annotations": map[string]any{"kept": "y", "kubectl.kubernetes.io/last-applied-configuration": "hunter2"}},
	}
	seen := facts.Facts{Hosts: map[string]facts.Host{"w1": host}, API: facts.API{Objects: map[string]object.Live{"Secret app/x": {Object: secret}}}}
	written, err := facts.Encode(seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"hunter2", "aHVudGVyMg", "u:"} {
		if bytes.Contains(written, []byte(word)) {
			t.Errorf("%s is in\n%s", word, written)
		}
	}
	read, err := facts.Decode(written)
	if err != nil {
		t.Fatal(err)
	}
	got := read.Hosts["w1"]
	want := []string{
		"/etc/apt/sources.list.d/docker.list", "/etc/containerd/certs.d/a/hosts.toml", templates.ContainerdConfigFile, templates.DockerConfigPath,
		"/etc/kubernetes/manifests/kube-apiserver.yaml", "/etc/kubernetes/manifests/of-others.yaml", "HTTPS_PROXY", "HTTP_PROXY",
	}
	if !reflect.DeepEqual(got.Withheld, want) {
		t.Errorf("withheld are %q, want %q", got.Withheld, want)
	}
	for path, text := range map[string]string{
		templates.DockerConfigPath: "{\n  \"registry-mirrors\": [\"https://(withheld)@mirror.lab\", \"https://other.lab\"],\n  \"insecure-registries\": [\"plain.lab\"],\n" +
			"  \"log-opts\": {\"splunk-token\": \"(withheld)\", \"q\": \"(withheld)\"}, \"debug\": true, \"hosts\": [\"(withheld)\"]\n}\n",
		manifest:                         "- --enable-bootstrap-token-auth=true\n- name: HTTPS_PROXY\n  value: http://(withheld)@proxy.lab\n",
		"/etc/sysctl.d/99-fairlead.conf": "net.ipv4.ip_forward = 1\n",
		templates.PackagesRecord:         "wanted libpam-passwdqc\n",
	} {
		if string(got.Contents[path]) != text {
			t.Errorf("%s is %q, want %q", path, got.Contents[path], text)
		}
	}
	if len(got.Contents) != 4 || got.Environment["HTTPS_PROXY"] != "http://withheld@proxy.lab:3128" || got.Environment["NO_PROXY"] != "10.0.0.0/8" {
		t.Errorf("read %q and %q", got.Contents, got.Environment)
	}
	if again, err := facts.Encode(read); err != nil || !bytes.Equal(again, written) {
		t.Errorf("written again it is\n%s\ninstead of\n%s", again, written)
	}
	if string(host.Contents[manifest]) == string(got.Contents[manifest]) || secret["data"] == nil {
		t.Error("the facts themselves were changed")
	}
}

// Text that is no JSON cannot be told apart.
func TestDockerConfigThatIsNoJSONIsWithheld(t *testing.T) {
	for text, kept := range map[string]bool{"": true, "\n": true, "{}": true, "{\"a\": \"hunter2}\n": false, "hunter2": false, "\"hunter2\"": true} {
		written, err := facts.Encode(facts.Facts{Hosts: map[string]facts.Host{"w1": {Contents: map[string][]byte{templates.DockerConfigPath: []byte(text)}}}})
		if err != nil {
			t.Fatal(err)
		}
		read, err := facts.Decode(written)
		if err != nil {
			t.Fatal(err)
		}
		if _, exists := read.Hosts["w1"].Contents[templates.DockerConfigPath]; exists != kept || strings.Contains(string(written), "hunter2") {
			t.Errorf("%q becomes\n%s", text, written)
		}
	}
}

// What can be read can be written, and then it stays as it is.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"format": 1, "hosts": {"a": {"contents": {"/etc/docker/daemon.json": "{\"a\": \"b\"}"}, "environment": {"HTTP_PROXY": "http://a:b@c"}}}}`))
	f.Add([]byte(`{"format": 1, "api": {"err": {"kind": "no cluster", "text": "x"}, "objects": {"a": {"object": {"kind": "Secret", "data": 1.50}}}}}`))
	f.Add([]byte(`{"format": 1, "observedAt": "2026-11-25T00:00:00Z", "hosts": {"a": {"ca": {"base64": "/w=="}, "nameservers": ["::1"], "ports": {"22": "sshd"}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		read, err := facts.Decode(text)
		if err != nil {
			return
		}
		written, err := facts.Encode(read)
		if err != nil {
			t.Fatal(err)
		}
		again, err := facts.Decode(written)
		if err != nil {
			t.Fatalf("%v in:\n%s", err, written)
		}
		if twice, err := facts.Encode(again); err != nil || !bytes.Equal(twice, written) {
			t.Errorf("%v: written again\n%s\nis\n%s", err, written, twice)
		}
	})
}
