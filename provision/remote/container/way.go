package container

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/child"
)

const (
	// beat is the time between two questions whether the container is still there, and beatMisses how many may stay without answer.
	beat       = 5 * time.Second
	beatMisses = 3
	// openPatience is how long a container may take to start the first process.
	openPatience = 15 * time.Second
)

// watchScript runs in the container as long as it is open. It answers each line.
const watchScript = `echo here; while read -r fl_x; do echo here; done`

// way is the way into a container, as a remote.Transport.
type way struct {
	client    client
	name      string // as it was asked for
	is        Container
	beat      time.Duration
	pipers    []string                            // what may copy bytes there
	look      func(ref string) (Container, error) // what the engine says of a container now
	processes child.Processes

	tasksMu sync.Mutex // guards closing, so that no task begins once Close waits
	closing bool
	tasks   sync.WaitGroup

	done chan struct{}
	once sync.Once
	end  error // why the way ended; set before done is closed
}

// newWay is the way into a container, to be opened. What is asked of the engine later is asked also after the end of ctx.
func newWay(ctx context.Context, c client, name string, is Container, beat time.Duration) *way {
	ctx = context.WithoutCancel(ctx)
	return &way{client: c, name: name, is: is, beat: beat, pipers: pipers(), done: make(chan struct{}), look: func(ref string) (Container, error) {
		found, err := c.inspect(ctx, ref)
		if err != nil {
			return Container{}, err
		}
		return found[0], nil
	}}
}

// task runs f in a goroutine that Close waits for; it reports false, and does nothing, once Close has begun.
func (w *way) task(f func()) bool {
	w.tasksMu.Lock()
	defer w.tasksMu.Unlock()
	if !w.closing {
		w.tasks.Go(f)
	}
	return !w.closing
}

// open starts what watches the container, which proves that processes can be started there.
func (w *way) open(ctx context.Context) error {
	lines, in := io.Pipe()
	said := &tail{}
	watch, err := w.start([]string{"/bin/sh", "-c", watchScript}, remote.Exec{Stdout: in, Stderr: said})
	if err != nil {
		return w.client.notStarted(w.name, err)
	}
	heard := make(chan struct{}, 1)
	w.task(func() {
		scanner := bufio.NewScanner(lines)
		for scanner.Scan() {
			select {
			case heard <- struct{}{}:
			default: // it is known already
			}
		}
		_ = lines.Close() // what comes now is not of the script
	})
	ended := make(chan struct{})
	w.task(func() {
		_ = watch.Wait() // which has no end that is a good one
		_ = in.Close()
		close(ended)
	})
	limited, cancel := context.WithTimeoutCause(ctx, openPatience, fmt.Errorf("it has not started a process within %s", openPatience))
	defer cancel()
	select {
	case <-heard:
		w.task(func() { w.watch(watch, heard, ended, said) })
		return nil
	case <-ended:
		err = w.client.understand(w.name, said.String())
	case <-limited.Done():
		if err = context.Cause(limited); ctx.Err() == nil {
			err = w.client.understand(w.name, err.Error())
		}
	}
	return errors.Join(err, w.Close())
}

// watch asks the container again and again, and ends the way when it is not there any more.
func (w *way) watch(watch remote.Process, heard <-chan struct{}, ended <-chan struct{}, said *tail) {
	ticker := time.NewTicker(w.beat)
	defer ticker.Stop()
	missed := 0
	for {
		select {
		case <-w.done:
			return
		case <-heard:
			missed = 0
			continue
		case <-ended:
			_ = w.lose(w.gone("the process that watches it has ended: " + strings.Join(lastLines(said.String()), " ")))
			return
		case <-ticker.C:
		}
		if missed++; missed > beatMisses {
			_ = w.lose(fmt.Sprintf("%s container %s does not answer for %s", w.client.engine, w.name, beatMisses*w.beat))
			return
		}
		_, _ = io.WriteString(watch.Stdin(), "\n") // if it cannot be asked, it does not answer
	}
}

// gone is why processes in the container end: what has become of it, or otherwise when nothing has.
func (w *way) gone(otherwise string) string {
	prefix := w.client.engine + " container " + w.name + " "
	now, err := w.look(w.is.ID)
	if err != nil {
		return prefix + w.unseen(err)
	}
	for _, state := range []struct {
		is   bool
		says string
	}{
		{now.Paused, "is paused"}, {!now.Running, "has stopped (" + now.Status + ")"}, {now.begun != w.is.begun, "was started anew"},
		{otherwise != "", "is there, but " + otherwise},
	} {
		if state.is {
			return prefix + state.says
		}
	}
	return ""
}

// unseen is why the engine says nothing of the container.
func (w *way) unseen(err error) string {
	if other, err := w.look(w.name); err == nil && other.ID != w.is.ID {
		return fmt.Sprintf("(%s) is gone, and another one (%s) has its name", short(w.is.ID), short(other.ID))
	}
	if noContainer(err) {
		return "is gone"
	}
	var reason *Error
	if errors.As(err, &reason) { // which names the container by its ID
		return "cannot be reached: " + reason.Problem
	}
	return "cannot be reached: " + err.Error()
}

// lose ends the way because the container is not there, and gives up what waits for it.
func (w *way) lose(why string) error {
	w.over(fmt.Errorf("%w: %s", remote.ErrLost, why))
	_ = w.processes.Close() // of processes that are gone
	return w.Wait()
}

// over records the first cause of the end of the way.
func (w *way) over(cause error) {
	w.once.Do(func() {
		w.end = cause
		close(w.done)
	})
}

// Wait implements remote.Transport.
func (w *way) Wait() error {
	<-w.done
	return w.end
}

// Close implements remote.Transport. Processes that still run are given up.
func (w *way) Close() error {
	w.over(child.ErrClosed)
	w.tasksMu.Lock()
	w.closing = true
	w.tasksMu.Unlock()
	err := w.processes.Close()
	w.tasks.Wait()
	return err
}

// Start implements remote.Transport.
func (w *way) Start(ctx context.Context, e remote.Exec) (remote.Process, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	p, err := w.start([]string{"/bin/sh", "-c", "exec " + e.Line}, e)
	if err != nil {
		return nil, w.explain(err)
	}
	return &process{Process: p, way: w}, nil
}

// start starts a program in the container.
func (w *way) start(program []string, e remote.Exec) (remote.Process, error) {
	cmd, err := w.client.command(w.client.inside(w.is.ID, program...))
	if err != nil {
		return nil, err
	}
	return w.processes.Start(cmd, e)
}

// process is a process in the container, by the client that waits for it. A signal that ended it is not known: its code is 128 and the
// signal's number.
type process struct {
	remote.Process
	way *way
}

// clientCodes are exit codes that may be those of the client and not of the process, or of a process that ended with its container.
var clientCodes = []int{1, 125, 126, 127, 137, 255}

// Wait implements remote.Process.
func (p *process) Wait() error { return p.way.explain(p.Process.Wait()) }

// explain is the loss of the container where that may be behind an error, and else the error.
func (w *way) explain(err error) error {
	var exit *remote.Exit
	if ours := errors.As(err, &exit); err == nil || ours && exit.Signal == "" && !slices.Contains(clientCodes, exit.Code) {
		return err
	}
	select {
	case <-w.done:
		return w.end
	default:
	}
	if errors.Is(err, child.ErrGivenUp) {
		return err
	}
	if why := w.gone(""); why != "" {
		return w.lose(why)
	}
	if exit != nil && exit.Signal != "" { // which is the client's end, and says nothing of the process
		return fmt.Errorf("the client of %s was %s", w.client.engine, exit.Error())
	}
	return err
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// tailKept is how much of a client's complaints is kept.
const tailKept = 4 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-tailKept):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
