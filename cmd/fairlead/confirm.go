package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/plan"
)

// errDeclined says that the user did not want it.
var errDeclined = errors.New("not confirmed: nothing was changed")

// wordForeign is what has to be typed for hosts that are not of the inventory's cluster.
const wordForeign = "foreign"

// resetQuestion says what a reset removes, and which word it takes to go on.
func resetQuestion(cluster *inventory.Cluster, hosts []plan.Belonging) (question, word string) {
	var b strings.Builder
	fmt.Fprintf(&b, "This removes Kubernetes, with all its data, from:\n")
	for _, of := range hosts {
		host, _ := cluster.Host(of.Host)
		fmt.Fprintf(&b, "  %s (%s, %s): %s\n", host.Name, host.Role, host.Address, whose(of))
		if of.Reason != "" {
			fmt.Fprintf(&b, "    %s: %s\n", warningOf(cluster, of.Verdict), oneLine(of.Reason))
		}
	}
	if slices.ContainsFunc(hosts, func(of plan.Belonging) bool { return of.Verdict == plan.Foreign }) {
		fmt.Fprintf(&b, "Type %s to go on, with hosts that are not of cluster %s: ", wordForeign, cluster.Name)
		return b.String(), wordForeign
	}
	fmt.Fprintf(&b, "Type the cluster's name, %s, to go on: ", cluster.Name)
	return b.String(), cluster.Name
}

// warningOf is what a verdict means where it is not in order.
func warningOf(cluster *inventory.Cluster, verdict plan.Verdict) string {
	if verdict == plan.Foreign {
		return "NOT OF CLUSTER " + cluster.Name
	}
	return "not known to be of cluster " + cluster.Name
}

// whose is a host's cluster, in a few words.
func whose(of plan.Belonging) string {
	if of.CA == "" && of.Cluster == "" {
		return "no cluster is on it"
	}
	var words []string
	for _, part := range []struct{ name, value string }{{"cluster", of.Cluster}, {"node", of.Node}, {"CA", of.CA}} {
		if part.value != "" {
			words = append(words, part.name+" "+oneLine(part.value))
		}
	}
	if !of.Since.IsZero() {
		words = append(words, "since "+of.Since.UTC().Format("2006-01-02 15:04"))
	}
	return strings.Join(words, ", ")
}

// oneLine is what a host says of itself, which must not look like lines of ours.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// ask returns nil when the answer to a question is one of the words.
func (p *program) ask(ctx context.Context, question string, words ...string) error {
	_, _ = fmt.Fprint(p.stderr, question)
	answers := make(chan string, 1)
	go func() { // ends with the process: a read of a terminal cannot be called off
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		answers <- line
	}()
	select {
	case answer := <-answers:
		if slices.ContainsFunc(words, func(word string) bool { return strings.EqualFold(strings.TrimSpace(answer), word) }) {
			return nil
		}
		return errDeclined
	case <-ctx.Done():
		_, _ = fmt.Fprintln(p.stderr)
		return errDeclined
	}
}
