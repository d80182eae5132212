package provision

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"fairlead/pki"
	"fairlead/provision/kube"
	"fairlead/provision/remote"
)

// How long to wait for what the cluster does by itself.
const (
	apiPatience   = 3 * time.Minute
	nodePatience  = 4 * time.Minute
	tokenPatience = time.Minute
)

// MintToken makes the bootstrap token of this run and reads the CA certificate that the
// joins pin, over the verified SSH connection.
type MintToken struct{}

// Describe implements Action.
func (MintToken) Describe() string {
	return fmt.Sprintf("create Secret kube-system/bootstrap-token-… (lives at most %v), read %s", tokenLife, caPath)
}

func (MintToken) touches() []touch { return nil }

func (MintToken) apply(ctx context.Context, s *stepRun) error {
	client, host, err := s.session.api(ctx)
	if err != nil {
		return err
	}
	ca, err := host.ReadFile(ctx, caPath)
	if err != nil {
		return fmt.Errorf("read the CA certificate: %w", err)
	}
	hash, err := pki.CAHash(ca)
	if err != nil {
		return fmt.Errorf("hash the CA certificate: %w", err)
	}
	token, err := pki.NewToken(rand.Reader)
	if err != nil {
		return fmt.Errorf("make bootstrap token: %w", err)
	}
	s.session.setCredentials(&credentials{token: token, caHash: hash})
	if err := client.CreateToken(ctx, token, tokenLife, tokenDescription); err != nil {
		return fmt.Errorf("create bootstrap token: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, tokenPatience)
	defer cancel()
	if err := client.WaitTokenSigned(ctx, token); err != nil {
		return fmt.Errorf("wait for the cluster to sign with the bootstrap token: %w", err)
	}
	return nil
}

// RevokeToken deletes the bootstrap token of this run.
type RevokeToken struct{}

// Describe implements Action.
func (RevokeToken) Describe() string { return "delete Secret kube-system/bootstrap-token-…" }

func (RevokeToken) touches() []touch { return nil }

func (RevokeToken) apply(ctx context.Context, s *stepRun) error {
	credentials := s.session.credentials()
	if credentials == nil {
		return nil
	}
	if err := (DeleteTokens{IDs: []string{credentials.token.ID}}).apply(ctx, s); err != nil {
		return err
	}
	s.session.setCredentials(nil)
	return nil
}

// DeleteTokens deletes bootstrap tokens by their ids.
type DeleteTokens struct{ IDs []string }

// Describe implements Action.
func (a DeleteTokens) Describe() string {
	return "delete bootstrap tokens " + strings.Join(a.IDs, ", ")
}

func (DeleteTokens) touches() []touch { return nil }

func (a DeleteTokens) apply(ctx context.Context, s *stepRun) error {
	client, _, err := s.session.api(ctx)
	if err != nil {
		return err
	}
	for _, id := range a.IDs {
		if err := client.DeleteToken(ctx, id); err != nil {
			return fmt.Errorf("delete bootstrap token %s: %w", id, err)
		}
	}
	return nil
}

// CopyPKI hands the cluster's shared certificates and keys to a further control plane,
// through memory only (kubeadm/app/phases/copycerts: certsToTransfer).
type CopyPKI struct{}

// Describe implements Action.
func (CopyPKI) Describe() string { return "copy the shared certificates and keys from a control plane" }

func (CopyPKI) touches() []touch { return nil }

func sharedPKI() []string {
	return []string{"ca.crt", "ca.key", "sa.key", "sa.pub", "front-proxy-ca.crt", "front-proxy-ca.key", "etcd/ca.crt", "etcd/ca.key"}
}

func (CopyPKI) apply(ctx context.Context, s *stepRun) error {
	_, from, err := s.session.api(ctx)
	if err != nil {
		return err
	}
	for _, name := range sharedPKI() {
		path := "/etc/kubernetes/pki/" + name
		content, err := from.ReadFile(ctx, path)
		if err != nil {
			return fmt.Errorf("read %s on %s: %w", path, from.Name(), err)
		}
		if _, err := s.host.WriteFile(ctx, remote.File{Path: path, Mode: fs.FileMode(0o600), Content: content}); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}

// AwaitAPI waits until the API server answers.
type AwaitAPI struct{}

// Describe implements Action.
func (AwaitAPI) Describe() string { return "wait until /readyz answers" }

func (AwaitAPI) touches() []touch { return nil }

func (AwaitAPI) apply(ctx context.Context, s *stepRun) error {
	client, err := s.session.connectAPI(ctx, s.host)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, apiPatience)
	defer cancel()
	return client.WaitReady(ctx, s.waiting)
}

// AwaitNode waits until a node is registered, or Ready.
type AwaitNode struct {
	Name  string
	Ready bool
}

// Describe implements Action.
func (a AwaitNode) Describe() string {
	if a.Ready {
		return "wait until node " + a.Name + " is Ready"
	}
	return "wait until node " + a.Name + " is registered"
}

func (AwaitNode) touches() []touch { return nil }

func (a AwaitNode) apply(ctx context.Context, s *stepRun) error {
	client, _, err := s.session.api(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, nodePatience)
	defer cancel()
	return client.WaitNode(ctx, a.Name, a.Ready, s.waiting)
}

// ChangeNode sets and removes labels, annotations and taints of a node.
type ChangeNode struct {
	Name   string
	Change kube.NodeChange
}

// Describe implements Action.
func (a ChangeNode) Describe() string { return "patch node " + a.Name }

func (ChangeNode) touches() []touch { return nil }

func (a ChangeNode) apply(ctx context.Context, s *stepRun) error {
	client, _, err := s.session.api(ctx)
	if err != nil {
		return err
	}
	return client.ChangeNode(ctx, a.Name, a.Change)
}
