package main

import (
	"slices"
	"strings"
	"testing"
)

// TestForeignWords: what is pointed to exists, and no word is in the way of ours.
func TestForeignWords(t *testing.T) {
	app := (&program{env: func(string) string { return "" }}).app()
	for word, ours := range foreignCommands() {
		if app.Command(ours) == nil && ours != "--help" || app.Command(word) != nil {
			t.Errorf("%s points to %s", word, ours)
		}
	}
	for name, words := range foreignSubcommands() {
		var known []string
		for _, command := range app.Command(name).Subcommands {
			known = append(known, command.Name)
		}
		for word, ours := range words {
			if !slices.Contains(known, ours) || slices.Contains(known, word) {
				t.Errorf("%s %s points to %s", name, word, ours)
			}
		}
	}
	all := app.Commands
	for _, command := range app.Commands {
		all = append(all, command.Subcommands...)
	}
	known, seen := knownFlags(all), map[string]bool{}
	for _, foreign := range foreignFlags() {
		if flag, is := strings.CutPrefix(foreign.meant, "--"); is && !known[strings.Fields(flag)[0]] {
			t.Errorf("%v points to %s", foreign.names, foreign.meant)
		}
		for _, name := range foreign.names {
			if seen[name] || asking(name) || dryRun(name) {
				t.Errorf("%s has two meanings", name)
			}
			seen[name] = true
		}
	}
}
