package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// bootTimeout bounds the wait for one host's systemd and sshd.
	bootTimeout = 2 * time.Minute
	// dialTimeout bounds one look at a host's SSH port.
	dialTimeout = 2 * time.Second
	// rejectedSubnet is the service subnet of the lab's inventory. Something outside the lab may answer for any
	// address; a Service that does not exist must not seem to answer.
	rejectedSubnet = "10.96.0.0/12"
	// unifiedTree is where a machine with the version 1 hierarchy mounts the version 2 tree.
	unifiedTree = "/sys/fs/cgroup/unified"
)

// runArgs returns the docker arguments that create and start a host.
func runArgs(lab, image string, host Host, privileges []string) []string {
	args := []string{
		"run", "--detach", "--name", host.Container, "--hostname", host.Name,
		"--label", labelLab + "=" + lab, "--label", labelHost + "=" + host.Name, "--label", labelAddress + "=" + host.Address.String(),
		"--network", lab, "--ip", host.Address.String(),
		"--restart", "no", "--stop-signal", "SIGRTMIN+3", "--cgroupns", "private",
		"--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec,mode=1777",
		"--env", "LAB_CGROUP=" + host.Container, "--env", "LAB_REJECT=" + rejectedSubnet,
	}
	if host.Second.IsValid() {
		// Docker switches IPv6 on for the interface that it knows; pods' ones come later.
		args = append(args, "--ip6", host.Second.String(), "--sysctl", "net.ipv6.conf.all.disable_ipv6=0", "--sysctl", "net.ipv6.conf.default.disable_ipv6=0")
	}
	// What needs a file system of the machine: overlay mounts, memory-mapped files and, on /srv, swap files.
	for _, folder := range []string{"/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd", "/var/lib/docker", "/srv"} {
		args = append(args, "--volume", folder)
	}
	return append(append(args, privileges...), image)
}

// ensureHost brings one host to running, reachable and open to the lab's key, and returns the host's public keys.
func (l *Lab) ensureHost(ctx context.Context, host Host, found map[string]container) (string, error) {
	c, exists := found[host.Name]
	var err error
	switch {
	case !exists:
		var privileges []string
		if privileges, err = hostPrivileges(); err != nil {
			return "", err
		}
		args := runArgs(l.options.Name, l.image, host, privileges)
		if l.machine.client == ClientPodman {
			args = forPodman(args)
		}
		_, err = l.machine.docker(ctx, nil, args...)
	case c.paused:
		_, err = l.machine.docker(ctx, nil, "unpause", host.Container)
	case !c.running:
		_, err = l.machine.docker(ctx, nil, "start", host.Container)
	}
	if err != nil {
		return "", err
	}
	if err := l.machine.waitBooted(ctx, host); err != nil {
		return "", err
	}
	keys, err := l.authorize(ctx, host)
	if err != nil {
		return "", err
	}
	l.machine.log.Printf("host %s is up at %s", host.Name, host.Address)
	return keys, nil
}

// waitBooted waits until the host's sshd answers and its systemd has started everything.
func (m *machine) waitBooted(ctx context.Context, host Host) error {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	watched, ended := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		code, err := m.docker(watched, nil, "wait", host.Container)
		ended(errors.Join(fmt.Errorf("container ended with code %q", code), err))
	})
	err := m.pollBooted(watched, host)
	if err != nil {
		logs, logErr := m.docker(context.WithoutCancel(ctx), nil, "logs", "--tail", "20", host.Container)
		err = errors.Join(fmt.Errorf("%w: %s", err, tail(logs)), logErr)
	}
	ended(nil)
	watch.Wait()
	return err
}

// pollBooted looks at the SSH port first: that costs next to nothing, each docker exec does.
func (m *machine) pollBooted(ctx context.Context, host Host) error {
	err := poll(ctx, "sshd of "+host.Name, func() (string, error) { return greeting(ctx, host), nil })
	if err != nil {
		return err
	}
	return poll(ctx, "systemd of "+host.Name, func() (string, error) {
		// The exit code is not 0 for degraded, too; the word decides.
		state, err := m.docker(ctx, nil, "exec", host.Container, "systemctl", "is-system-running", "--wait")
		if state == "running" || state == "degraded" {
			return "", nil
		}
		return fmt.Sprintf("state %q: %v", state, err), nil
	})
}

// greeting returns why the host's SSH port does not greet yet, or nothing.
func greeting(ctx context.Context, host Host) string {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host.Address.String(), "22"))
	if err != nil {
		return err.Error()
	}
	err = conn.SetReadDeadline(time.Now().Add(dialTimeout))
	line, readErr := bufio.NewReader(conn).ReadString('\n')
	if err := errors.Join(err, readErr, conn.Close()); err != nil {
		return err.Error()
	}
	if !strings.HasPrefix(line, "SSH-2.0-") {
		return fmt.Sprintf("answer %q", line)
	}
	return ""
}

// removeContainers removes containers with their volumes and the control groups that they made outside Docker's.
func (m *machine) removeContainers(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	m.log.Printf("remove %s", strings.Join(names, " "))
	if _, err := m.docker(ctx, nil, append([]string{"rm", "--force", "--volumes"}, names...)...); err != nil {
		return err
	}
	for _, name := range names {
		if err := removeGroups(filepath.Join(unifiedTree, name)); err != nil {
			return fmt.Errorf("remove control groups of %s: %w", name, err)
		}
	}
	return nil
}

// removeGroups removes a control group and those below it. One that is not there is no error.
func removeGroups(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if err := removeGroups(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return os.Remove(dir)
}
