package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"fairlead/e2e/bundle"
	"fairlead/e2e/child"
	"fairlead/e2e/lab"
)

// controlPlane is the host of the control plane.
const controlPlane = "cp1"

// workers are the other hosts.
func workers() []string { return []string{"w1", "w2"} }

// demo is one demonstration.
type demo struct {
	lab      lab.Options
	fairlead string // path of the binary
	dir      string // folder of the files, absolute

	stdout, stderr io.Writer
}

func (d *demo) clusterFile() string { return filepath.Join(d.dir, "cluster.yaml") }

func (d *demo) kubeconfigFile() string { return filepath.Join(d.dir, "kubeconfig") }

// up makes hosts and cluster, or converges those that are there, and tries the cluster.
func (d *demo) up(ctx context.Context) error {
	path, err := bundle.Build(ctx, bundle.Options{Log: d.stderr})
	if err != nil {
		return fmt.Errorf("build bundle: %w", err)
	}
	l, err := lab.Up(ctx, d.lab, append([]string{controlPlane}, workers()...))
	if err != nil {
		return fmt.Errorf("start lab hosts: %w", err)
	}
	if err := d.writeCluster(l, path); err != nil {
		return fmt.Errorf("write %s: %w", d.clusterFile(), err)
	}
	cmd := child.Command(ctx, d.fairlead, "-f", d.clusterFile(), "up")
	cmd.Stdout, cmd.Stderr = d.stdout, d.stderr // a terminal stays one, for the live view
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w", strings.Join(cmd.Args, " "), err)
	}
	if err := d.writeKubeconfig(ctx); err != nil {
		return fmt.Errorf("write %s: %w", d.kubeconfigFile(), err)
	}
	p := proof{lab: l, out: d.stdout}
	if err := p.run(ctx); err != nil {
		return fmt.Errorf("try the cluster: %w", err)
	}
	return d.explain(l)
}

// writeCluster writes the inventory, unless there is one: it may have been edited.
func (d *demo) writeCluster(l *lab.Lab, bundle string) error {
	_, err := os.Stat(d.clusterFile())
	if err == nil {
		_, err = fmt.Fprintf(d.stderr, "%s is there already and stays as it is\n", d.clusterFile())
		return err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := l.Inventory(lab.InventoryOptions{ControlPlanes: []string{controlPlane}, Workers: workers(), Bundle: bundle})
	if err != nil {
		return err
	}
	return os.WriteFile(d.clusterFile(), []byte(annotated(text+addons)), 0o644)
}

// addons are the demo's.
const addons = `addons:
  metricsServer: {}
  ingress: {placement: control-plane}
`

// annotated adds comments for readers of the demo's inventory.
func annotated(text string) string {
	remarks := []struct{ line, comment string }{
		{"apiVersion:", "# The demo's cluster. Edit it, look with \"fairlead plan --diff\", apply with \"fairlead up\"."},
		{"  config:", "  # The hosts are containers that share one kernel and one disk; real machines need none of this."},
		{"ignorePreflight:", "# kubeadm rejects cgroup v1, which this machine has."},
		{"  schedulable:", "  # true lets ordinary pods run on the control plane: try it."},
		{"addons:", "# Manifests of your own: manifests: [./app.yaml]. \"fairlead addons render\" prints what is applied."},
		{"workers:", "# A worker may have more: {…, labels: {disk: ssd}, taints: [\"gpu=true:NoSchedule\"]}."},
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		for _, r := range remarks {
			if strings.HasPrefix(line, r.line) {
				out.WriteString(r.comment + "\n")
			}
		}
		out.WriteString(line)
	}
	return out.String()
}

// writeKubeconfig writes what fairlead prints into a file that only its owner can read.
func (d *demo) writeKubeconfig(ctx context.Context) error {
	cmd := child.Command(ctx, d.fairlead, "-f", d.clusterFile(), "kubeconfig")
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, d.stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w", strings.Join(cmd.Args, " "), err)
	}
	part := d.kubeconfigFile() + ".part"
	if err := removeFile(part); err != nil { // a leftover could have any mode
		return err
	}
	if err := os.WriteFile(part, text.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(part, d.kubeconfigFile())
}

//go:embed usage.txt
var usageText string

// explain prints how to go on.
func (d *demo) explain(l *lab.Lab) error {
	host, err := l.Host(controlPlane)
	if err != nil {
		return err
	}
	kubectl := ""
	if _, err := exec.LookPath("kubectl"); err != nil {
		kubectl = fmt.Sprintf("  docker cp %s:/usr/local/bin/kubectl /usr/local/bin/   # there is no kubectl here\n", host.Container)
	}
	_, err = strings.NewReplacer(
		"@KUBECTL@", kubectl,
		"@KUBECONFIG@", d.kubeconfigFile(),
		"@DIR@", shown(d.dir),
		"@FAIRLEAD@", shown(d.fairlead),
		"@CONTAINER@", host.Container,
		"@ADDRESS@", host.Address.String(),
	).WriteString(d.stdout, usageText)
	return err
}

// shown is a path as people would type it: relative to the folder above the working
// folder, that of the repository, when it lies below it.
func shown(path string) string {
	root, err := filepath.Abs("..")
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(root, path)
	if err != nil || !filepath.IsLocal(relative) {
		return path
	}
	return relative
}

// down removes the hosts and the files that up made. What is gone already is no error.
func (d *demo) down(ctx context.Context) error {
	if err := lab.Down(ctx, d.lab); err != nil {
		return fmt.Errorf("remove lab hosts: %w", err)
	}
	for _, name := range []string{d.clusterFile(), d.kubeconfigFile(), d.kubeconfigFile() + ".part"} {
		if err := removeFile(name); err != nil {
			return err
		}
	}
	left, err := os.ReadDir(d.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil || len(left) > 0:
		return err
	}
	return os.Remove(d.dir)
}

// removeFile removes a file that may be absent.
func removeFile(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
