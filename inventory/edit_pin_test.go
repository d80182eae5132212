package inventory

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const somePin = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5bPEXUGXVDCQcXgeE5cGvdPQEQCyE9ywZTeSsnsfCa"

// TestSetHostKeyGolden gives each host of each file of testdata/edit a key. The golden files hold the lines that changed.
func TestSetHostKeyGolden(t *testing.T) {
	for _, file := range files(t, "testdata/edit/*.yaml") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data := readFile(t, file)
			before, _, err := Parse("", data)
			if err != nil {
				if out, err := SetHostKey(data, "cp1", somePin); err == nil || out != nil {
					t.Errorf("a file that is wrong: %v", err)
				}
				return
			}
			var text strings.Builder
			for _, h := range before.Hosts() {
				out, err := SetHostKey(data, h.Name, somePin)
				text.WriteString("== pin " + h.Name + "\n")
				if err != nil {
					text.WriteString(err.Error() + "\n")
					continue
				}
				text.WriteString(changes(string(data), string(out)))
				pinned(t, before, h.Name, out)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".pins", text.String())
		})
	}
}

// pinned checks that a host has the key, and that nothing else is another than it was.
func pinned(t *testing.T, before *Cluster, name string, out []byte) {
	t.Helper()
	after, _, err := Parse("", out)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	want := before.Hosts()
	for i := range want {
		if want[i].Name == name {
			want[i].SSH.HostKey = somePin
		}
	}
	if got := after.Hosts(); !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", name, got, want)
	}
}

// TestSetHostKey holds the shapes of a host's ssh.
func TestSetHostKey(t *testing.T) {
	const head = "apiVersion: fairlead/v1\nkind: Cluster\nname: lab\nkubernetes: {version: 1.37.2, bundle: ./b}\ncontrolPlane:\n  hosts:\n"
	const tail = "    - {name: cp2, address: 192.0.2.2} # the last\n    - {name: cp3, address: 192.0.2.3}\n"
	const pin = `hostKey: "` + somePin + `"`
	for name, c := range map[string]struct{ host, want string }{
		"flow":               {"    - {name: cp1, address: 192.0.2.1} # here\n", "    - {name: cp1, address: 192.0.2.1, ssh: {" + pin + "}} # here\n"},
		"flow with ssh":      {"    - {name: cp1, address: 192.0.2.1, ssh: {user: ann}}\n", "    - {name: cp1, address: 192.0.2.1, ssh: {user: ann, " + pin + "}}\n"},
		"flow, empty ssh":    {"    - {name: cp1, address: 192.0.2.1, ssh: {}}\n", "    - {name: cp1, address: 192.0.2.1, ssh: {" + pin + "}}\n"},
		"block":              {"    - name: cp1\n      address: 192.0.2.1 # lab\n    # of the next\n", "    - name: cp1\n      address: 192.0.2.1 # lab\n      ssh: {" + pin + "}\n    # of the next\n"},
		"block with labels":  {"    - name: cp1\n      address: 192.0.2.1\n      labels:\n        a: b\n\n", "    - name: cp1\n      address: 192.0.2.1\n      labels:\n        a: b\n      ssh: {" + pin + "}\n\n"},
		"block, block ssh":   {"    - name: cp1\n      ssh:\n        user: ann # her\n        port: 23\n      address: 192.0.2.1\n", "    - name: cp1\n      ssh:\n        user: ann # her\n        port: 23\n        " + pin + "\n      address: 192.0.2.1\n"},
		"block, flow ssh":    {"    - name: cp1\n      ssh: {user: ann} # her\n      address: 192.0.2.1\n", "    - name: cp1\n      ssh: {user: ann, " + pin + "} # her\n      address: 192.0.2.1\n"},
		"block, null ssh":    {"    - name: cp1\n      ssh:\n      address: 192.0.2.1\n", "    - name: cp1\n      ssh:\n        " + pin + "\n      address: 192.0.2.1\n"},
		"block over lines":   {"    - name: cp1\n      address: 192.0.2.1\n      labels: {\n  a: b}\n", "    - name: cp1\n      address: 192.0.2.1\n      labels: {\n  a: b}\n      ssh: {" + pin + "}\n"},
		"ssh by an alias":    {"    - {name: cp1, address: 192.0.2.1, ssh: *s}\n", ""},
		"ssh by a merge key": {"    - {<<: *h, name: cp1, address: 192.0.2.1}\n", ""},
		"there is one":       {"    - {name: cp1, address: 192.0.2.1, ssh: {" + pin + "}}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			anchors := ""
			if strings.Contains(c.host, "*") {
				anchors = "    - &h {name: cp0, address: 192.0.2.10, ssh: &s {user: ann}}\n"
			}
			file := head + anchors + c.host + tail
			out, err := SetHostKey([]byte(file), "cp1", somePin)
			if c.want == "" {
				if err == nil || out != nil || name != "there is one" && !errors.Is(err, ErrShape) {
					t.Errorf("got %v\n%s", err, out)
				}
				return
			}
			if err != nil || string(out) != head+anchors+c.want+tail {
				t.Errorf("%v\n%s", err, out)
			}
			dos := strings.ReplaceAll(file, "\n", "\r\n")
			if out, err := SetHostKey([]byte(dos), "cp1", somePin); err != nil || bytes.Count(out, []byte("\r\n")) != bytes.Count(out, []byte("\n")) {
				t.Errorf("lines of DOS: %v\n%q", err, out)
			}
		})
	}
	for _, name := range []string{"w1", ""} {
		if _, err := SetHostKey([]byte(head+tail), name, somePin); err == nil {
			t.Errorf("host %q got a key", name)
		}
	}
	if _, err := SetHostKey([]byte(head+tail), "cp2", "no key"); err == nil {
		t.Error("what is no key was written")
	}
}

func FuzzSetHostKey(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		before, _, err := Parse("", data)
		if err != nil {
			return
		}
		for _, h := range before.Hosts() {
			out, err := SetHostKey(data, h.Name, somePin)
			if err != nil {
				continue
			}
			pinned(t, before, h.Name, out)
			if lost := linesLost(string(data), string(out)); lost > 1 {
				t.Fatalf("%d lines are not there any more:\n%s\n---\n%s", lost, data, out)
			}
		}
	})
}
