package etcd

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// gateway answers as etcd 3.7.3 did: by HOST PATH BODY, with a file of testdata or, after a status, with a text. What is not
// asked for in these very words is an error of the test.
type gateway struct {
	t       *testing.T
	answers map[string]string

	mu    sync.Mutex
	asked []string
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	host, _, _ := strings.Cut(r.Host, ":")
	asked := strings.TrimSpace(host + " " + r.URL.Path + " " + string(body))
	g.mu.Lock()
	g.asked = append(g.asked, asked)
	g.mu.Unlock()
	answer, known := g.answers[asked]
	switch {
	case !known:
		g.t.Errorf("nobody answers %q", asked)
		w.WriteHeader(http.StatusNotFound)
	case strings.HasPrefix(answer, "503 "):
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, strings.TrimPrefix(answer, "503 "))
	case strings.HasPrefix(answer, "{"):
		_, _ = io.WriteString(w, answer)
	default:
		text, err := os.ReadFile(filepath.Join("testdata", answer))
		if err != nil {
			g.t.Error(err)
		}
		_, _ = w.Write(text)
	}
}

const (
	health = "/health"
	status = "/v3/maintenance/status {}"
	list   = "127.0.0.1 /v3/cluster/member/list"
)

func TestMembersAndWhatTheySay(t *testing.T) {
	gateway := &gateway{t: t, answers: map[string]string{
		list + ` {"linearizable":true}`: "members.json",
		"192.0.2.11 " + status:          "status.json",
		"192.0.2.11 " + health:          `{"health":"true","reason":""}`,
		"192.0.2.12 " + status:          "status-alarm.json",
		"192.0.2.12 " + health:          `503 {"health":"false","reason":"ALARM NOSPACE"}`,
	}}
	client := clientOf(t, gateway, func(address string) bool { return !strings.HasPrefix(address, "192.0.2.13:2379") })
	members, err := client.Members(t.Context(), true)
	if err != nil || len(members) != 4 {
		t.Fatalf("%v, %v", members, err)
	}
	seen := client.Look(t.Context(), members)
	learner, cp1, cp2, cp3 := seen[0], seen[1], seen[2], seen[3] // who has no name comes first
	if s := cp1.Status; cp1.Name != "cp1" || cp1.Number() != "2a" || !cp1.Listens || !cp1.Healthy || s == nil || s.Version != "3.7.3" ||
		s.StorageVersion != "3.7.0" || s.Leader != "42" || s.Revision != 1234 || s.RaftIndex != 1500 || s.Size != 4096000 || s.InUse != 2048000 ||
		len(s.Alarms)+len(s.Errors) != 0 {
		t.Errorf("%+v of %+v", s, cp1)
	}
	if s := cp2.Status; cp2.Healthy || !cp2.Listens || s == nil || s.Leader != "" || !slices.Equal(s.Alarms, []string{"NOSPACE"}) ||
		!slices.Equal(s.Errors, []string{"etcdserver: no leader"}) {
		t.Errorf("%+v of %+v", s, cp2)
	}
	if cp3.Status != nil || !cp3.Listens || cp3.Healthy { // its peers' address is open
		t.Errorf("%+v", cp3)
	}
	if learner.Status != nil || learner.Started() || !learner.Learner || learner.Healthy {
		t.Errorf("%+v", learner)
	}
}

// Without a quorum a member says what it knows, and that is not taken for what the cluster knows.
func TestMembersWithoutAQuorum(t *testing.T) {
	gateway := &gateway{t: t, answers: map[string]string{
		list + ` {"linearizable":true}`:  `503 {"code":14,"message":"etcdserver: request timed out"}`,
		list + ` {"linearizable":false}`: "members.json",
	}}
	client := clientOf(t, gateway, func(string) bool { return true })
	if members, err := client.Members(t.Context(), true); len(members) != 0 || err == nil || !strings.Contains(err.Error(), "request timed out") {
		t.Errorf("%v, %v", members, err)
	}
	if members, err := client.Members(t.Context(), false); len(members) != 4 || err != nil {
		t.Errorf("%v, %v", members, err)
	}
}

// Only the leader hands its part over, and one that leads already is left alone.
func TestMoveLeader(t *testing.T) {
	gateway := &gateway{t: t, answers: map[string]string{
		list + ` {"linearizable":true}`: "members.json",
		"192.0.2.11 " + status:          "status.json", // 42, which is cp1, leads
		`192.0.2.11 /v3/maintenance/transfer-leadership {"targetID":"43"}`: `{}`,
		`192.0.2.11 /v3/maintenance/transfer-leadership {"targetID":"44"}`: `503 {"message":"etcdserver: unhealthy"}`,
	}}
	client := clientOf(t, gateway, func(string) bool { return true })
	for target, want := range map[string]string{"42": "", "43": "", "44": "move the lead of etcd from cp1 (https://192.0.2.11:2380) to the member 2c: etcd answers 503: etcdserver: unhealthy"} {
		gateway.asked = nil
		err := client.MoveLeader(t.Context(), target)
		if said := errorText(err); said != want {
			t.Errorf("to %s: %s", target, said)
		}
		if told := strings.Contains(strings.Join(gateway.asked, "\n"), "transfer"); told != (target != "42") {
			t.Errorf("to %s: asked %q", target, gateway.asked)
		}
	}
}

func TestDefragmentAndDisarm(t *testing.T) {
	gateway := &gateway{t: t, answers: map[string]string{
		"192.0.2.12 /v3/maintenance/defragment {}":                                                  `{}`,
		`127.0.0.1 /v3/maintenance/alarm {"action":"DEACTIVATE","alarm":"NOSPACE","memberID":"43"}`: `{"alarms":[]}`,
	}}
	client := clientOf(t, gateway, func(string) bool { return true })
	cp2 := Member{ID: "43", Name: "cp2", PeerURLs: []string{"https://192.0.2.12:2380"}, ClientURLs: []string{"https://192.0.2.12:2379"}}
	if err := errors.Join(client.Defragment(t.Context(), cp2), client.Disarm(t.Context(), cp2, "NOSPACE")); err != nil {
		t.Error(err)
	}
	cp2.ClientURLs = nil
	if err := client.Defragment(t.Context(), cp2); !errors.Is(err, errNotStarted) {
		t.Errorf("%v", err)
	}
}

// files are those of a host.
type files map[string]string

func (files) Name() string { return "cp1" }

func (f files) ReadFile(_ context.Context, path string) ([]byte, error) {
	if text, there := f[path]; there {
		return []byte(text), nil
	}
	return nil, errors.New("no " + path)
}

func (files) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("nobody is there")
}

func TestThroughNeedsCredentials(t *testing.T) {
	if _, err := Through(t.Context(), files{caFile: "x"}, netip.Addr{}); errorText(err) != "on cp1: no "+certificateFile {
		t.Error(err)
	}
	if _, err := Through(t.Context(), files{caFile: "x", certificateFile: "y", keyFile: "z"}, netip.Addr{}); err == nil {
		t.Error("it made a client of nothing")
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
