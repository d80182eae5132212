package child

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// outputsPatience is how long the outputs of a program that was ended may be held open by what it has started.
const outputsPatience = time.Second

// Command is a program that is asked something, and not one that works in the background of others: the end of ctx ends it, with all
// that it has started. It has a session of its own: signals of the terminal do not reach it, and it cannot ask anything there.
func Command(ctx context.Context, program string, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, argv...) //nolint:gosec // who asks says what
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = outputsPatience
	return cmd
}
