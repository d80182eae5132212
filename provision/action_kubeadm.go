package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"fairlead/provision/remote"
	"fairlead/templates"
)

// tokenLife is how long a bootstrap token lives when fairlead cannot delete it: long
// enough for the slowest join, which kubeadm itself ends after five minutes.
const tokenLife = 30 * time.Minute

// tokenDescription marks fairlead's bootstrap tokens in the cluster.
const tokenDescription = "fairlead join"

// KubeadmInit runs kubeadm init.
type KubeadmInit struct {
	Cluster templates.Cluster
	Node    templates.Node
}

// Describe implements Action.
func (KubeadmInit) Describe() string { return "kubeadm init" }

// Diff implements Differ: it shows the document that kubeadm gets.
func (a KubeadmInit) Diff() (path string, before, after []byte) {
	document, err := templates.Init(a.Cluster, a.Node)
	if err != nil {
		document = []byte(err.Error())
	}
	return kubeadmConfig, nil, document
}

func (KubeadmInit) touches() []touch { return nil }

func (a KubeadmInit) apply(ctx context.Context, s *stepRun) error {
	document, err := templates.Init(a.Cluster, a.Node)
	if err != nil {
		return fmt.Errorf("write kubeadm's configuration: %w", err)
	}
	// The token would be printed into the log.
	if err := s.kubeadm(ctx, document, "init", "--skip-token-print"); err != nil {
		return err
	}
	client, err := s.session.connectAPI(ctx, s.host)
	if err != nil {
		return fmt.Errorf("reach the new API server: %w", err)
	}
	// kubeadm insists on a token; templates.Init asks for a useless one.
	ids, err := client.Tokens(ctx, templates.InitTokenDescription)
	if err != nil {
		return fmt.Errorf("find the bootstrap token of kubeadm init: %w", err)
	}
	return DeleteTokens{IDs: ids}.apply(ctx, s)
}

// KubeadmJoin runs kubeadm join with the token and the CA hash of this run.
type KubeadmJoin struct {
	Cluster      templates.Cluster
	Node         templates.Node
	ControlPlane bool
	// KubeletStarted says that an earlier join has come as far as a kubelet with credentials
	// of its own.
	KubeletStarted bool
}

// Describe implements Action.
func (a KubeadmJoin) Describe() string {
	if a.KubeletStarted {
		return "kubeadm join, CA pinned, without what concerns the kubelet"
	}
	return "kubeadm join, CA pinned"
}

// Diff implements Differ: it shows the document that kubeadm gets, without what is known
// only after init.
func (a KubeadmJoin) Diff() (path string, before, after []byte) {
	document, err := a.document(templates.Join{Token: "(known after init)", CAHashes: []string{"(known after init)"}})
	if err != nil {
		document = []byte(err.Error())
	}
	return kubeadmConfig, nil, document
}

func (KubeadmJoin) touches() []touch { return nil }

func (a KubeadmJoin) document(join templates.Join) ([]byte, error) {
	join.ControlPlane, join.KubeletStarted = a.ControlPlane, a.KubeletStarted
	join.APIServer = a.Cluster.Endpoint
	return templates.JoinConfig(a.Cluster, a.Node, join)
}

func (a KubeadmJoin) apply(ctx context.Context, s *stepRun) error {
	credentials := s.session.credentials()
	if credentials == nil {
		return errors.New("join: there is no bootstrap token in this run")
	}
	document, err := a.document(templates.Join{Token: credentials.token.Value(), CAHashes: []string{credentials.caHash}})
	if err != nil {
		return fmt.Errorf("write kubeadm's configuration: %w", err)
	}
	return s.kubeadm(ctx, document, "join")
}

// kubeadm runs a verb of kubeadm in its transient unit and follows it. The configuration,
// which may hold a token, lies in a tmpfs, for root only, until the unit ends.
func (s *stepRun) kubeadm(ctx context.Context, document []byte, verb ...string) error {
	if err := s.writeSecret(ctx, kubeadmConfig, document); err != nil {
		return err
	}
	return s.followKubeadm(ctx, verb...)
}

func (s *stepRun) writeSecret(ctx context.Context, path string, content []byte) error {
	if _, err := s.host.WriteFile(ctx, remote.File{Path: path, Mode: fs.FileMode(0o600), Content: content}); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// followKubeadm starts kubeadm if verb is given, then prints what it says until it ends.
func (s *stepRun) followKubeadm(ctx context.Context, verb ...string) error {
	args := append([]string{kubeadmUnit, kubeadmLog, kubeadmConfig}, verb...)
	if _, err := s.host.Run(ctx, remote.Command{Script: templates.Kubeadm(), Argv: args, Root: true, OnLine: s.output}); err != nil {
		return fmt.Errorf("kubeadm %s: %w", strings.Join(verb, " "), err)
	}
	return nil
}

// AwaitKubeadm follows a kubeadm that an earlier run has started.
type AwaitKubeadm struct{}

// Describe implements Action.
func (AwaitKubeadm) Describe() string { return "follow " + kubeadmUnit }

func (AwaitKubeadm) touches() []touch { return nil }

func (AwaitKubeadm) apply(ctx context.Context, s *stepRun) error {
	var exit *remote.ExitError
	err := s.followKubeadm(ctx)
	if errors.As(err, &exit) {
		// It was another run's kubeadm: what it left is observed next, and repaired.
		s.output(fmt.Sprintf("the kubeadm of the earlier run failed with exit code %d", exit.Code))
		return nil
	}
	return err
}
