package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
)

const kubectlName = "kubectl"

// kubectlPatience is how long kubectl may take to end after it was told to.
const kubectlPatience = 5 * time.Second

func (p *program) kubectlCommand() *cli.Command {
	return &cli.Command{
		Name:      kubectlName,
		Usage:     "run kubectl with the API server reached through SSH",
		UsageText: "fairlead [options] kubectl [ARGUMENT...]",
		Description: "For where the API server's address cannot be reached from here. Runs this machine's kubectl, which reaches the\n" +
			"API server through the connection to a control plane for as long as it runs. All words that follow kubectl are\n" +
			"kubectl's own; fairlead's flags stand before it. The exit code is kubectl's.\n\n" +
			"Example:\n  fairlead -f lab/cluster.yaml kubectl get pods -A",
		Action: func(c *cli.Context) error {
			s := p.settings(c)
			cluster, _, err := readInventory(s.file)
			if err != nil {
				return err
			}
			path, err := exec.LookPath(kubectlName)
			if err != nil {
				return &usageError{err: fmt.Errorf("find kubectl on this machine: %w", err), hint: "get it from " + kubectlURL(cluster.Kubernetes.Version)}
			}
			return p.withSession(c, needs{withoutBundle: true, document: true, another: true}, func(ctx context.Context, r *invocation) error {
				return r.kubectl(ctx, path, c.Args().Slice())
			})
		},
	}
}

// kubectlURL is where the kubectl of a version is for this machine (https://kubernetes.io/docs/tasks/tools/).
func kubectlURL(version string) string {
	name := kubectlName
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return fmt.Sprintf("https://dl.k8s.io/release/v%s/bin/%s/%s/%s", version, runtime.GOOS, runtime.GOARCH, name)
}

// kubectl runs it with a kubeconfig that is there for as long as it runs.
func (r *invocation) kubectl(ctx context.Context, path string, args []string) (err error) {
	tunnel, err := r.session.Tunnel(ctx)
	if err != nil {
		return err
	}
	code, err := r.withKubeconfig(tunnel.Kubeconfig, func(file string) (int, error) {
		command := exec.CommandContext(ctx, path, args...) //nolint:gosec // kubectl is the user's, and so are its arguments
		command.Env = append(os.Environ(), "KUBECONFIG="+file)
		command.Stdin, command.Stdout, command.Stderr = r.stdin, r.program.stdout, r.stderr
		command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
		command.WaitDelay = kubectlPatience
		return exitCodeOf(command.Run())
	})
	closing := tunnel.Close()
	switch {
	case err != nil:
		return fmt.Errorf("run kubectl: %w", err)
	case code == exitDone:
		return nil
	case closing != nil && ctx.Err() == nil: // kubectl has seen a connection that ended
		return errors.Join(closing, exitError(code))
	}
	return exitError(code)
}

// exitCodeOf is how a program has ended, as a shell says it; the error says that it has not run.
func exitCodeOf(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return exitDone, nil
	case !errors.As(err, &exit):
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// withKubeconfig has do work with a file that only the current user can read, and that is gone afterwards, also when the second
// Ctrl-C ends the program.
func (p *program) withKubeconfig(content []byte, do func(file string) (int, error)) (code int, err error) {
	folder, err := os.MkdirTemp("", "fairlead-kubectl-")
	if err != nil {
		return 0, err
	}
	remove := p.leaving.add(func() error { return os.RemoveAll(folder) })
	defer func() { err = errors.Join(err, remove()) }()
	file := filepath.Join(folder, "kubeconfig")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return 0, err
	}
	return do(file)
}

// ofKubectl splits a command line where kubectl's own words begin; they are none of fairlead's. Only help by itself is fairlead's.
func ofKubectl(app *cli.App, args []string) (ours, theirs []string, is bool) {
	valued := valuedFlags(app)
	for i := 1; i < len(args); i++ {
		switch {
		case args[i] == kubectlName:
			theirs = args[i+1:]
			return args[:i+1], theirs, len(theirs) != 1 || !slices.Contains([]string{"-h", "--help"}, theirs[0])
		case !isFlag(args[i]) || args[i] == "--":
			return nil, nil, false
		case valued[flagName(args[i])] && !hasValue(args[i]):
			i++
		}
	}
	return nil, nil, false
}
