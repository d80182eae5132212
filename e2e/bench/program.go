package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
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
	start := time.Now()
	err := cmd.Run()
	spent := time.Since(start)
	if err != nil {
		return 0, 0, fmt.Errorf("run %s: %w", argv[0], errors.Join(err, ctx.Err()))
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, fmt.Errorf("run %s: no resource usage", argv[0])
	}
	return spent, usage.Maxrss * 1024, nil // getrusage(2): kilobytes
}
