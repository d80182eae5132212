package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"fairlead/inventory"
	"fairlead/provision"
	"fairlead/provision/event"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/provision/remote/ssh"
)

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

// withoutCancelled drops what failed only because the run was stopped.
func withoutCancelled(all []failure) []failure {
	return slices.DeleteFunc(all, func(f failure) bool { return errors.Is(f.err, context.Canceled) })
}

// told is a failure in words.
type told struct {
	host   inventory.Host // zero when it belongs to none
	where  string         // the place of one that belongs to a host or has a title, else empty
	title  string
	reason string
	said   []string // the last lines of a program
	hint   string
}

func (f failure) tell(cluster *inventory.Cluster) told {
	if jump := (*ssh.JumpError)(nil); errors.As(f.err, &jump) {
		f.title, f.err = "", jump // whatever it was that needed the jump host
	}
	t := told{title: f.title}
	t.host, _ = cluster.Host(f.host)
	if f.host != "" || f.title != "" {
		t.where = place(f.host)
	}
	t.reason = f.reason(t.host)
	var exit *remote.ExitError
	if errors.As(f.err, &exit) {
		t.said = exit.Tail()
	}
	t.hint = hintFor(f.err, cluster, t.host)
	return t
}

// unknownKey says that it is about a host of which no key is known, nothing else is wrong, and a key can be written down.
func (f failure) unknownKey() bool {
	var key *ssh.HostKeyError
	return errors.As(f.err, &key) && key.Unknown() && key.Cause == nil && key.Keepable() && key.Host == f.host // not a jump host's
}

// reason is why it failed, without what stands elsewhere: where, and what a program said.
func (f failure) reason(host inventory.Host) string {
	if f.title == "" && host.Name != "" && f.unknownKey() {
		return "the SSH host key is not known here yet" // all that is to be said of many hosts at once: trust shows the keys
	}
	reason := f.err.Error()
	var exit *remote.ExitError
	if errors.As(f.err, &exit) {
		reason = strings.Replace(reason, exit.Error(), exit.Ended(), 1)
	}
	if f.title != "" || host.Name == "" {
		return reason
	}
	// A host that was not looked at: its address is in the cluster file and in the hint.
	var failed *remote.ConnectError
	if errors.As(f.err, &failed) {
		reason = strings.TrimPrefix(reason, "connect to "+failed.Login+": ")
	}
	var network *net.OpError
	if errors.As(f.err, &network) && errors.Is(f.err, remote.ErrUnreachable) && network.Err != nil {
		reason = strings.Replace(reason, network.Error(), network.Err.Error(), 1)
	}
	return reason
}

// neutral is the same failure in words that fit other hosts, too. Its hint is for its own.
func (t told) neutral() told {
	t.title, t.reason = neutral(t.title, t.host), neutral(t.reason, t.host)
	said := make([]string, len(t.said))
	for i, line := range t.said {
		said[i] = neutral(line, t.host)
	}
	t.said = said
	return t
}

// words are equal for failures of the same cause.
func (t told) words() string {
	n := t.neutral()
	return strings.Join(append([]string{strconv.FormatBool(t.where != ""), n.title, n.reason}, n.said...), "\n")
}

// writeFailures prints each cause once: the hosts that it has struck, why, the end of a program's output, and what to do.
func writeFailures(w io.Writer, all []failure, colours palette, cluster *inventory.Cluster) {
	stories := make([]told, len(all))
	for i, f := range all {
		stories[i] = f.tell(cluster)
	}
	for _, same := range grouped(stories, told.words) {
		first := same[0]
		if len(same) > 1 {
			first = first.neutral()
		}
		where, list := headed(places(same, func(t told) string { return t.where }), len(cluster.Hosts()))
		if first.where == "" {
			where, list = "", ""
		}
		first.write(w, colours, where, list, hintOf(same))
	}
}

// hintOf is what to do about a cause. Where that is another thing on each host, it says whose it is.
func hintOf(same []told) string {
	first := same[0]
	if first.hint == "" {
		return ""
	}
	if slices.ContainsFunc(same, func(t told) bool { return t.hint != first.hint }) {
		return "hint: for " + first.where + ": " + first.hint
	}
	return "hint: " + first.hint
}

func (t told) write(w io.Writer, colours palette, where, list, hint string) {
	head := t.reason
	for _, part := range []string{t.title, where} {
		if part != "" {
			head = part + ": " + head
		}
	}
	_, _ = fmt.Fprintln(w, colours.red("error:"), printable(strings.ReplaceAll(head, "\n", "\n  ")))
	for _, line := range t.said {
		_, _ = fmt.Fprintln(w, "  | "+printable(line))
	}
	if list != "" {
		_, _ = fmt.Fprintln(w, "  hosts: "+printable(list))
	}
	if hint != "" {
		_, _ = fmt.Fprintln(w, "  "+printable(hint))
	}
}
