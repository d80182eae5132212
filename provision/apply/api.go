package apply

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"fairlead/pki"
	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// How long to wait for what the cluster does by itself.
const (
	apiPatience   = 3 * time.Minute
	nodePatience  = 4 * time.Minute
	tokenPatience = time.Minute
)

func (s *stepRun) mintToken(ctx context.Context, _ plan.MintToken) error {
	client, host, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	ca, err := readOn(ctx, host, templates.CACertificate)
	if err != nil {
		return err
	}
	hash, err := pki.CAHash(ca)
	if err != nil {
		return fmt.Errorf("hash the CA certificate: %w", err)
	}
	token, err := pki.NewToken(rand.Reader)
	if err != nil {
		return fmt.Errorf("make bootstrap token: %w", err)
	}
	s.values.mint(credentials{token: token, caHash: hash})
	if err := client.CreateToken(ctx, token, plan.TokenLife, object.DescribeToken(s.run)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tokenPatience)
	defer cancel()
	return client.WaitTokenSigned(ctx, token)
}

func (s *stepRun) revokeToken(ctx context.Context, _ plan.RevokeToken) error {
	credentials, minted := s.values.credentials()
	if !minted {
		return nil
	}
	if err := s.deleteTokens(ctx, plan.DeleteTokens{IDs: []string{credentials.token.ID}}); err != nil {
		return err
	}
	s.values.forget()
	return nil
}

func (s *stepRun) deleteTokens(ctx context.Context, a plan.DeleteTokens) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	for _, id := range a.IDs {
		if err := client.DeleteToken(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *stepRun) copyPKI(ctx context.Context, _ plan.CopyPKI) error {
	_, from, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	for _, name := range sharedPKI() {
		path := "/etc/kubernetes/pki/" + name
		content, err := readOn(ctx, from, path)
		if err != nil {
			return err
		}
		if err := s.write(ctx, path, secret, content); err != nil {
			return err
		}
	}
	return nil
}

func (s *stepRun) awaitAPI(ctx context.Context, _ plan.AwaitAPI) error {
	client, err := s.connections.Through(ctx, s.host)
	if err != nil {
		return err
	}
	return s.await(ctx, apiPatience, []string{templates.ComponentEtcd, templates.ComponentAPIServer}, func(ctx context.Context) error {
		return client.WaitReady(ctx, s.waiting)
	})
}

func (s *stepRun) awaitNode(ctx context.Context, a plan.AwaitNode) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	return s.await(ctx, nodePatience, nil, func(ctx context.Context) error {
		return client.WaitNode(ctx, a.Name, a.Ready, s.waiting)
	})
}

func (s *stepRun) changeNode(ctx context.Context, a plan.ChangeNode) error {
	client, _, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	return client.ChangeNode(ctx, a.Name, a.Change)
}

func sharedPKI() []string {
	return []string{"ca.crt", "ca.key", "sa.key", "sa.pub", "front-proxy-ca.crt", "front-proxy-ca.key", "etcd/ca.crt", "etcd/ca.key"}
}
