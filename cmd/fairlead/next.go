package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairlead/provision/remote"
)

// defaultFile is the cluster file where none is named.
func (p *program) defaultFile() string { return cmp.Or(p.env("FAIRLEAD_FILE"), "cluster.yaml") }

// next says in the last line what to type, and what is to be done before. Programs are told nothing.
func (p *program) next(s settings, before, command string) {
	if s.json {
		return
	}
	words := strings.Fields(command)
	if s.file != p.defaultFile() {
		at := len(words)
		if words[0] == kubectlName { // what follows is kubectl's
			at = 0
		}
		words = slices.Insert(words, at, "-f", s.file)
	}
	words = append([]string{"fairlead"}, words...)
	text := "next: "
	if before != "" {
		text += before + ", then: "
	}
	_, _ = fmt.Fprintln(p.stderr, printable(text+remote.Quote(words)))
}

// following is what to type after a command that ended well, and after one that did not.
type following struct{ well, failed string }

// afterUp is what to type when the cluster is there.
const afterUp = "kubeconfig --merge"

// followings are those of the commands on the way to a cluster.
func followings() map[string]following {
	return map[string]following{
		"check": {well: "up", failed: "check"},
		"plan":  {well: "up", failed: "plan"},
		"trust": {well: "check", failed: "trust"},
		"up":    {well: afterUp, failed: "up"},
		"join":  {well: afterUp, failed: "up"}, // the host is in the file by then
	}
}

// sayNext says it, if there is something. Who has stopped a run knows what to do.
func (r *invocation) sayNext(err error) {
	switch {
	case r.following == following{} || errors.Is(err, errDeclined):
	case err == nil || errors.Is(err, errChanges):
		r.next(r.settings, "", r.following.well)
	default:
		r.next(r.settings, "mend what is said above", r.following.failed)
	}
}
