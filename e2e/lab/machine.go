package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// daemonTimeout bounds the wait for a Docker daemon that was just started.
	daemonTimeout = time.Minute
	// pollInterval is the pause between two looks at a condition.
	pollInterval = 100 * time.Millisecond
)

// machine is the Linux machine that carries the lab.
type machine struct {
	client string // the docker command, or podman, which takes nearly the same
	cache  string // folder of the root file system and of the daemon's log
	log    *log.Logger
}

// capabilityNames are the kernel's capabilities by number, without CAP_ (linux/capability.h).
func capabilityNames() []string {
	return strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
		LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
		SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
		AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON
		BPF CHECKPOINT_RESTORE`)
}

// missingCapabilities returns the names of the capabilities up to number last that the bounding set in status,
// the text of /proc/self/status, lacks.
func missingCapabilities(status string, last int) ([]string, error) {
	for line := range strings.Lines(status) {
		value, found := strings.CutPrefix(line, "CapBnd:")
		if !found {
			continue
		}
		set, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err != nil {
			return nil, fmt.Errorf("read capability bounding set: %w", err)
		}
		var missing []string
		for number, name := range capabilityNames() {
			if number <= last && set&(1<<number) == 0 {
				missing = append(missing, name)
			}
		}
		return missing, nil
	}
	return nil, errors.New("read capability bounding set: no CapBnd line")
}

// privilegeArgs returns the docker run arguments that give a container all that this machine's root has.
// --privileged asks for every capability and fails where one is missing.
func privilegeArgs(missing []string) []string {
	if len(missing) == 0 {
		return []string{"--privileged"}
	}
	args := []string{"--cap-add", "ALL"}
	for _, name := range missing {
		args = append(args, "--cap-drop", name)
	}
	return append(args, "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
		"--security-opt", "systempaths=unconfined", "--device-cgroup-rule", "a *:* rwm")
}

// hostPrivileges reads the machine's facts for privilegeArgs.
func hostPrivileges() ([]string, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		return nil, err
	}
	last, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("read number of capabilities: %w", err)
	}
	missing, err := missingCapabilities(string(status), last)
	if err != nil {
		return nil, err
	}
	return privilegeArgs(missing), nil
}

// cgroupV1 says whether the machine, and so each host, has the version 1 hierarchy.
func cgroupV1() (bool, error) {
	const cgroup2Magic = 0x63677270 // linux/magic.h
	var stat syscall.Statfs_t
	if err := syscall.Statfs("/sys/fs/cgroup", &stat); err != nil {
		return false, fmt.Errorf("read type of /sys/fs/cgroup: %w", err)
	}
	return stat.Type != cgroup2Magic, nil
}

// ensureCommands installs the Debian packages of those commands that are missing. It needs root and apt-get for it.
func (m *machine) ensureCommands(ctx context.Context, commands ...string) error {
	packages := map[string]string{
		"docker": "docker.io", "dockerd": "docker.io", "mmdebstrap": "mmdebstrap", "ssh-keygen": "openssh-client", ClientPodman: "podman",
		"iptables": "iptables",
	}
	var missing []string
	for _, command := range commands {
		if _, err := exec.LookPath(command); err != nil {
			missing = append(missing, packages[command])
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("install %s: not root: install the packages and run again", strings.Join(missing, " "))
	}
	m.log.Printf("install packages %s", strings.Join(missing, " "))
	install := append([]string{"install", "--yes", "--no-install-recommends"}, missing...)
	for _, args := range [][]string{{"update"}, install} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("install %s: apt-get %s: %w: %s", strings.Join(missing, " "), args[0], err, tail(string(out)))
		}
	}
	return nil
}

// ensureDaemon makes sure that a Docker daemon answers. One that answers is left as it is; otherwise dockerd is
// started in a session of its own, so that it outlives this process.
func (m *machine) ensureDaemon(ctx context.Context) error {
	if err := m.ensureCommands(ctx, m.client); err != nil || m.client == ClientPodman {
		return err
	}
	_, err := m.docker(ctx, nil, "version", "--format", "{{.Server.Version}}")
	if err == nil {
		return nil
	}
	if ctx.Err() != nil || os.Geteuid() != 0 || os.Getenv("DOCKER_HOST") != "" {
		return fmt.Errorf("reach docker daemon: %w", err)
	}
	if err := m.ensureCommands(ctx, "dockerd", "iptables"); err != nil {
		return err
	}
	return m.startDaemon(ctx)
}

// startDaemon starts dockerd and waits until it answers or has ended.
func (m *machine) startDaemon(ctx context.Context) error {
	name := filepath.Join(m.cache, "dockerd.log")
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	m.log.Printf("start dockerd, log in %s", name)
	if err := keepInherited(); err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "dockerd")
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := errors.Join(cmd.Start(), file.Close()); err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, daemonTimeout)
	defer cancel()
	err = poll(ctx, "docker daemon", func() (string, error) {
		var status syscall.WaitStatus
		if pid, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WNOHANG, nil); err != nil || pid != 0 {
			return "", errors.Join(fmt.Errorf("dockerd ended with code %d", status.ExitStatus()), err)
		}
		if _, err := m.docker(ctx, nil, "version", "--format", "{{.Server.Version}}"); err != nil {
			return err.Error(), nil
		}
		return "", nil
	})
	if err != nil {
		text, readErr := os.ReadFile(name)
		return errors.Join(fmt.Errorf("start dockerd: %w: %s", err, tail(string(text))), readErr)
	}
	return cmd.Process.Release()
}

// keepInherited keeps what this process got open from its caller from those that it starts. The daemon outlives them all: the
// caller's lock on a file would never end.
func keepInherited() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if number, err := strconv.Atoi(e.Name()); err == nil && number > 2 {
			syscall.CloseOnExec(number)
		}
	}
	return nil
}

// poll calls check at once and then every pollInterval until it returns no reason to wait, an error, or ctx ends.
// The error of an ended ctx names what was waited for and the last reason.
func poll(ctx context.Context, what string, check func() (reason string, err error)) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		reason, err := check()
		if err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if reason == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %s", what, context.Cause(ctx), reason)
		case <-ticker.C:
		}
	}
}

// tail returns the end of a command's output, short enough for an error.
func tail(text string) string {
	const limit = 2000
	text = strings.TrimSpace(text)
	if len(text) > limit {
		return "…" + text[len(text)-limit:]
	}
	return text
}

// removeFile removes a file that may be absent.
func removeFile(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
