package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"fairlead/e2e/child"
)

// fairlead runs "fairlead up" and returns its wall time and its peak memory in bytes.
func (r *run) fairlead(ctx context.Context) (spent time.Duration, peak int64, err error) {
	return r.program(ctx, r.Log, []string{r.Fairlead, "-f", r.clusterFile(), "up"})
}

// plannedSteps returns how many steps "fairlead plan" prints.
func (r *run) plannedSteps(ctx context.Context) (int, error) {
	var events bytes.Buffer
	if _, _, err := r.program(ctx, &events, []string{r.Fairlead, "-f", r.clusterFile(), "plan", "--output", "json"}); err != nil {
		return 0, err
	}
	return countPlanned(&events, r.Log)
}

// countPlanned counts the events of planned steps and writes a line for each to log.
func countPlanned(events io.Reader, log io.Writer) (int, error) {
	steps := 0
	decoder := json.NewDecoder(events)
	for {
		var event struct{ Kind, Host, Title string }
		err := decoder.Decode(&event)
		if errors.Is(err, io.EOF) {
			return steps, nil
		}
		if err != nil {
			return 0, fmt.Errorf("read event: %w", err)
		}
		if event.Kind != "planned" {
			continue
		}
		steps++
		if _, err := fmt.Fprintf(log, "planned: %s %s\n", event.Host, event.Title); err != nil {
			return 0, err
		}
	}
}

// program runs a program on this machine, its output going to out, and returns its wall
// time and its peak memory in bytes.
func (r *run) program(ctx context.Context, out io.Writer, argv []string, env ...string) (time.Duration, int64, error) {
	cmd := child.Command(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = out, r.Log
	took, err := measured(cmd)
	if err != nil {
		return 0, 0, errors.Join(err, ctx.Err())
	}
	return took.wall, took.peak, nil
}

// usage is what a program took.
type usage struct {
	wall, cpu time.Duration
	peak      int64 // bytes
}

// measured runs a program. Its usage is that of a program that failed, too.
func measured(cmd *exec.Cmd) (usage, error) {
	start := time.Now()
	err := cmd.Run()
	took := usage{wall: time.Since(start)}
	if err != nil {
		err = fmt.Errorf("run %s: %w", cmd.Path, err)
	}
	if cmd.ProcessState == nil {
		return took, err
	}
	took.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	rusage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return took, errors.Join(err, fmt.Errorf("run %s: no resource usage", cmd.Path))
	}
	took.peak = rusage.Maxrss * 1024 // getrusage(2): kilobytes
	return took, err
}
