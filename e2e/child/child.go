// Package child starts programs that must be asked to end before they are killed. It never
// reads what they print.
package child

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// graceTime is how long a program that was asked to end may take for it.
const graceTime = 30 * time.Second

// Command is exec.CommandContext for a program that cleans up after itself: when ctx ends,
// its process group gets one SIGINT, and SIGKILL follows after half a minute. The group is
// its own, so that a Ctrl-C on the terminal reaches the program once and not twice.
func Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = graceTime
	return cmd
}
