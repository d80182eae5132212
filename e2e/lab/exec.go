package lab

import (
	"context"
	"fmt"
	"io"
	"strconv"
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
// lies in /run and /tmp is lost. It kills the first process itself: "docker kill" freezes the others before, on version 1 of
// control groups, and leaves them so when a "docker exec" begins at that time.
func (l *Lab) Kill(ctx context.Context, host string) error {
	h, err := l.Host(host)
	if err != nil {
		return err
	}
	out, err := l.machine.docker(ctx, nil, "inspect", "--format", "{{.State.Pid}}", h.Container)
	if err != nil {
		return fmt.Errorf("find the first process of host %s: %w", host, err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil || pid <= 1 {
		return fmt.Errorf("find the first process of host %s: it is %q", host, out)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill host %s: %w", host, err)
	}
	return l.control(ctx, host, "wait")
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
