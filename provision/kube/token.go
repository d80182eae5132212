package kube

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	bootstrapapi "k8s.io/cluster-bootstrap/token/api"

	"fairlead/pki"
)

// nodeTokenGroup is the group that `kubeadm init` gives the rights a joining node needs
// (kubeadm's apis/bootstraptoken/v1/defaults.go).
const nodeTokenGroup = "system:bootstrappers:kubeadm:default-node-token"

// CreateToken creates a bootstrap token that serves to join nodes until ttl from now, by this
// machine's clock. The description tells whose it is. A token of the same ID is an
// error, and so is a ttl that is not positive: no token lives for ever.
func (c *Client) CreateToken(ctx context.Context, token pki.Token, ttl time.Duration, description string) error {
	if ttl <= 0 {
		return errors.New("create bootstrap token: its lifetime is not positive")
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:      bootstrapapi.BootstrapTokenSecretPrefix + token.ID,
			Namespace: metav1.NamespaceSystem,
		},
		Type: bootstrapapi.SecretTypeBootstrapToken,
		Data: map[string][]byte{
			bootstrapapi.BootstrapTokenIDKey:               []byte(token.ID),
			bootstrapapi.BootstrapTokenSecretKey:           []byte(token.Secret),
			bootstrapapi.BootstrapTokenDescriptionKey:      []byte(description),
			bootstrapapi.BootstrapTokenExpirationKey:       []byte(c.now().Add(ttl).UTC().Format(time.RFC3339)),
			bootstrapapi.BootstrapTokenUsageSigningKey:     []byte("true"),
			bootstrapapi.BootstrapTokenUsageAuthentication: []byte("true"),
			bootstrapapi.BootstrapTokenExtraGroupsKey:      []byte(nodeTokenGroup),
		},
	}
	_, err := c.clientset.CoreV1().Secrets(metav1.NamespaceSystem).Create(ctx, secret, metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil {
		return fmt.Errorf("create bootstrap token %s: %w", token, err)
	}
	return nil
}

// WaitTokenSigned waits until cluster-info holds a valid signature of the token, without which
// a joining node does not believe it. The controller manager writes it, moments after the
// token is created.
func (c *Client) WaitTokenSigned(ctx context.Context, token pki.Token) error {
	w := &waiting{what: "wait for signature of bootstrap token " + token.String()}
	configMaps := c.clientset.CoreV1().ConfigMaps(metav1.NamespacePublic)
	from := source{
		list: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return configMaps.List(ctx, o)
		},
		watch: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return configMaps.Watch(ctx, o)
		},
	}
	return waitObject(ctx, c, w, bootstrapapi.ConfigMapClusterInfo, from, func(info *corev1.ConfigMap) (bool, string) {
		if info == nil {
			return false, "the ConfigMap kube-public/cluster-info does not exist"
		}
		signature := info.Data[bootstrapapi.JWSSignatureKeyPrefix+token.ID]
		if signature == "" {
			return false, "the ConfigMap kube-public/cluster-info holds no signature of the token"
		}
		if !signed(info.Data[bootstrapapi.KubeConfigKey], signature, token) {
			return false, "the signature in the ConfigMap kube-public/cluster-info is not valid"
		}
		return true, ""
	})
}

// DeleteToken deletes a bootstrap token by its ID. An absent one is fine.
func (c *Client) DeleteToken(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	name := bootstrapapi.BootstrapTokenSecretPrefix + id
	err := c.clientset.CoreV1().Secrets(metav1.NamespaceSystem).Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete bootstrap token %s: %w", id, err)
	}
	return nil
}

// BootstrapToken is what can be said of a bootstrap token without its secret.
type BootstrapToken struct {
	ID, Description string
	// Expires is when it does; zero for one that never does.
	Expires time.Time
}

// Expired says that it serves for nothing any more. One that never expires does so at no time.
func (t BootstrapToken) Expired(now time.Time) bool {
	return !t.Expires.IsZero() && t.Expires.Before(now)
}

// Tokens returns the bootstrap tokens that there are, by ID, expired ones included. An expiry that cannot be read is taken for
// one that has come, as the cluster takes it.
func (c *Client) Tokens(ctx context.Context) ([]BootstrapToken, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	list, err := c.clientset.CoreV1().Secrets(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{
		FieldSelector: "type=" + string(bootstrapapi.SecretTypeBootstrapToken),
	})
	if err != nil {
		return nil, fmt.Errorf("list bootstrap tokens: %w", err)
	}
	var tokens []BootstrapToken
	for _, secret := range list.Items {
		id, isToken := strings.CutPrefix(secret.Name, bootstrapapi.BootstrapTokenSecretPrefix)
		if !isToken || secret.Type != bootstrapapi.SecretTypeBootstrapToken {
			continue
		}
		token := BootstrapToken{ID: id, Description: string(secret.Data[bootstrapapi.BootstrapTokenDescriptionKey])}
		if text := string(secret.Data[bootstrapapi.BootstrapTokenExpirationKey]); text != "" {
			if token.Expires, err = time.Parse(time.RFC3339, text); err != nil {
				token.Expires = time.Unix(0, 0)
			}
		}
		tokens = append(tokens, token)
	}
	slices.SortFunc(tokens, func(a, b BootstrapToken) int { return strings.Compare(a.ID, b.ID) })
	return tokens, nil
}

// signed verifies a detached JWS ("header..signature", HS256 keyed by the token's secret) over
// content, as k8s.io/cluster-bootstrap/token/jws makes it.
func signed(content, detached string, token pki.Token) bool {
	header, signature, ok := strings.Cut(detached, "..")
	if !ok {
		return false
	}
	got, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(token.Secret))
	mac.Write([]byte(header + "." + base64.RawURLEncoding.EncodeToString([]byte(content))))
	return hmac.Equal(got, mac.Sum(nil))
}
