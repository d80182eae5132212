//go:build cluster

package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"
)

// joinImpostor sends the joining host to an API server that is not the cluster's, and wants
// the join to fail because of that.
//
// The impostor is the strongest there can be: it knows the token. So it answers the first,
// unverified request of kubeadm's discovery with a cluster-info that has its own CA and a
// right signature (kubeadm's app/discovery/token), and only the pinned hash gives it away.
func (s *site) joinImpostor(host string) {
	s.t.Helper()
	gateway := s.shell(host, "ip -4 route show default | cut -d ' ' -f 3")
	server, asked := s.impostor(host, gateway)
	defer server.Close()
	port := server.Listener.Addr().(*net.TCPAddr).Port
	s.shell(host, fmt.Sprintf("iptables -t nat -A OUTPUT -p tcp -d %s --dport 6443 -j DNAT --to-destination %s:%d", s.address("cp1"), gateway, port))
	o := s.fairlead("up").exits(1)
	o.saysOf(host, "join as worker", "kubeadm join", "none of the public keys", "pinned")
	if asked.Load() == 0 {
		s.t.Error("nobody has asked the impostor")
	}
	if o.took > time.Minute {
		s.t.Errorf("the join needed %v to fail", o.took)
	}
	if nodes := s.nodes(); len(nodes) != 3 {
		s.t.Errorf("there are %d nodes", len(nodes))
	}
	if out := s.shell(host, "ls /etc/kubernetes/kubelet.conf "+kubeadmConfig+" 2>/dev/null || :"); out != "" {
		s.t.Errorf("the failed join has left %s", out)
	}
}

// impostor serves a cluster-info of its own on the machine's side of the lab's network.
func (s *site) impostor(host, address string) (server *httptest.Server, asked *atomic.Int32) {
	s.t.Helper()
	asked = new(atomic.Int32)
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		s.t.Fatal(err)
	}
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/namespaces/kube-public/configmaps/cluster-info") {
			http.Error(w, "not here", http.StatusNotFound)
			return
		}
		asked.Add(1)
		document, err := s.tryShell(host, "cat "+kubeadmConfig)
		joins := (&samples{documents: map[string]bool{document: true}}).join()
		if err != nil || len(joins) != 1 {
			http.Error(w, fmt.Sprintf("no token: %v", err), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(s.clusterInfo(server, joins[0].token)); err != nil {
			s.t.Error(err)
		}
	}))
	server.Listener = listener
	server.StartTLS()
	return server, asked
}

// clusterInfo is the ConfigMap that kubeadm reads, with the impostor's own certificate as
// CA, signed with the token.
func (s *site) clusterInfo(server *httptest.Server, token string) map[string]any {
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	kubeconfig := fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters:\n- name: \"\"\n  cluster:\n    server: https://%s:6443\n    certificate-authority-data: %s\n",
		s.address("cp1"), base64.StdEncoding.EncodeToString(authority))
	id, secret, _ := strings.Cut(token, ".")
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "cluster-info", "namespace": "kube-public"},
		"data":     map[string]any{"kubeconfig": kubeconfig, "jws-kubeconfig-" + id: signature(kubeconfig, id, secret)},
	}
}

// signature is a detached JWS with HS256, as a bootstrap token signs cluster-info
// (cluster-bootstrap/token/jws).
func signature(content, id, secret string) string {
	encode := base64.RawURLEncoding.EncodeToString
	header := encode([]byte(fmt.Sprintf(`{"alg":"HS256","kid":%q}`, id)))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(header + "." + encode([]byte(content))))
	return header + ".." + encode(mac.Sum(nil))
}
