package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"fairlead/e2e/lab"
)

// controlPlane is the host of the control plane.
const controlPlane = "cp1"

// workers are the other hosts.
func workers() []string { return []string{"w1", "w2"} }

// plainScript makes a cluster without fairlead.
//
//go:embed plain.sh
var plainScript string

// kubeadmTemplate is the configuration of a kubeadm that is run without fairlead.
//
//go:embed kubeadm.yaml
var kubeadmTemplate string

func (r *run) clusterFile() string { return filepath.Join(r.dir, "cluster.yaml") }

// renewHosts replaces the lab's hosts by new ones and writes the inventory for them.
func (r *run) renewHosts(ctx context.Context) error {
	if err := lab.Down(ctx, r.Lab); err != nil {
		return fmt.Errorf("remove lab hosts: %w", err)
	}
	var err error
	if r.lab, err = lab.Up(ctx, r.Lab, append([]string{controlPlane}, workers()...)); err != nil {
		return fmt.Errorf("start lab hosts: %w", err)
	}
	text, err := r.lab.Inventory(lab.InventoryOptions{
		ControlPlanes: []string{controlPlane}, Workers: workers(), Bundle: r.Bundle,
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.clusterFile(), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write inventory: %w", err)
	}
	return nil
}

// leaveScript takes the cluster away and leaves what prepared the host: binaries, units,
// settings and images. The folder /etc/cni/net.d stays: containerd ends when it goes.
const leaveScript = `set -eu
kubeadm reset --force
systemctl stop kubelet
rm -rf /etc/cni/net.d/* /var/lib/cni /run/flannel /root/kubeadm.yaml
for link in cni0 flannel.1; do
  if ip link show "$link" >/dev/null 2>&1; then ip link delete "$link"; fi
done
`

// leaveCluster takes the cluster away from all hosts, the workers first.
func (r *run) leaveCluster(ctx context.Context) error {
	for _, host := range append(workers(), controlPlane) {
		out, err := r.lab.ExecInput(ctx, host, strings.NewReader(leaveScript), "sh", "-s")
		_, writeErr := fmt.Fprintln(r.Log, out)
		if err := errors.Join(err, writeErr); err != nil {
			return fmt.Errorf("leave the cluster: %w", err)
		}
	}
	return nil
}

// kubeadmConfig returns the configuration for kubeadm init on the control plane.
func (r *run) kubeadmConfig() (string, error) {
	host, err := r.lab.Host(controlPlane)
	if err != nil {
		return "", err
	}
	return fillKubeadm(host.Address.String()), nil
}

func fillKubeadm(address string) string {
	return strings.NewReplacer("@ADDRESS@", address, "@VERSION@", lab.DefaultVersion).Replace(kubeadmTemplate)
}

// write puts a text into a file on the control plane.
func (r *run) write(ctx context.Context, path, text string) error {
	_, err := r.lab.ExecInput(ctx, controlPlane, strings.NewReader(text), "tee", path)
	return err
}

// joinCommand has kubeadm make a token and returns the command with which a worker joins.
func (r *run) joinCommand(ctx context.Context) ([]string, error) {
	out, err := r.lab.Exec(ctx, controlPlane, "kubeadm", "token", "create", "--print-join-command")
	if err != nil {
		return nil, fmt.Errorf("make join command: %w", err)
	}
	return append(strings.Fields(out), "--ignore-preflight-errors=SystemVerification"), nil
}

// kubectl runs kubectl on the control plane and returns what it prints.
func (r *run) kubectl(ctx context.Context, args ...string) (string, error) {
	argv := append([]string{"kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"}, args...)
	return r.lab.Exec(ctx, controlPlane, argv...)
}

// checkReady fails unless every host is a node that is ready.
func (r *run) checkReady(ctx context.Context) error {
	answer, err := r.kubectl(ctx, "get", "nodes",
		"-o", `jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}`)
	if err != nil {
		return fmt.Errorf("check nodes: %w", err)
	}
	if want := "cp1 True\nw1 True\nw2 True\n"; answer != want {
		return fmt.Errorf("check nodes: got %q, want %q", answer, want)
	}
	return nil
}

// checkNodes waits until every host is a node, which is a little later than the end of
// kubeadm join. Without a pod network none is ready.
func (r *run) checkNodes(ctx context.Context) error {
	args := []string{"wait", "--for=create", "--timeout=2m", "node/" + controlPlane}
	for _, worker := range workers() {
		args = append(args, "node/"+worker)
	}
	if _, err := r.kubectl(ctx, args...); err != nil {
		return fmt.Errorf("check nodes: %w", err)
	}
	return nil
}
