package observe

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"fairlead/pki"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
)

// quorate answers as the etcd of a cluster of two that is well, or of which the second is gone.
type quorate struct {
	lost   bool
	broken bool // nothing is answered
}

func (q quorate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	host, _, _ := strings.Cut(r.Host, ":")
	answer := ""
	switch r.URL.Path {
	case "/v3/cluster/member/list":
		if !q.broken && (!q.lost || string(body) == `{"linearizable":false}`) {
			answer = `{"members":[{"ID":"42","name":"cp1","peerURLs":["https://192.0.2.11:2380"],"clientURLs":["https://192.0.2.11:2379"]},` +
				`{"ID":"43","name":"cp2","peerURLs":["https://192.0.2.12:2380"],"clientURLs":["https://192.0.2.12:2379"]}]}`
		}
	case "/v3/maintenance/status":
		answer = `{"header":{"revision":"77"},"version":"3.7.3","leader":"42","errors":["memberID:43 alarm:NOSPACE "]}`
		if q.lost {
			answer = `{"header":{"revision":"77"},"version":"3.7.3","errors":["etcdserver: no leader"]}`
		}
	case "/health":
		if !q.lost && host == "192.0.2.11" {
			answer = `{"health":"true"}`
		}
	}
	if answer == "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		answer = `{"message":"etcdserver: request timed out"}`
	}
	_, _ = io.WriteString(w, answer)
}

// etcd gives a host of a scene a member of etcd.
func (s *scene) etcd(name string, answers quorate) {
	s.t.Helper()
	authority, err := pki.NewAuthority(rand.Reader, "etcd-ca", time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	addresses := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("192.0.2.12")}
	certificate, key, err := authority.IssueServer(rand.Reader, []string{"localhost"}, addresses, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		s.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(answers)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	s.t.Cleanup(server.Close)
	host := s.hosts[name]
	host.PutFile("/etc/kubernetes/pki/etcd/ca.crt", string(authority.CertificatePEM()))
	host.PutFile("/etc/kubernetes/pki/apiserver-etcd-client.crt", string(certificate))
	host.PutFile("/etc/kubernetes/pki/apiserver-etcd-client.key", string(key))
	host.OnDial(func(ctx context.Context, network, address string) (net.Conn, error) {
		if !strings.HasSuffix(address, ":2379") || answers.lost && strings.HasPrefix(address, "192.0.2.12") {
			return nil, errors.New("no route to host")
		}
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	})
	s.says(name, "uid\t0", "clock\tNOW", "manifest\tetcd.yaml")
}

// The members of etcd are facts: through a control plane whose etcd has a quorum, else of one that answers at all.
func TestObserveEtcd(t *testing.T) {
	member := func(id, name, address string) facts.EtcdMember {
		return facts.EtcdMember{ID: id, Name: name, PeerURLs: []string{"https://" + address + ":2380"}, ClientURLs: []string{"https://" + address + ":2379"}, Started: true}
	}
	cp1, cp2 := member("2a", "cp1", "192.0.2.11"), member("2b", "cp2", "192.0.2.12")
	cp1.Listens, cp1.Healthy, cp1.Leader, cp1.Version = true, true, true, "3.7.3"
	cp2.Listens, cp2.Version, cp2.Alarms = true, "3.7.3", []string{"NOSPACE"}
	well := []facts.EtcdMember{cp1, cp2}
	survivor, dead := member("2a", "cp1", "192.0.2.11"), member("2b", "cp2", "192.0.2.12")
	survivor.Listens, survivor.Version, survivor.Revision = true, "3.7.3", 77
	lost := []facts.EtcdMember{survivor, dead}
	for name, c := range map[string]struct {
		of   map[string]quorate
		want facts.Etcd
	}{
		"well":                         {map[string]quorate{"cp1": {}, "cp2": {}}, facts.Etcd{Via: "cp1", Members: well}},
		"lost":                         {map[string]quorate{"cp1": {lost: true}}, facts.Etcd{Via: "cp1", NoQuorum: true, Members: lost}},
		"one was cut off":              {map[string]quorate{"cp1": {lost: true}, "cp2": {}}, facts.Etcd{Via: "cp2", Members: well}},
		"one is broken":                {map[string]quorate{"cp1": {broken: true}, "cp2": {}}, facts.Etcd{Via: "cp2", Members: well}},
		"nobody has a member":          {nil, facts.Etcd{}},
		"one is broken, the rest lost": {map[string]quorate{"cp1": {broken: true}, "cp3": {lost: true}}, facts.Etcd{Via: "cp3", NoQuorum: true, Members: lost}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, world.State(t, world.ThreeControlPlanes), true)
			for host, answers := range c.of {
				s.etcd(host, answers)
			}
			if got := s.observe().API.Etcd; !reflect.DeepEqual(got, c.want) {
				t.Errorf("etcd is\n%+v, want\n%+v", got, c.want)
			}
		})
	}
}

// An etcd that does not answer is none without members.
func TestObserveEtcdThatIsSilent(t *testing.T) {
	s := newScene(t, world.State(t, world.ThreeControlPlanes), true)
	s.etcd("cp1", quorate{broken: true})
	s.says("cp2", "uid\t0", "clock\tNOW", "manifest\tetcd.yaml")
	got := s.observe().API.Etcd
	if got.Known() || !got.Problem.Of(facts.EtcdNoAnswer) || !strings.Contains(got.Problem.Text, "cp1: list etcd's members: etcd answers 503") || !strings.Contains(got.Problem.Text, "\ncp2: on cp2: ") {
		t.Errorf("%+v", got)
	}
}
