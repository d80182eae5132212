package lab

import (
	"archive/tar"
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// kindFiles make a stand-in of kindest/node of a container: its entry point, and what an image of kind's and kind itself would bring.
//
//go:embed kind
var kindFiles embed.FS

// kindEntry is where the entry point lies.
const kindEntry = "/usr/local/bin/entrypoint"

// Kind is a cluster of a stand-in of kind: containers that are made, start and are a cluster as kind's are, as far as facts about kind say.
// No image of kind's can be had where these tests run.
type Kind struct {
	Name                  string // also that of its image, after which the version comes
	ControlPlane, Workers []string
}

// KindCluster is the one of this lab, with a control plane and a worker, none of which runs yet.
func (l *Lab) KindCluster() Kind {
	name := l.options.Name
	return Kind{Name: name, ControlPlane: []string{name + "-control-plane"}, Workers: []string{name + "-worker"}}
}

// image is the name of the containers' image, by which kind's are known, too.
func (k Kind) image() string { return k.Name + "/kindest/node:v" + DefaultVersion }

// Nodes are all of them, control planes first.
func (k Kind) Nodes() []string {
	return append(k.ControlPlane[:len(k.ControlPlane):len(k.ControlPlane)], k.Workers...)
}

// UpKind makes the containers of a cluster of kind, with the programs and images of a bundle, and no cluster in them.
func (l *Lab) UpKind(ctx context.Context, kind Kind, bundle string) error {
	if _, err := l.machine.docker(ctx, nil, "tag", l.image, kind.image()); err != nil {
		return err
	}
	addresses, err := assignAddresses(l.subnet, nil, kind.Nodes())
	if err != nil {
		return err
	}
	for i, name := range kind.Nodes() {
		role := "control-plane"
		if i >= len(kind.ControlPlane) {
			role = "worker"
		}
		l.hosts[name] = Host{Name: name, Address: addresses[i], Container: name}
		if err := l.makeKindNode(ctx, kind, l.hosts[name], role, bundle); err != nil {
			return fmt.Errorf("make node %s of kind: %w", name, err)
		}
	}
	return nil
}

func (l *Lab) makeKindNode(ctx context.Context, kind Kind, host Host, role, bundle string) error {
	privileges, err := hostPrivileges()
	if err != nil {
		return err
	}
	args := append([]string{
		"create", "--name", host.Container, "--hostname", host.Name,
		"--label", labelLab + "=" + l.options.Name, "--label", labelHost + "=" + host.Name,
		"--label", "io.x-k8s.kind.cluster=" + kind.Name, "--label", "io.x-k8s.kind.role=" + role,
		"--network", l.options.Name, "--ip", host.Address.String(),
		"--restart", "no", "--stop-signal", "SIGRTMIN+3", "--cgroupns", "private",
		"--tmpfs", "/run", "--tmpfs", "/tmp:exec,mode=1777", "--volume", "/var",
		"--env", "LAB_CGROUP=" + host.Container, "--env", "LAB_REJECT=" + rejectedSubnet, "--env", "LAB_NEXT=" + kindEntry,
	}, append(privileges, kind.image())...)
	if _, err := l.machine.docker(ctx, nil, args...); err != nil {
		return err
	}
	entry, err := kindTar()
	if err == nil {
		_, err = l.machine.docker(ctx, entry, "cp", "-", host.Container+":/")
	}
	if err != nil {
		return err
	}
	if err := l.StartKind(ctx, host.Name); err != nil {
		return err
	}
	file, err := os.Open(bundle)
	if err != nil {
		return err
	}
	err = l.kindScript(ctx, host.Name, file, "install", role)
	return errors.Join(err, file.Close())
}

// kindTar holds what has to be in a container before it starts.
func kindTar() (*bytes.Buffer, error) {
	text, err := fs.ReadFile(kindFiles, "kind/entrypoint")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "kind", Mode: 0o755})
	if err == nil {
		err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(kindEntry, "/"), Mode: 0o755, Size: int64(len(text))})
	}
	if err == nil {
		_, err = w.Write(text)
	}
	return &out, errors.Join(err, w.Close())
}

// kindScript runs one of the files in a node.
func (l *Lab) kindScript(ctx context.Context, node string, stdin *os.File, name string, args ...string) error {
	text, err := fs.ReadFile(kindFiles, "kind/"+name)
	if err != nil {
		return err
	}
	argv := append([]string{"bash", "-c", string(text), name}, args...)
	if stdin == nil {
		_, err = l.Exec(ctx, node, argv...)
	} else {
		_, err = l.ExecInput(ctx, node, stdin, argv...)
	}
	return err
}

// StartKind starts a node and returns when its systemd has started everything.
func (l *Lab) StartKind(ctx context.Context, node string) error {
	if err := l.control(ctx, node, "start"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	err := poll(ctx, "systemd of "+node, func() (string, error) {
		state, err := l.machine.docker(ctx, nil, "exec", node, "systemctl", "is-system-running", "--wait")
		if state == "running" || state == "degraded" {
			return "", nil
		}
		return fmt.Sprintf("state %q: %v", state, err), nil
	})
	if err == nil {
		return nil
	}
	logs, logErr := l.machine.docker(context.WithoutCancel(ctx), nil, "logs", "--tail", "20", node)
	return errors.Join(fmt.Errorf("%w: %s", err, tail(logs)), logErr)
}

// MoveKind stops a node and starts it anew with another address, the last byte of which is given.
func (l *Lab) MoveKind(ctx context.Context, node string, last int) error {
	if err := l.Stop(ctx, node); err != nil {
		return err
	}
	host, address := l.hosts[node], withLast(l.subnet, last)
	if _, err := l.machine.docker(ctx, nil, "network", "disconnect", l.options.Name, host.Container); err != nil {
		return err
	}
	if _, err := l.machine.docker(ctx, nil, "network", "connect", "--ip", address.String(), l.options.Name, host.Container); err != nil {
		return err
	}
	host.Address = address
	l.hosts[node] = host
	return l.StartKind(ctx, node)
}

// ClusterKind makes a cluster of the containers as kind does, with a stand-in of its network.
func (l *Lab) ClusterKind(ctx context.Context, kind Kind) error {
	legacy, err := cgroupV1()
	if err != nil {
		return err
	}
	endpoint, pods := kind.ControlPlane[0], map[string]string{}
	for i, node := range kind.Nodes() {
		verb := "init"
		if i > 0 {
			verb = "join"
		}
		if err := l.kindScript(ctx, node, nil, "cluster", verb, kind.Name, endpoint, strconv.FormatBool(legacy)); err != nil {
			return fmt.Errorf("kind %s %s: %w", verb, node, err)
		}
		err := poll(ctx, "the pods' network of "+node, func() (string, error) {
			out, err := l.Exec(ctx, endpoint, "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "--cache-dir", "/tmp/kubectl-cache", "get", "node", node, "--output", "jsonpath={.spec.podCIDR}")
			if _, bad := netip.ParsePrefix(out); bad != nil {
				return fmt.Sprintf("%q: %v", out, err), nil
			}
			pods[node] = out
			return "", nil
		})
		if err != nil {
			return err
		}
	}
	for _, node := range kind.Nodes() {
		args := []string{pods[node]}
		for _, other := range kind.Nodes() {
			if other != node {
				args = append(args, pods[other], l.hosts[other].Address.String())
			}
		}
		if err := l.kindScript(ctx, node, nil, "network", args...); err != nil {
			return err
		}
	}
	return nil
}

// DownKind removes the containers, and the name of their image.
func (l *Lab) DownKind(ctx context.Context, kind Kind) error {
	var names []string
	for _, name := range kind.Nodes() {
		if _, made := l.hosts[name]; made {
			names = append(names, name)
			delete(l.hosts, name)
		}
	}
	err := l.machine.removeContainers(ctx, names)
	_, tagErr := l.machine.docker(ctx, nil, "rmi", kind.image())
	return errors.Join(err, tagErr)
}
