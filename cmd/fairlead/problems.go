package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"fairlead/inventory"
	"fairlead/provision/event"

	"github.com/urfave/cli/v2"
)

// wantsJSON says whether a command line asks for events. It reads the words themselves: a line that is wrong is not parsed.
func wantsJSON(app *cli.App, args []string) bool {
	if ours, _, is := ofKubectl(app, append([]string{app.Name}, args...)); is {
		args = ours[1:]
	}
	flags, _ := separate(args, valuedFlags(app))
	wanted := false
	for i, word := range flags {
		if !isFlag(word) || !slices.Contains([]string{flagOutput, "o"}, flagName(word)) {
			continue
		}
		_, value, inWord := strings.Cut(word, "=")
		if !inWord && i+1 < len(flags) {
			value = flags[i+1]
		}
		wanted = value == outputJSON
	}
	return wanted
}

// tellProblems writes what is wrong with the command line or the cluster file as events.
func (p *program) tellProblems(err error) error {
	r := newJSONRenderer(p.stdout, p.stderr)
	summary := err.Error()
	var invalid *inventory.Invalid
	if errors.As(err, &invalid) {
		summary = cannotBeUsed(invalid)
	}
	for _, e := range problemEvents(err) {
		e.Time = time.Now()
		r.event(e)
	}
	return r.close(errors.New(summary))
}

// problemEvents has one event for each thing that is wrong.
func problemEvents(err error) []event.Event {
	var invalid *inventory.Invalid
	if !errors.As(err, &invalid) {
		e := event.Event{Kind: event.Problem, Message: err.Error()}
		var path *fs.PathError
		if errors.As(err, &path) {
			e.File = path.Path
		}
		return []event.Event{e}
	}
	var all []event.Event
	for _, problem := range invalid.Problems {
		all = append(all, event.Event{Kind: event.Problem, File: invalid.File, Line: problem.Line, Path: problem.Where(), Message: problem.Message})
	}
	return all
}

func cannotBeUsed(invalid *inventory.Invalid) string {
	return fmt.Sprintf("%s cannot be used: %s", invalid.File, count(len(invalid.Problems), "problem"))
}
