package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/templates"
)

func (s *stepRun) kubeadmInit(ctx context.Context, a plan.KubeadmInit) error {
	document, err := templates.Init(a.Cluster, a.Node)
	if err != nil {
		return fmt.Errorf("write kubeadm's configuration: %w", err)
	}
	// The token would be printed into the log.
	if err := s.kubeadm(ctx, document, "init", "--skip-token-print"); err != nil {
		return err
	}
	client, err := s.connections.Through(ctx, s.host)
	if err != nil {
		return fmt.Errorf("reach the new API server: %w", err)
	}
	// kubeadm insists on a token; templates.Init asks for a useless one.
	tokens, err := client.Tokens(ctx)
	if err != nil {
		return fmt.Errorf("find the bootstrap token of kubeadm init: %w", err)
	}
	var ids []string
	for _, token := range tokens {
		if token.Description == templates.InitTokenDescription {
			ids = append(ids, token.ID)
		}
	}
	return s.deleteTokens(ctx, plan.DeleteTokens{IDs: ids})
}

func (s *stepRun) kubeadmJoin(ctx context.Context, a plan.KubeadmJoin) error {
	credentials, minted := s.values.credentials()
	if !minted {
		return errors.New("join: there is no bootstrap token in this run")
	}
	document, err := a.Document(templates.Join{Token: credentials.token.Value(), CAHashes: []string{credentials.caHash}})
	if err != nil {
		return fmt.Errorf("write kubeadm's configuration: %w", err)
	}
	return s.kubeadm(ctx, document, "join")
}

func (s *stepRun) awaitKubeadm(ctx context.Context, _ plan.AwaitKubeadm) error {
	var exit *remote.ExitError
	err := s.followKubeadm(ctx)
	if errors.As(err, &exit) {
		// It was another run's kubeadm: what it left is observed next, and repaired.
		s.output(fmt.Sprintf("the kubeadm of the earlier run failed with exit code %d", exit.Code))
		return nil
	}
	return err
}

// kubeadm runs a verb of kubeadm in its transient unit and follows it. The configuration,
// which may hold a token, lies in a tmpfs, for root only, until the unit ends.
func (s *stepRun) kubeadm(ctx context.Context, document []byte, verb ...string) error {
	if err := s.write(ctx, templates.KubeadmConfigFile, secret, document); err != nil {
		return err
	}
	return s.followKubeadm(ctx, verb...)
}

// followKubeadm starts kubeadm if verb is given, then prints what it says until it ends.
func (s *stepRun) followKubeadm(ctx context.Context, verb ...string) error {
	what := "follow kubeadm"
	if len(verb) > 0 {
		what = "kubeadm " + strings.Join(verb, " ")
	}
	args := append([]string{templates.KubeadmService, templates.KubeadmLog, templates.KubeadmConfigFile}, verb...)
	if _, err := s.host.Run(ctx, remote.Command{Script: templates.ScriptKubeadm.Text(), Argv: args, Root: true, OnLine: s.output}); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
