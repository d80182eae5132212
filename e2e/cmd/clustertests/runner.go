package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"fairlead/e2e/child"
)

// leastTime is how much time must be left for a group to begin: it also needs some to take its lab down.
const leastTime = 2 * time.Minute

// errFailed is the failure of tests; what failed has been printed.
var errFailed = errors.New("tests have failed")

// runner runs jobs on labs side by side.
type runner struct {
	places   []place
	fairlead string
	deadline time.Time
	beside   []string // a command that runs at the same time, with less right to the processors; may be empty
	folder   string   // for what is printed, until it is printed whole
	down     func(context.Context, place) error

	stdout io.Writer // what tests print
	stderr io.Writer // progress

	mu       sync.Mutex // of all that follows, and of the two above
	queue    []job
	begun    int
	failures []string // lines about what failed, once more for the end
	failed   int      // groups
	live     bool     // there is only one thing at a time, which is printed as it comes
}

// run runs all jobs: first those that must be alone, on the first lab. It returns errFailed if any of them failed, or the reason
// why not all of them were begun.
func (r *runner) run(ctx context.Context, jobs []job) error {
	begin := time.Now()
	var alone, others []job
	for _, j := range jobs {
		if j.alone {
			alone = append(alone, j)
		} else {
			others = append(others, j)
		}
	}
	r.live = len(r.beside) == 0 && min(len(r.places), len(jobs)) == 1
	var group sync.WaitGroup
	if len(r.beside) > 0 {
		group.Go(func() { r.runBeside(ctx) })
	}
	r.work(ctx, r.places[:1], alone)
	r.work(ctx, r.places, others)
	group.Wait()
	for _, line := range r.failures {
		r.print(r.stdout, line)
	}
	what := fmt.Sprintf("fairlead/e2e\t%.3fs\t%d groups on %d labs", time.Since(begin).Seconds(), r.begun, min(len(r.places), max(1, len(jobs))))
	switch {
	case ctx.Err() != nil:
		r.print(r.stdout, "FAIL\t"+what+": interrupted")
		return fmt.Errorf("%w: %w", errFailed, ctx.Err())
	case len(r.failures) > 0:
		r.print(r.stdout, fmt.Sprintf("FAIL\t%s: %d failed", what, r.failed))
		return errFailed
	}
	r.print(r.stdout, "ok  \t"+what)
	return nil
}

// work has each of the places take job after job until there is none left, and takes the labs down that were used.
func (r *runner) work(ctx context.Context, places []place, jobs []job) {
	r.queue = jobs
	var group sync.WaitGroup
	for _, p := range places {
		group.Go(func() {
			used := false
			for j, left, ok := r.next(ctx); ok; j, left, ok = r.next(ctx) {
				used = used || !j.suite.pinned
				r.runJob(ctx, p, j, left)
			}
			if !used {
				return
			}
			// Tests do so themselves, but for a process that was killed.
			down, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
			defer cancel()
			if err := r.down(down, p); err != nil {
				r.fail(fmt.Sprintf("FAIL\ttake lab %s down: %v", p.name, err))
			}
		})
	}
	group.Wait()
}

// next is the job that begins next, and how many are left then.
func (r *runner) next(ctx context.Context) (j job, left int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil || len(r.queue) == 0 {
		return job{}, 0, false
	}
	j, r.queue = r.queue[0], r.queue[1:]
	r.begun++
	return j, len(r.queue), true
}

// runJob runs a group of tests and prints what it has printed, with a line of the form of go test's at the end.
func (r *runner) runJob(ctx context.Context, p place, j job, left int) {
	remaining := time.Until(r.deadline).Round(time.Second)
	if remaining < leastTime {
		r.fail(fmt.Sprintf("FAIL\t%s\t%s: not begun: there is no time left", j.suite.name, j.title()))
		return
	}
	about := "for the first time"
	if j.took > 0 {
		about = fmt.Sprintf("about %.0f s", j.took.Seconds())
	}
	r.print(r.stderr, fmt.Sprintf("%s: %s: begins (%s; %d groups are left)", p.name, j.title(), about, left))
	begin := time.Now()
	text, err := r.output(j.command(ctx, p, j.within(remaining), r.fairlead))
	if err == nil && bytes.Contains(text, []byte("\ntesting: warning: no tests to run")) {
		err = errors.New("no test was run")
	}
	what := fmt.Sprintf("%s\t%.3fs\t%s: %s", j.suite.name, time.Since(begin).Seconds(), p.name, j.title())
	if err == nil {
		r.show(text, "ok  \t"+what)
		return
	}
	line := fmt.Sprintf("FAIL\t%s: %v", what, err)
	r.show(text, line)
	r.fail(append(failedTests(text), line)...)
}

// runBeside runs the command beside the tests, and prints what it has printed once it is over.
func (r *runner) runBeside(ctx context.Context) {
	name := strings.Join(r.beside, " ")
	r.print(r.stderr, name+": begins, beside the tests")
	begin := time.Now()
	text, err := r.output(child.Command(ctx, "nice", append([]string{"-n", "10"}, r.beside...)...))
	line := fmt.Sprintf("%s\t%.3fs", name, time.Since(begin).Seconds())
	if err == nil {
		r.show(text, "ok  \t"+line)
		return
	}
	line = fmt.Sprintf("FAIL\t%s: %v", line, err)
	r.show(text, line)
	r.fail(append(failedTests(text), line)...)
}

// output runs a command and returns all that it has printed. Until then a file holds it, for those who cannot wait.
func (r *runner) output(cmd *exec.Cmd) (text []byte, err error) {
	r.mu.Lock()
	entries, err := os.ReadDir(r.folder)
	name := filepath.Join(r.folder, strconv.Itoa(len(entries)+1)+".log")
	var file *os.File
	if err == nil {
		file, err = os.Create(name)
	}
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = file, file
	if r.live {
		both := io.MultiWriter(file, r.stdout)
		cmd.Stdout, cmd.Stderr = both, both
	} else {
		r.print(r.stderr, "  its output until then: "+name)
	}
	err = errors.Join(cmd.Run(), file.Close())
	text, readErr := os.ReadFile(name)
	return text, errors.Join(err, readErr)
}

// failedTests are the lines of a test's output that name what failed.
func failedTests(text []byte) []string {
	var lines []string
	for _, line := range regexp.MustCompile(`(?m)^(--- FAIL: |panic: ).*$`).FindAll(text, -1) {
		lines = append(lines, string(line))
	}
	return lines
}

// fail keeps the lines about one failure.
func (r *runner) fail(lines ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed++
	r.failures = append(r.failures, lines...)
}

// show prints a whole output, unless that was done as it came, and a line after it.
func (r *runner) show(text []byte, line string) {
	if r.live {
		text = nil
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		text = append(text, '\n')
	}
	r.print(r.stdout, string(text)+line)
}

// print prints lines so that nothing comes between them.
func (r *runner) print(w io.Writer, lines string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := io.WriteString(w, lines+"\n"); err != nil {
		r.failures = append(r.failures, "FAIL\tprint: "+err.Error())
	}
}
