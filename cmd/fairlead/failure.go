package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision"
	"fairlead/provision/event"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
)

// shownLines is how many of the last lines of a program's output a failure shows.
const shownLines = 10

// failure is one thing that went wrong, and where.
type failure struct {
	host, title string // either may be empty
	err         error
}

// failures takes a run's error apart, in the order of the inventory's hosts; what
// concerns the whole cluster is last.
func failures(err error, hosts []inventory.Host) []failure {
	all := flatten(err)
	index := func(f failure) int {
		if i := slices.IndexFunc(hosts, func(h inventory.Host) bool { return h.Name == f.host }); i >= 0 {
			return i
		}
		return len(hosts)
	}
	slices.SortStableFunc(all, func(a, b failure) int { return cmp.Compare(index(a), index(b)) })
	return all
}

func flatten(err error) []failure {
	switch e := err.(type) { //nolint:errorlint // takes the tree apart level by level
	case nil:
		return nil
	case *event.StepError:
		return []failure{{host: e.Host, title: e.Title, err: e.Err}}
	case *provision.UnreachableError:
		var all []failure
		for i, host := range e.Hosts {
			all = append(all, failure{host: host, err: e.Causes[i]})
		}
		return all
	case *plan.RefusedError:
		var all []failure
		for _, host := range e.Hosts {
			all = append(all, failure{host: host.Host, title: "reset the host", err: &refusal{host}})
		}
		return all
	case interface{ Unwrap() []error }:
		if all, joined := parts(err, e.Unwrap()); joined {
			return all
		}
	}
	return []failure{{err: err}}
}

// refusal is why one host is not reset.
type refusal struct{ of plan.Belonging }

// Error implements error.
func (e *refusal) Error() string { return oneLine(e.of.Reason) }

// parts flattens the errors of errors.Join. One that says more than its parts, like
// fmt.Errorf with several %w, is not taken apart.
func parts(err error, children []error) ([]failure, bool) {
	if err.Error() != errors.Join(children...).Error() {
		return nil, false
	}
	var all []failure
	for _, child := range children {
		all = append(all, flatten(child)...)
	}
	return all, true
}

// write prints the failure: where and why, the command with the end of its output, and
// what to do.
func (f failure) write(w io.Writer, colours palette, cluster *inventory.Cluster) {
	reason := f.err.Error()
	var exit *remote.ExitError
	if errors.As(f.err, &exit) {
		reason = strings.Replace(reason, exit.Error(), exitText(exit), 1)
	}
	where := ""
	if f.host != "" || f.title != "" {
		where = place(f.host) + ": "
	}
	if f.title != "" {
		where += f.title + ": "
	}
	_, _ = fmt.Fprintln(w, colours.red("error:"), printable(where+strings.ReplaceAll(reason, "\n", "\n  ")))
	if exit != nil {
		_, _ = fmt.Fprintln(w, "  command: "+printable(exit.Command))
		for _, line := range outputEnd(exit) {
			_, _ = fmt.Fprintln(w, "  | "+printable(line))
		}
	}
	host, _ := cluster.Host(f.host)
	if hint := hintFor(f.err, cluster, host); hint != "" {
		_, _ = fmt.Fprintln(w, "  hint: "+printable(hint))
	}
}

func exitText(exit *remote.ExitError) string {
	if exit.Signal != "" {
		return "killed by SIG" + exit.Signal
	}
	return fmt.Sprintf("exit %d", exit.Code)
}

// outputEnd is the last lines of standard error, or of standard output when a program
// said nothing there; none of a program whose output is withheld.
func outputEnd(exit *remote.ExitError) []string {
	if exit.Withheld() {
		return nil
	}
	for _, output := range [][]byte{exit.Stderr, exit.Stdout} {
		var lines []string
		for line := range strings.Lines(string(output)) {
			if line = strings.TrimRight(line, " \t\r\n"); line != "" {
				lines = append(lines, line)
			}
		}
		if len(lines) > 0 {
			return lines[max(0, len(lines)-shownLines):]
		}
	}
	return nil
}

// withoutCancelled drops what failed only because the run was stopped.
func withoutCancelled(all []failure) []failure {
	return slices.DeleteFunc(all, func(f failure) bool { return errors.Is(f.err, context.Canceled) })
}
