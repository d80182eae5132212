package kube

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	k8stesting "k8s.io/client-go/testing"

	"fairlead/pki"
)

var testToken = pki.Token{ID: "abcdef", Secret: "0123456789abcdef"}

const ours = "fairlead run 1"

func TestCreateToken(t *testing.T) {
	client, clientset := fakeClient()
	client.now = func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 5, time.FixedZone("", 3600)) }
	if err := client.CreateToken(t.Context(), testToken, 30*time.Minute, ours); err != nil {
		t.Fatal(err)
	}
	secret, err := clientset.CoreV1().Secrets("kube-system").Get(t.Context(), "bootstrap-token-abcdef", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for key, value := range secret.Data {
		got = append(got, key+"="+string(value))
	}
	slices.Sort(got)
	want := []string{
		"auth-extra-groups=system:bootstrappers:kubeadm:default-node-token",
		"description=" + ours,
		"expiration=2026-11-22T11:30:00Z",
		"token-id=abcdef",
		"token-secret=0123456789abcdef",
		"usage-bootstrap-authentication=true",
		"usage-bootstrap-signing=true",
	}
	if !slices.Equal(got, want) || secret.Type != "bootstrap.kubernetes.io/token" {
		t.Errorf("type %s, data %q\nwant %q", secret.Type, got, want)
	}
	err = client.CreateToken(t.Context(), testToken, time.Minute, ours)
	if !apierrors.IsAlreadyExists(err) || strings.Contains(err.Error(), testToken.Secret) {
		t.Errorf("a second time: %v", err)
	}
	for _, ttl := range []time.Duration{0, -time.Second} {
		if err := client.CreateToken(t.Context(), pki.Token{ID: "zzzzzz"}, ttl, ours); err == nil {
			t.Errorf("a token that lives for %v was created", ttl)
		}
	}
}

func TestTokens(t *testing.T) {
	client, clientset := fakeClient(
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "bootstrap-token-zzzzzz"}, Type: "Opaque", Data: map[string][]byte{"description": []byte(ours)}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "other"}, Type: "bootstrap.kubernetes.io/token", Data: map[string][]byte{"description": []byte(ours)}},
	)
	for id, description := range map[string]string{"bbbbbb": ours, "aaaaaa": ours, "cccccc": "of a human", "dddddd": "", "eeeeee": ours + "b", "ffffff": "a " + ours} {
		if err := client.CreateToken(t.Context(), pki.Token{ID: id, Secret: testToken.Secret}, time.Minute, description); err != nil {
			t.Fatal(err)
		}
	}
	clientset.ClearActions()
	tokens, err := client.Tokens(t.Context())
	var got []string
	for _, token := range tokens {
		got = append(got, token.ID+" "+token.Description)
		if token.Expired(time.Now()) || !token.Expired(time.Now().Add(2*time.Minute)) {
			t.Errorf("%s expires at %v", token.ID, token.Expires)
		}
	}
	if want := []string{"aaaaaa " + ours, "bbbbbb " + ours, "cccccc of a human", "dddddd ", "eeeeee " + ours + "b", "ffffff a " + ours}; err != nil || !slices.Equal(got, want) {
		t.Errorf("Tokens = %q, %v", got, err)
	}
	if fields := clientset.Actions()[0].(k8stesting.ListAction).GetListRestrictions().Fields.String(); fields != "type=bootstrap.kubernetes.io/token" {
		t.Errorf("listed with %q: secrets of others travel too", fields)
	}
	for range 2 {
		if err := client.DeleteToken(t.Context(), "aaaaaa"); err != nil {
			t.Fatal(err)
		}
	}
	if tokens, err := client.Tokens(t.Context()); err != nil || len(tokens) != 5 || tokens[0].ID != "bbbbbb" {
		t.Errorf("Tokens = %q, %v", tokens, err)
	}
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", nil)
	clientset.PrependReactor("*", "secrets", refuseWith(forbidden))
	if _, err := client.Tokens(t.Context()); !apierrors.IsForbidden(err) {
		t.Errorf("Tokens = %v, want forbidden", err)
	}
	if err := client.DeleteToken(t.Context(), "bbbbbb"); !apierrors.IsForbidden(err) {
		t.Errorf("DeleteToken = %v, want forbidden", err)
	}
}

// An expiry is a time; one that cannot be read has come, and one that is missing never comes.
func TestTokenExpires(t *testing.T) {
	for text, want := range map[string]time.Time{
		"": {}, "2026-11-30T12:00:00Z": time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), "never": time.Unix(0, 0),
	} {
		client, _ := fakeClient(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "bootstrap-token-aaaaaa"}, Type: "bootstrap.kubernetes.io/token",
			Data: map[string][]byte{"expiration": []byte(text)},
		})
		tokens, err := client.Tokens(t.Context())
		if err != nil || len(tokens) != 1 || !tokens[0].Expires.Equal(want) || tokens[0].Expired(time.Now()) == want.IsZero() && text == "" {
			t.Errorf("%q: %v, %v", text, tokens, err)
		}
	}
}

// The signature was made by k8s.io/cluster-bootstrap/token/jws; it stands in its tests.
const (
	signedContent = "Hello from the other side. I must have called a thousand times."
	signature     = "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8"
)

var signingToken = pki.Token{ID: "joshua", Secret: "my voice is my passcode"}

func TestSigned(t *testing.T) {
	for i, c := range []struct {
		content, signature string
		token              pki.Token
		want               bool
	}{
		{signedContent, signature, signingToken, true},
		{signedContent + " ", signature, signingToken, false},
		{signedContent, signature, pki.Token{ID: "joshua", Secret: "another"}, false},
		{signedContent, signature + "AAAA", signingToken, false},
		{signedContent, strings.Replace(signature, "..", ".", 1), signingToken, false},
		{signedContent, "x..!", signingToken, false},
		{signedContent, "", signingToken, false},
	} {
		if got := signed(c.content, c.signature, c.token); got != c.want {
			t.Errorf("case %d: %v, want %v", i, got, c.want)
		}
	}
}

func TestWaitTokenSigned(t *testing.T) {
	info := func(data ...string) *corev1.ConfigMap {
		m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-public", Name: "cluster-info"}, Data: map[string]string{}}
		for i := 0; i < len(data); i += 2 {
			m.Data[data[i]] = data[i+1]
		}
		return m
	}
	client, clientset := fakeClient()
	watches(clientset, "configmaps", []watch.Event{
		{Type: watch.Added, Object: info("kubeconfig", signedContent, "jws-kubeconfig-others", signature)},
		{Type: watch.Modified, Object: info("kubeconfig", "old", "jws-kubeconfig-joshua", signature)},
	}, []watch.Event{
		{Type: watch.Modified, Object: info("kubeconfig", signedContent, "jws-kubeconfig-joshua", signature)},
	})
	if err := client.WaitTokenSigned(t.Context(), signingToken); err != nil {
		t.Fatal(err)
	}
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", nil)
	clientset.PrependReactor("list", "configmaps", refuseWith(forbidden))
	err := client.WaitTokenSigned(t.Context(), signingToken)
	if !apierrors.IsForbidden(err) || strings.Contains(fmt.Sprint(err), signingToken.Secret) {
		t.Errorf("WaitTokenSigned = %v", err)
	}
}
