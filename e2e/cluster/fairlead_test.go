//go:build cluster

package cluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// outcome is a run of fairlead that is over.
type outcome struct {
	t              *testing.T
	line           string // the command line
	code           int
	stdout, stderr string
	begin          time.Time
	took           time.Duration
}

// event is one line of --output json, as docs/events.md describes it.
type event struct {
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"`
	Host    string    `json:"host"`
	Step    string    `json:"step"`
	Title   string    `json:"title"`
	Reasons []string  `json:"reasons"`
	Message string    `json:"message"`
	Bytes   int64     `json:"bytes"`
	Error   string    `json:"error"`
	Finding struct {
		Name, Message, Mending string
	} `json:"finding"`
}

// text is all that the event says of its host.
func (e event) text() string {
	parts := append([]string{e.Title, e.Message, e.Error, e.Finding.Name, e.Finding.Message, e.Finding.Mending}, e.Reasons...)
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "\n")
}

// command prepares fairlead with the site's inventory and nothing of the caller's
// surroundings.
func (s *site) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.ctx, shared.program, append(args, "--file", s.file)...)
	cmd.Dir = s.home
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.home, "XDG_CACHE_HOME=" + filepath.Join(s.home, "cache"),
		"TMPDIR=" + filepath.Join(s.home, "tmp"), "TERM=dumb",
	}
	cmd.Env = append(cmd.Env, s.env...)
	return cmd
}

// fairlead runs fairlead to its end, whatever that is.
func (s *site) fairlead(args ...string) outcome {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := s.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || s.ctx.Err() != nil {
		s.t.Fatalf("fairlead %s: %v: %v", strings.Join(args, " "), err, s.ctx.Err())
	}
	o := outcome{
		t: s.t, line: "fairlead " + strings.Join(args, " "), code: cmd.ProcessState.ExitCode(),
		stdout: stdout.String(), stderr: stderr.String(), begin: begin, took: time.Since(begin),
	}
	s.t.Logf("%s: exit %d after %.1fs", o.line, o.code, o.took.Seconds())
	return o
}

// mustUp runs fairlead up, which has to do its work.
func (s *site) mustUp() outcome {
	s.t.Helper()
	return s.fairlead("up", "--output", "json").exits(0)
}

// planned runs fairlead plan, which has to exit with code: 0 for nothing to do, 3 for
// changes.
func (s *site) planned(code int) outcome {
	s.t.Helper()
	return s.fairlead("plan", "--detailed-exitcode").exits(code)
}

// plannedEvents is planned for changes, with the plan as events.
func (s *site) plannedEvents() outcome {
	s.t.Helper()
	return s.fairlead("plan", "--detailed-exitcode", "--output", "json").exits(3)
}

// exits fails the test unless fairlead ended with the code.
func (o outcome) exits(code int) outcome {
	o.t.Helper()
	if o.code != code {
		o.t.Fatalf("%s: exit %d, want %d\nstdout: %s\nstderr: %s", o.line, o.code, code, lastLines(o.stdout), lastLines(o.stderr))
	}
	return o
}

// says fails the test unless all texts stand in the output.
func (o outcome) says(texts ...string) outcome {
	o.t.Helper()
	for _, text := range texts {
		if !strings.Contains(o.stdout+o.stderr, text) {
			o.t.Errorf("%s: does not say %q\nstdout: %s\nstderr: %s", o.line, text, lastLines(o.stdout), lastLines(o.stderr))
		}
	}
	return o
}

// saysOf fails the test unless one thing that was said of the host holds all texts: an event,
// a failure with what belongs to it, a finding, or the part of a plan that is the host's.
// That a host's name stands anywhere in the output says nothing: every run names all hosts.
func (o outcome) saysOf(host string, texts ...string) outcome {
	o.t.Helper()
	said := o.said(host)
	if !slices.ContainsFunc(said, func(s string) bool { return containsAll(s, texts) }) {
		o.t.Errorf("%s: does not say %q of %s; of %s it says:\n%s\nstderr: %s", o.line, texts, host, host, strings.Join(said, "\n--\n"), lastLines(o.stderr))
	}
	return o
}

func containsAll(text string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}

// said is what the output says of one host, thing by thing.
func (o outcome) said(host string) []string {
	o.t.Helper()
	var all []string
	if o.json() {
		for _, e := range o.events() {
			if e.Host == host {
				all = append(all, e.text())
			}
		}
	} else {
		all = paragraphs(o.stdout, host)
	}
	return append(all, paragraphs(o.stderr, host)...)
}

func (o outcome) json() bool { return strings.Contains(o.line, " --output json") }

// paragraphs are the lines about a host, each with the indented ones below it: "w1  title
// failed", "w1: error: Disk: …", "error: cp1, w1: title: …" and "w1 (worker, 192.0.2.21)".
func paragraphs(text, host string) []string {
	about := regexp.MustCompile(`^(error: )?(\S+, )*` + regexp.QuoteMeta(host) + `(, \S+)*(:| \(|  )`)
	var all []string
	inside := false
	for line := range strings.Lines(text) {
		switch {
		case !strings.HasPrefix(line, " "):
			if inside = about.MatchString(line); inside {
				all = append(all, line)
			}
		case inside:
			all[len(all)-1] += line
		}
	}
	return all
}

// plans fails the test unless exactly these steps were planned. The run has to be a plan with
// --output json.
func (o outcome) plans(steps ...string) outcome {
	o.t.Helper()
	var planned []string
	for _, e := range o.events() {
		if e.Kind == "planned" {
			planned = append(planned, e.Step)
		}
	}
	slices.Sort(planned)
	if want := slices.Sorted(slices.Values(steps)); !slices.Equal(planned, want) {
		o.t.Errorf("%s: planned are %q, want %q", o.line, planned, want)
	}
	return o
}

// saysNot fails the test if a text stands in the output.
func (o outcome) saysNot(texts ...string) outcome {
	o.t.Helper()
	for _, text := range texts {
		if strings.Contains(o.stdout+o.stderr, text) {
			o.t.Errorf("%s: says %q\nstdout: %s\nstderr: %s", o.line, text, lastLines(o.stdout), lastLines(o.stderr))
		}
	}
	return o
}

// events are those of a run with --output json.
func (o outcome) events() []event {
	o.t.Helper()
	var all []event
	scanner := bufio.NewScanner(strings.NewReader(o.stdout))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var e event
		if err := json.Unmarshal(scanner.Bytes(), &e); err != nil {
			o.t.Fatalf("%s: event %q: %v", o.line, scanner.Text(), err)
		}
		all = append(all, e)
	}
	if err := scanner.Err(); err != nil {
		o.t.Fatal(err)
	}
	return all
}

// find returns the first event of the kind and step.
func find(events []event, kind, step string) (event, bool) {
	for _, e := range events {
		if e.Kind == kind && e.Step == step {
			return e, true
		}
	}
	return event{}, false
}

// lastLines is the end of a long output.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-25):], "\n")
}
