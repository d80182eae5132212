package bundle

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// interruptGrace is how long an interrupted command may take to clean up.
	interruptGrace = 10 * time.Second
	// errorTail is how much of a failed command's output an error holds, in bytes.
	errorTail = 4096
)

// logger prints progress as lines.
type logger struct{ w io.Writer }

func (l logger) printf(format string, args ...any) {
	fmt.Fprintf(l.w, format+"\n", args...)
}

// command is a program to run on this machine.
type command struct {
	argv []string
	dir  string
	env  []string  // added to the environment
	live io.Writer // gets stdout and stderr as they come; may be nil
}

// run returns what the command printed on stdout. The error of a failed command holds
// the end of all it printed.
func (c command) run(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = interruptGrace
	var stdout bytes.Buffer
	var all lockedBuffer
	live := c.live
	if live == nil {
		live = io.Discard
	}
	all.live = live
	cmd.Stdout = io.MultiWriter(&stdout, &all)
	cmd.Stderr = &all
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("run %s: %w%s", strings.Join(c.argv, " "), err, all.tail())
	}
	return stdout.String(), nil
}
