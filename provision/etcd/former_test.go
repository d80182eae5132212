package etcd

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/pki"
)

// cluster is an etcd of which each member has the same gateway.
type cluster struct {
	members []Member
	sick    []string // names of members that do not answer, or say that they are not well
	open    []string // addresses of peers that answer
	stays   bool     // removing does nothing
	removed []string
	lead    string // the ID of the leader
	moved   string // the ID of who was told to lead
	after   func() // what happens when a member was removed
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	name, _, _ := strings.Cut(r.Host, ":")
	switch {
	case len(r.TLS.PeerCertificates) == 0:
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/health" && slices.Contains(c.sick, name):
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"health":"false","reason":"RAFT NO LEADER"}`))
	case r.URL.Path == "/health":
		_, _ = w.Write([]byte(`{"health":"true","reason":""}`))
	case r.URL.Path == "/v3/cluster/member/list" && string(body) == `{"linearizable":true}`:
		_ = json.NewEncoder(w).Encode(map[string]any{"header": map[string]string{"cluster_id": "1"}, "members": c.members})
	case r.URL.Path == "/v3/cluster/member/remove":
		var request struct{ ID string }
		_ = json.Unmarshal(body, &request)
		c.removed = append(c.removed, request.ID)
		if !c.stays {
			c.members = slices.DeleteFunc(slices.Clone(c.members), func(m Member) bool { return m.ID == request.ID })
		}
		if c.after != nil {
			c.after()
		}
		_, _ = w.Write([]byte(`{}`))
	case r.URL.Path == "/v3/maintenance/status":
		_ = json.NewEncoder(w).Encode(map[string]string{"leader": c.lead})
	case r.URL.Path == "/v3/maintenance/transfer-leadership":
		var request struct{ TargetID string }
		_ = json.Unmarshal(body, &request)
		if i := slices.IndexFunc(c.members, func(m Member) bool { return m.ID == c.lead }); i < 0 || !strings.Contains(c.members[i].PeerURLs[0], name+":") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"message":"etcdserver: not leader"}`))
			return
		}
		c.moved, c.lead = request.TargetID, request.TargetID
		_, _ = w.Write([]byte(`{}`))
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"code":5,"message":"Not Found"}`))
	}
}

// client asks a cluster of which cp1 is at 192.0.2.11, and so on.
func (c *cluster) client(t *testing.T) *Client {
	t.Helper()
	return clientOf(t, c, func(address string) bool {
		return !strings.HasSuffix(address, ":2380") || slices.Contains(c.open, address)
	})
}

// clientOf is a client of members that are all served by one handler, at those addresses that are open.
func clientOf(t *testing.T, members http.Handler, open func(address string) bool) *Client {
	t.Helper()
	authority, err := pki.NewAuthority(rand.Reader, "etcd-ca", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	addresses := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("192.0.2.12"), netip.MustParseAddr("192.0.2.13")}
	certificate, key, err := authority.IssueServer(rand.Reader, []string{"localhost"}, addresses, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(members)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if !open(address) {
			return nil, errors.New("connection refused")
		}
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	client, err := New("https://127.0.0.1:2379", Credentials{CA: authority.CertificatePEM(), Certificate: certificate, Key: key}, dial)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func at(id, name, address string) Member {
	m := Member{ID: id, Name: name, PeerURLs: []string{"https://" + address + ":2380"}}
	if name != "" {
		m.ClientURLs = []string{"https://" + address + ":2379"}
	}
	return m
}

// Only a member of the host's own address and name goes, where nothing answers and the others can go on without it.
func TestRemoveFormer(t *testing.T) {
	three := func(third Member) []Member {
		return []Member{at("1", "cp1", "192.0.2.11"), at("2", "cp2", "192.0.2.12"), third}
	}
	learner := at("255", "", "192.0.2.13")
	learner.Learner = true
	const byHand = "; if it is gone for good: etcdctl member remove ff, in the pod etcd-… of a control plane that lives"
	for name, c := range map[string]struct {
		cluster cluster
		removed bool
		kept    string // the end of the error
	}{
		"a former member":               {cluster: cluster{members: three(at("255", "cp3", "192.0.2.13"))}, removed: true},
		"none":                          {cluster: cluster{members: three(at("255", "cp4", "192.0.2.14"))}},
		"one that never started":        {cluster: cluster{members: three(learner)}, removed: true},
		"one that answers":              {cluster: cluster{members: three(at("255", "cp3", "192.0.2.13")), open: []string{"192.0.2.13:2380"}}, kept: "something answers at https://192.0.2.13:2380" + byHand},
		"one at another address":        {cluster: cluster{members: three(at("255", "cp3", "192.0.2.14"))}, kept: "etcd has cp3 (https://192.0.2.14:2380), and the host is cp3 at https://192.0.2.13:2380" + byHand},
		"one of another name":           {cluster: cluster{members: three(at("255", "master3", "192.0.2.13"))}, kept: "etcd has master3 (https://192.0.2.13:2380), and the host is cp3 at https://192.0.2.13:2380" + byHand},
		"no quorum without it":          {cluster: cluster{members: three(at("255", "cp3", "192.0.2.13")), sick: []string{"192.0.2.12"}}, kept: "of the other members 1 are well, and 2 are needed" + byHand},
		"one of two":                    {cluster: cluster{members: []Member{at("1", "cp1", "192.0.2.11"), at("255", "cp3", "192.0.2.13")}}, kept: "of the other members 1 are well, and 2 are needed" + byHand},
		"the only one":                  {cluster: cluster{members: []Member{at("255", "cp3", "192.0.2.13")}}, kept: "of the other members 0 are well, and 1 are needed" + byHand},
		"one that stays when told":      {cluster: cluster{members: three(at("255", "cp3", "192.0.2.13")), stays: true}, kept: "remove the etcd member cp3 (https://192.0.2.13:2380): it is still there"},
		"an answer without any members": {kept: "list etcd's members: there are none in the answer"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := c.cluster
			client := cluster.client(t)
			removed, err := client.RemoveFormer(t.Context(), "cp3", "https://192.0.2.13:2380")
			if removed != c.removed || (err == nil) != (c.kept == "") || err != nil && !strings.HasSuffix(err.Error(), c.kept) {
				t.Fatalf("removed %v, %v", removed, err)
			}
			if told := len(cluster.removed) > 0; told != (c.removed || cluster.stays) || told && cluster.removed[0] != "255" {
				t.Errorf("told to remove %q", cluster.removed)
			}
			if strings.Contains(c.kept, "by hand") && !errors.Is(err, ErrKept) {
				t.Errorf("%v is not ErrKept", err)
			}
			if removed, err := client.RemoveFormer(t.Context(), "cp3", "https://192.0.2.13:2380"); c.removed && (removed || err != nil) {
				t.Errorf("the second time it removed %v, %v", removed, err)
			}
		})
	}
}

// An etcd that cannot be asked is no etcd without such a member.
func TestRemoveFormerNeedsAnAnswer(t *testing.T) {
	cluster := &cluster{members: []Member{at("1", "cp1", "192.0.2.11")}}
	client := cluster.client(t)
	client.endpoint = "https://127.0.0.1:2379/other"
	if _, err := client.RemoveFormer(t.Context(), "cp3", "https://192.0.2.13:2380"); err == nil || !strings.Contains(err.Error(), "etcd answers 404: Not Found") {
		t.Errorf("%v", err)
	}
	client.dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("lost") }
	client.endpoint = "https://192.0.2.99:2379" // which the certificate is not for
	if _, err := client.RemoveFormer(t.Context(), "cp3", "https://192.0.2.13:2380"); err == nil {
		t.Error("it went well")
	}
	if _, err := New("https://127.0.0.1:2379", Credentials{CA: []byte("none")}, nil); err == nil {
		t.Error("it takes any credentials")
	}
}
