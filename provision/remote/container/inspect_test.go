package container

import (
	"encoding/json"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"

	"fairlead/provision/remote/remotetest"
)

// What the engines say of a container, in the parts that count: each in its own way.
func TestAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want Container
	}{
		"docker": {
			`{"Id": "1", "Name": "/a", "Image": "sha256:00", "State": {"Status": "running", "Running": true, "Pid": 7, "StartedAt": "t"}, "Config": {"Image": "node:1", "Labels": {"k": "v"}},
			  "NetworkSettings": {"IPAddress": "", "Networks": {"z": {"IPAddress": "10.0.0.1", "GlobalIPv6Address": "fd00::1"}, "kind": {"IPAddress": "172.18.0.2"}}}}`,
			Container{ID: "1", Name: "a", Image: "node:1", Status: "running", Running: true, Labels: map[string]string{"k": "v"}, begun: "7 t", Addresses: addresses("172.18.0.2", "10.0.0.1", "fd00::1")},
		},
		"podman": {
			`{"Id": "1", "Name": "a", "ImageName": "docker.io/node:1", "State": {"Status": "paused", "Running": false, "Paused": true}, "NetworkSettings": {"IPAddress": "10.88.0.2", "Networks": {"podman": {"IPAddress": "10.88.0.2"}}}}`,
			Container{ID: "1", Name: "a", Image: "docker.io/node:1", Status: "paused", Paused: true, begun: "0 ", Addresses: addresses("10.88.0.2")},
		},
		"nerdctl": {
			`{"Id": "1", "Name": "a", "Image": "docker.io/node:1", "State": {"Status": "exited"}, "NetworkSettings": {"Ports": {}, "IPAddress": "10.4.0.2", "Networks": {"unknown-eth0": {"IPAddress": "10.4.0.2"}}}}`,
			Container{ID: "1", Name: "a", Image: "docker.io/node:1", Status: "exited", begun: "0 ", Addresses: addresses("10.4.0.2")},
		},
		"no network": {`{"Id": "1", "Name": "a", "State": {"Status": "running", "Running": true}}`, Container{ID: "1", Name: "a", Status: "running", Running: true, begun: "0 "}},
	} {
		var a answer
		if err := json.Unmarshal([]byte(tt.text), &a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := a.container(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}

func addresses(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

func TestList(t *testing.T) {
	e := remotetest.NewEngine(t, Podman, flags[Podman], "")
	t.Setenv("PATH", e.Path+":"+os.Getenv("PATH"))
	e.Run("w1", ids[0], map[string]string{"lab": "a"}, "10.0.0.2")
	e.Run("cp1", ids[1], map[string]string{"lab": "a", "role": "cp"}, "10.0.0.1")
	e.Run("other", strings.Repeat("00", 32), map[string]string{"lab": "b"})
	for label, want := range map[string]string{"lab=a": "cp1 w1", "lab": "cp1 other w1", "role=cp": "cp1", "role=w": ""} {
		found, err := List(t.Context(), Podman, "lab", label)
		var names []string
		for _, c := range found {
			names = append(names, c.Name)
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%s: %s, %v", label, got, err)
		}
	}
	e.Break("Cannot connect to Podman. Please verify your connection")
	if _, err := List(t.Context(), Podman, "", "lab"); err == nil || !strings.HasPrefix(err.Error(), "podman: the engine does not answer (") {
		t.Errorf("got %v", err)
	}
}
