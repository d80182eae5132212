package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fairlead/pki"

	"github.com/urfave/cli/v2"
	"sigs.k8s.io/yaml"
)

const flagMerge = "merge"

func (p *program) kubeconfigCommand() *cli.Command {
	return &cli.Command{
		Name:  "kubeconfig",
		Usage: "print the administrator's kubeconfig, or merge it into yours",
		Description: "Reads it from a control-plane host. It holds a private key: whoever has it rules the cluster. Its server is\n" +
			"controlPlane.publicEndpoint where the cluster file has one, else the endpoint.\n\n" +
			"Example:\n  fairlead kubeconfig --merge",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagMerge, DisableDefaultText: true, Usage: "put it into the first file of $KUBECONFIG, else into ~/.kube/config, and keep what is there"},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return p.withSession(c, needs{withoutBundle: true, document: true}, func(ctx context.Context, r *invocation) error {
				return r.kubeconfig(ctx, c.Bool(flagMerge))
			})
		},
	}
}

func (r *invocation) kubeconfig(ctx context.Context, merge bool) error {
	content, err := r.session.Kubeconfig(ctx)
	if err != nil {
		return err
	}
	show := r.printKubeconfig
	if merge {
		show = r.putKubeconfig
	}
	if err := show(content); err != nil {
		return err
	}
	r.sayUnreached(ctx, content)
	return nil
}

func (r *invocation) putKubeconfig(content []byte) error {
	path, err := r.mergeKubeconfig(content)
	if err != nil {
		return err
	}
	r.view.note(fmt.Sprintf("%s holds the context %s now, and it is the current one", path, r.cluster.Name))
	return nil
}

func (r *invocation) printKubeconfig(content []byte) (err error) {
	if r.json {
		if content, err = yaml.YAMLToJSON(content); err != nil {
			return fmt.Errorf("write kubeconfig as JSON: %w", err)
		}
		content = append(content, '\n')
	}
	if _, err := r.stdout.Write(content); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// sayUnreached says where kubectl would wait in vain with a kubeconfig, and what to type instead.
func (r *invocation) sayUnreached(ctx context.Context, content []byte) {
	err := r.session.Reach(ctx, content)
	if err == nil || ctx.Err() != nil {
		return
	}
	server, _ := pki.KubeconfigServer(content) // it was written with one
	r.log.Info("reach the API server", "server", server, "error", err)
	_, _ = fmt.Fprintln(r.stderr, printable(fmt.Sprintf("https://%s cannot be used from here: %v", server, err)))
	var name x509.HostnameError
	switch public := r.cluster.ControlPlane.PublicEndpoint; {
	case errors.As(err, &name) && public == server:
		_, _ = fmt.Fprintln(r.stderr, "  hint: fairlead up puts the name of controlPlane.publicEndpoint into the certificates")
	case public == "":
		_, _ = fmt.Fprintln(r.stderr, "  hint: controlPlane.publicEndpoint is for the name by which it can be reached from outside")
	}
	r.next(r.settings, "", "kubectl get nodes")
}

// mergeKubeconfig puts the kubeconfig into the user's and returns the file's name.
func (r *invocation) mergeKubeconfig(content []byte) (string, error) {
	path, err := r.kubeconfigPath()
	if err != nil {
		return "", err
	}
	if err := mergeInto(path, content, r.cluster.Name); err != nil {
		return "", fmt.Errorf("merge into %s: %w", path, err)
	}
	return path, nil
}

// kubeconfigPath is the file that kubectl writes to.
func (p *program) kubeconfigPath() (string, error) {
	for _, path := range filepath.SplitList(p.env("KUBECONFIG")) {
		if path != "" {
			return path, nil
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find ~/.kube/config: %w", err)
	}
	return filepath.Join(home, ".kube", "config"), nil
}

// mergeInto changes the kubeconfig at path in one move, and leaves it alone when nothing
// differs.
func mergeInto(path string, content []byte, name string) error {
	existing, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	merged, err := pki.MergeKubeconfig(existing, content, name)
	if err != nil {
		return err
	}
	if bytes.Equal(merged, existing) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return replaceFile(path, merged, 0o600)
}
