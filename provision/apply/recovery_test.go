package apply_test

import (
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairlead/pki"
	"fairlead/provision/plan"
	"fairlead/templates"
)

const (
	etcdManifest = "/etc/kubernetes/manifests/etcd.yaml"
	etcdPod      = "spec:\n  containers:\n  - command:\n    - etcd\n    - --name=cp1\n"
)

// etcd gives cp1 an etcd that lists as many members as left says, and says of itself that it is healthy or not.
func (w *world) etcd(members *atomic.Int32, healthy *atomic.Bool) {
	authority, err := pki.NewAuthority(rand.Reader, "etcd-ca", time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	certificate, key, err := authority.IssueServer(rand.Reader, nil, []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.11")}, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		w.t.Fatal(err)
	}
	handler := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		const member = `{"ID":"1","name":"cp1","clientURLs":["https://192.0.2.11:2379"]}`
		switch {
		case r.URL.Path == "/health" && healthy.Load():
			_, _ = io.WriteString(rw, `{"health":"true"}`)
		case r.URL.Path == "/v3/cluster/member/list" && (members.Load() == 1 || string(body) == `{"linearizable":false}`):
			list := slices.Repeat([]string{member}, int(members.Load()))
			_, _ = io.WriteString(rw, `{"members":[`+strings.Join(list, ",")+`]}`)
		default:
			rw.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(rw, `{"message":"etcdserver: request timed out"}`)
		}
	})
	_, listener := serve(w.t, handler, func(s *httptest.Server) {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
		s.StartTLS()
	})
	w.cp1.dial = func(string) (net.Conn, error) { return listener.connect() }
	w.secret(string(key))
	w.cp1.put("/etc/kubernetes/pki/etcd/ca.crt", "644", string(authority.CertificatePEM()))
	w.cp1.put("/etc/kubernetes/pki/apiserver-etcd-client.crt", "644", string(certificate))
	w.cp1.put("/etc/kubernetes/pki/apiserver-etcd-client.key", "600", string(key))
}

// The mark says that there is no way back before the manifest takes it away.
func TestForceNewCluster(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if said := w.do(plan.ForceNewCluster{}); !strings.Contains(said, templates.RecoveryMark) {
			t.Errorf("without a mark it said %q", said)
		}
		w.cp1.put(templates.RecoveryMark, "600", "begun\nlost cp2\n")
		w.cp1.put(templates.RecoveryManifest, "600", "not of kubeadm")
		if said := w.do(plan.ForceNewCluster{}); !strings.Contains(said, "the manifest of etcd is not as kubeadm writes it") || w.cp1.file(templates.RecoveryMark) != "600 begun\nlost cp2\n" {
			t.Errorf("it said %q, and the mark is %s", said, w.cp1.file(templates.RecoveryMark))
		}
		w.cp1.put(templates.RecoveryManifest, "600", etcdPod)
		w.cp1.fails("write "+etcdManifest, "no space left")
		if said := w.do(plan.ForceNewCluster{}); !strings.Contains(said, "no space left") || w.cp1.file(templates.RecoveryMark) != "600 forced\nlost cp2\n" {
			t.Errorf("it said %q, and the mark is %s", said, w.cp1.file(templates.RecoveryMark))
		}
		w.cp1.fails("write "+etcdManifest, "")
		w.well(w.do(plan.ForceNewCluster{}))
		if is := w.cp1.file(etcdManifest); is != "600 "+strings.Replace(etcdPod, "- etcd\n", "- etcd\n    - --force-new-cluster=true\n", 1) {
			t.Errorf("the manifest is %s", is)
		}
	})
}

// The flag goes only once etcd has forgotten the others.
func TestEndForce(t *testing.T) {
	action := plan.EndForce{Address: netip.MustParseAddr("192.0.2.11")}
	forced, err := templates.Force([]byte(etcdPod))
	if err != nil {
		t.Fatal(err)
	}
	for name, kept := range map[string]bool{"with the former manifest": true, "by hand": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				var members atomic.Int32
				var healthy atomic.Bool
				members.Store(3)
				w.etcd(&members, &healthy)
				w.cp1.put(etcdManifest, "600", string(forced))
				if kept {
					w.cp1.put(templates.RecoveryManifest, "600", etcdPod)
				}
				w.cp1.answer(answer{}, templates.ScriptRecoverEtcd)
				if took, said := w.lasts(action); took != 3*time.Minute || !strings.Contains(said, "wait for etcd: ") || w.cp1.file(etcdManifest) != "600 "+string(forced) {
					t.Errorf("with three members it took %v and said %q; the manifest is %s", took, said, w.cp1.file(etcdManifest))
				}
				members.Store(1)
				if _, said := w.lasts(action); !strings.Contains(said, "etcd is not healthy") {
					t.Errorf("it said %q", said)
				}
				healthy.Store(true)
				w.well(w.do(action))
				if is := w.cp1.file(etcdManifest); is != "600 "+etcdPod {
					t.Errorf("the manifest is %s", is)
				}
			})
		})
	}
}

// An etcd without a quorum answers, too.
func TestAwaitMember(t *testing.T) {
	inWorld(t, func(_ *testing.T, w *world) {
		var members atomic.Int32
		var healthy atomic.Bool
		members.Store(3)
		w.etcd(&members, &healthy)
		w.well(w.do(plan.AwaitMember{Address: netip.MustParseAddr("192.0.2.11")}))
	})
}
