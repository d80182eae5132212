package apply_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"fairlead/pki"
	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// secrets is where the API has the Secrets of bootstrap tokens.
const secrets = "/api/v1/namespaces/kube-system/secrets/"

// bootstrapToken is a Secret that holds a token.
func bootstrapToken(description string) fields {
	return fields{"type": "bootstrap.kubernetes.io/token", "data": fields{"description": base64.StdEncoding.EncodeToString([]byte(description))}}
}

// makeCA puts the cluster's CA where kubeadm has it.
func (w *world) makeCA() *pki.Authority {
	w.t.Helper()
	authority, err := pki.NewAuthority(rand.Reader, "kubernetes", time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	w.cp1.put(templates.CACertificate, "644", string(authority.CertificatePEM()))
	return authority
}

// token is the bootstrap token that the API server was last told to create. It is a secret from then on.
func (w *world) token() pki.Token {
	w.t.Helper()
	var secret struct{ Data map[string][]byte }
	if err := json.Unmarshal([]byte(w.api.body("POST "+strings.TrimSuffix(secrets, "/"))), &secret); err != nil {
		w.t.Error(err)
	}
	w.secret(string(secret.Data["token-secret"]))
	return pki.Token{ID: string(secret.Data["token-id"]), Secret: string(secret.Data["token-secret"])}
}

// signTokens has the cluster sign with each token that is created, three seconds later.
func (w *world) signTokens() {
	const info = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
	w.api.put(info, fields{"data": fields{"kubeconfig": "text"}})
	w.api.created = func(_ string, secret fields) {
		data, err := json.Marshal(secret["data"])
		var token struct {
			ID  []byte `json:"token-id"`
			Key []byte `json:"token-secret"`
		}
		if err = errors.Join(err, json.Unmarshal(data, &token)); err != nil {
			w.t.Error(err)
		}
		mac := hmac.New(sha256.New, token.Key)
		mac.Write([]byte("header." + base64.RawURLEncoding.EncodeToString([]byte("text"))))
		signature := "header.." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		time.AfterFunc(3*time.Second, func() {
			w.api.put(info, fields{"data": fields{"kubeconfig": "text", "jws-kubeconfig-" + string(token.ID): signature}})
		})
	}
}

// TestMintToken makes a token that is found by its description and does not outlive the run by much, and waits until nodes
// can trust it.
func TestMintToken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.makeCA()
		w.signTokens()
		start := time.Now()
		w.well(w.doOn("", plan.MintToken{}))
		if took := time.Since(start); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("done after %s", took)
		}
		token := w.token()
		var secret struct{ Data map[string][]byte }
		if err := json.Unmarshal([]byte(w.api.body("POST "+strings.TrimSuffix(secrets, "/"))), &secret); err != nil {
			t.Fatal(err)
		}
		if _, err := pki.ParseToken(token.Value()); err != nil || string(secret.Data["description"]) != object.DescribeToken("1a2b3c4d") ||
			string(secret.Data["expiration"]) != start.Add(plan.TokenLife).UTC().Format(time.RFC3339) {
			t.Errorf("token %s, %v, with %q", token, err, secret.Data)
		}
	})
}

// TestMintTokenFails has a token not be made, or not be signed with. One that may be in the cluster is revoked later.
func TestMintTokenFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if said := w.doOn("", plan.MintToken{}); !strings.HasPrefix(said, "on cp1: read /etc/kubernetes/pki/ca.crt: ") {
			t.Errorf("without a CA: %q", said)
		}
		w.cp1.put(templates.CACertificate, "644", "no certificate")
		if said := w.doOn("", plan.MintToken{}); !strings.HasPrefix(said, "hash the CA certificate: ") {
			t.Errorf("with a broken CA: %q", said)
		}
		w.well(w.doOn("", plan.RevokeToken{}))
		w.did("cp1: read /etc/kubernetes/pki/ca.crt", "cp1: read /etc/kubernetes/pki/ca.crt")

		w.makeCA()
		w.api.refuse("POST "+strings.TrimSuffix(secrets, "/"), 422)
		said := w.doOn("", plan.MintToken{})
		token := w.token()
		if !strings.HasPrefix(said, "create bootstrap token "+token.String()+": ") {
			t.Errorf("refused: %q", said)
		}
		w.did("cp1: read /etc/kubernetes/pki/ca.crt", "api: POST "+strings.TrimSuffix(secrets, "/"))
		w.well(w.doOn("", plan.RevokeToken{}))
		w.did("api: DELETE " + secrets + "bootstrap-token-" + token.ID)
	})
}

// TestMintTokenWaitsForASignature has the cluster sign with no token.
func TestMintTokenWaitsForASignature(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.makeCA()
		took, said := w.lasts(plan.MintToken{})
		if took != time.Minute || !strings.HasPrefix(said, "wait for signature of bootstrap token "+w.token().String()) {
			t.Errorf("after %s: %s", took, said)
		}
	})
}

// TestRevokeToken deletes the token of the run once it is there, and once only; until it is gone, it is deleted again.
func TestRevokeToken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.well(w.doOn("", plan.RevokeToken{}))
		w.did()
		w.makeCA()
		w.signTokens()
		w.well(w.doOn("", plan.MintToken{}))
		deletion := "DELETE " + secrets + "bootstrap-token-" + w.token().ID
		w.api.refuse(deletion, 422)
		if said := w.doOn("", plan.RevokeToken{}); !strings.HasPrefix(said, "delete bootstrap token "+w.token().ID+": ") {
			t.Errorf("said %q", said)
		}
		w.api.refuse(deletion, 0)
		w.well(w.doOn("", plan.RevokeToken{}))
		w.well(w.doOn("", plan.RevokeToken{}))
		w.did("cp1: read /etc/kubernetes/pki/ca.crt", "api: POST "+strings.TrimSuffix(secrets, "/"), "api: "+deletion, "api: "+deletion)
		if w.cp1.answer(answer{}, templates.ScriptKubeadm); w.do(plan.KubeadmJoin{Cluster: cluster()}) != "join: there is no bootstrap token in this run" {
			t.Error("a revoked token serves to join")
		}
	})
}

// TestRunsShareNoToken has the token of one plan be none for the next.
func TestRunsShareNoToken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.makeCA()
		w.signTokens()
		w.well(w.doOn("", plan.MintToken{}))
		w.token()
		w.steps = w.applier.Perform(nil)
		if said := w.do(plan.KubeadmJoin{Cluster: cluster()}); said != "join: there is no bootstrap token in this run" {
			t.Errorf("said %q", said)
		}
	})
}

// TestDeleteTokens deletes tokens in their order, and ends with the first that cannot be deleted. One that is gone already is fine.
func TestDeleteTokens(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.api.put(secrets+"bootstrap-token-bbbbbb", bootstrapToken("x"))
		w.well(w.doOn("", plan.DeleteTokens{IDs: []string{"aaaaaa", "bbbbbb"}}))
		if w.api.has(secrets + "bootstrap-token-bbbbbb") {
			t.Error("the token is there")
		}
		w.api.refuse("DELETE "+secrets+"bootstrap-token-aaaaaa", 422)
		if said := w.doOn("", plan.DeleteTokens{IDs: []string{"aaaaaa", "cccccc"}}); !strings.HasPrefix(said, "delete bootstrap token aaaaaa: ") {
			t.Errorf("said %q", said)
		}
		w.did("api: DELETE "+secrets+"bootstrap-token-aaaaaa", "api: DELETE "+secrets+"bootstrap-token-bbbbbb", "api: DELETE "+secrets+"bootstrap-token-aaaaaa")
	})
}
