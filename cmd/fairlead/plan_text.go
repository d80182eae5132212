package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/plan"

	"github.com/rogpeppe/go-internal/diff"
)

// planText writes plans and findings for people.
type planText struct {
	out     *bytes.Buffer
	colours palette
	diff    bool // show what changes in files
}

func newPlanText(colours palette, withDiff bool) *planText {
	return &planText{out: &bytes.Buffer{}, colours: colours, diff: withDiff}
}

// line writes what fmt makes of the arguments. Strings are made printable, those that are painted are so already.
func (t *planText) line(indent int, format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = printable(text)
		}
	}
	text := fmt.Sprintf(format, args...)
	margin := strings.Repeat("  ", indent)
	t.out.WriteString(margin + strings.ReplaceAll(text, "\n", "\n"+margin) + "\n")
}

// plan writes the findings, then the steps of each host, then those of the cluster.
func (t *planText) plan(plan plan.Plan, cluster *inventory.Cluster) {
	t.findings(plan.Findings)
	for _, host := range cluster.Hosts() {
		t.steps(fmt.Sprintf("%s (%s, %s)", host.Name, host.Role, host.Address), host.Name, plan.Steps)
	}
	t.steps("cluster", "", plan.Steps)
	t.blocked(plan.Blocked)
	switch {
	case plan.Empty():
		t.line(0, "plan is empty: nothing to do")
	case plan.More != "":
		t.line(0, "%s; more is known only after they ran: %s", count(len(plan.Steps), "step"), plan.More)
	default:
		t.line(0, "%s", count(len(plan.Steps), "step"))
	}
}

func (t *planText) findings(findings []plan.Finding) {
	for _, f := range findings {
		paint := t.colours.red
		if f.Warning {
			paint = t.colours.yellow
		}
		t.line(0, "%s: %s: %s: %s", place(f.Host), paint(severity(f)), f.Name, f.Message)
		if f.Fix != "" {
			t.line(1, "fix: %s", f.Fix)
		}
	}
}

func (t *planText) blocked(all []plan.Blocked) {
	for _, b := range all {
		t.line(0, "%s: %s: %s: %s", place(b.Host), t.colours.red("blocked"), b.Title, b.Reason)
	}
}

func (t *planText) steps(heading, host string, steps []plan.Step) {
	for _, step := range steps {
		if step.Host != host {
			continue
		}
		if heading != "" {
			t.line(0, "%s", t.colours.bold(heading))
			heading = ""
		}
		t.line(1, "%s", step.Title)
		for _, reason := range step.Reasons {
			t.line(2, "- %s", reason)
		}
		for _, action := range step.Actions {
			t.line(2, "> %s", action.Describe())
			if differ, ok := action.(plan.Differ); ok && t.diff {
				t.change(differ.Diff())
			}
		}
	}
}

// change writes a unified diff of a file.
func (t *planText) change(path string, before, after []byte) {
	former := path
	if before == nil {
		former = "/dev/null"
	}
	text := diff.Diff(former, before, path, after)
	_, hunks, _ := bytes.Cut(text, []byte("\n")) // the first line repeats the names
	for line := range strings.Lines(string(hunks)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "+"):
			t.line(3, "%s", t.colours.green(line))
		case strings.HasPrefix(line, "-"):
			t.line(3, "%s", t.colours.red(line))
		default:
			t.line(3, "%s", line)
		}
	}
}

// flush hands what was written to w in one piece.
func (t *planText) flush(w io.Writer) error {
	if _, err := w.Write(t.out.Bytes()); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}
