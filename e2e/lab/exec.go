package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Exec runs argv as root in the host, around SSH, and returns its standard output unchanged. The error of a command
// that failed is an *ExitError.
func (l *Lab) Exec(ctx context.Context, host string, argv ...string) (string, error) {
	return l.ExecInput(ctx, host, nil, argv...)
}

// ExecInput is Exec with a standard input.
func (l *Lab) ExecInput(ctx context.Context, host string, stdin io.Reader, argv ...string) (string, error) {
	h, err := l.Host(host)
	if err != nil {
		return "", err
	}
	full := []string{l.machine.client, "exec"}
	if stdin != nil {
		full = append(full, "--interactive")
	}
	full = append(full, h.Container)
	out, err := run(ctx, stdin, append(full, argv...), len(full))
	if err != nil {
		return out, fmt.Errorf("host %s: %w", host, err)
	}
	return out, nil
}

// Pause freezes all processes of the host: it still has its address, but nothing answers.
func (l *Lab) Pause(ctx context.Context, host string) error {
	return l.control(ctx, host, "pause")
}

// Unpause lets a paused host go on.
func (l *Lab) Unpause(ctx context.Context, host string) error {
	return l.control(ctx, host, "unpause")
}

// Stop shuts the host down, as if its machine were switched off in order. Its disk is kept.
func (l *Lab) Stop(ctx context.Context, host string) error {
	return l.control(ctx, host, "stop")
}

// Kill ends all processes of the host at once, as a power cut does, and returns when they are gone. Its disk is kept, and what
// lies in /run and /tmp is lost. It kills the first process itself, and thaws what is frozen: on version 1 of control groups runc
// freezes a pod's processes while it starts them, and frozen ones cannot end.
func (l *Lab) Kill(ctx context.Context, host string) error {
	h, err := l.Host(host)
	if err != nil {
		return err
	}
	var pid int
	var id string
	out, err := l.machine.docker(ctx, nil, "inspect", "--format", "{{.State.Pid}} {{.Id}}", h.Container)
	if err == nil {
		_, err = fmt.Sscan(out, &pid, &id)
	}
	if err == nil && pid > 1 {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err == nil {
		err = thaw("/sys/fs/cgroup/freezer/docker/" + id)
	}
	if err != nil {
		return fmt.Errorf("kill host %s (process %d): %w", host, pid, err)
	}
	return l.control(ctx, host, "wait")
}

// thaw lets the processes of a control group and of all below it run on.
func thaw(group string) error {
	return filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "freezer.state" {
			return nil //nolint:nilerr // groups come and go, and version 2 has none here
		}
		state, err := os.ReadFile(path)
		if err == nil && strings.TrimSpace(string(state)) != "THAWED" {
			err = os.WriteFile(path, []byte("THAWED"), 0)
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV) {
			return nil // it went meanwhile
		}
		return err
	})
}

// Start boots a stopped host and returns when it is reachable by SSH.
func (l *Lab) Start(ctx context.Context, host string) error {
	if err := l.control(ctx, host, "start"); err != nil {
		return err
	}
	return l.machine.waitBooted(ctx, l.hosts[host])
}

// control runs one docker command about the host's container.
func (l *Lab) control(ctx context.Context, host, command string) error {
	h, err := l.Host(host)
	if err != nil {
		return err
	}
	if _, err := l.machine.docker(ctx, nil, command, h.Container); err != nil {
		return fmt.Errorf("%s host %s: %w", command, host, err)
	}
	return nil
}
