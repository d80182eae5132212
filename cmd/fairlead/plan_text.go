package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
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
	t.findings(plan.Findings, cluster)
	for _, host := range cluster.Hosts() {
		t.steps(fmt.Sprintf("%s (%s, %s)", host.Name, host.Role, host.Address), host.Name, plan.Steps)
	}
	t.steps("cluster", "", plan.Steps)
	t.blocked(plan.Blocked, cluster)
	switch {
	case plan.Empty():
		t.line(0, "plan is empty: nothing to do")
	case plan.More != "":
		t.line(0, "%s; more is known only after they ran: %s", count(len(plan.Steps), "step"), plan.More)
	default:
		t.line(0, "%s", count(len(plan.Steps), "step"))
	}
}

// findings writes each finding once, with all hosts that have it.
func (t *planText) findings(findings []plan.Finding, cluster *inventory.Cluster) {
	for _, same := range grouped(findings, func(f plan.Finding) string {
		host, _ := cluster.Host(f.Host)
		f = neutralFinding(f, host)
		return strings.Join([]string{severity(f), f.Name, f.Message, f.Fix}, "\n")
	}) {
		f := same[0]
		if host, _ := cluster.Host(f.Host); len(same) > 1 {
			f = neutralFinding(f, host)
		}
		hosts, list := headed(places(same, func(f plan.Finding) string { return f.Host }), len(cluster.Hosts()))
		paint := t.colours.red
		if f.Warning {
			paint = t.colours.yellow
		}
		t.line(0, "%s: %s: %s: %s", hosts, paint(severity(f)), f.Name, f.Message)
		if f.Fix != "" {
			t.line(1, "fix: %s", f.Fix)
		}
		t.list(list)
	}
}

// blocked writes each step that is blocked for the same reason once.
func (t *planText) blocked(all []plan.Blocked, cluster *inventory.Cluster) {
	for _, same := range grouped(all, func(b plan.Blocked) string {
		return neutral(b.Title+"\n"+b.Reason, inventory.Host{Name: b.Host})
	}) {
		b := same[0]
		if host := (inventory.Host{Name: b.Host}); len(same) > 1 {
			b.Title, b.Reason = neutral(b.Title, host), neutral(b.Reason, host)
		}
		hosts, list := headed(places(same, func(b plan.Blocked) string { return b.Host }), len(cluster.Hosts()))
		t.line(0, "%s: %s: %s: %s", hosts, t.colours.red("blocked"), b.Title, b.Reason)
		t.list(list)
	}
}

// list names all hosts where the heading names the first ones.
func (t *planText) list(hosts string) {
	if hosts != "" {
		t.line(1, "hosts: %s", hosts)
	}
}

// places are where things are, each named once.
func places[T any](all []T, host func(T) string) []string {
	var names []string
	for _, one := range all {
		if name := host(one); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
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
