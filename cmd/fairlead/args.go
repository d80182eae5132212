package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

var errNoCommand = errors.New("a command is needed")

// arrange puts a command's name first, then all flags, then its arguments: the parser
// wants that order, people write flags anywhere. A line without a command stays as it is.
func arrange(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return []string{app.Name}
	}
	if ours, theirs, is := ofKubectl(app, args); is {
		return slices.Concat(args[:1], []string{kubectlName}, ours[1:len(ours)-1], []string{"--"}, theirs)
	}
	flags, rest := separate(args[1:], valuedFlags(app))
	if len(rest) == 0 {
		return args
	}
	named := 1
	if command := app.Command(rest[0]); command != nil && len(command.Subcommands) > 0 && len(rest) > 1 {
		named = 2
	}
	arranged := slices.Concat(args[:1], rest[:named], flags)
	if len(rest) > named {
		arranged = slices.Concat(arranged, []string{"--"}, rest[named:])
	}
	return arranged
}

// separate takes the flags, with the values of those that have one, out of the other words.
func separate(words []string, valued map[string]bool) (flags, rest []string) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "--":
			return flags, append(rest, words[i+1:]...)
		case !isFlag(word):
			rest = append(rest, word)
		default:
			flags = append(flags, word)
			if valued[flagName(word)] && !hasValue(word) && i+1 < len(words) {
				i++
				flags = append(flags, words[i])
			}
		}
	}
	return flags, rest
}

func isFlag(word string) bool { return len(word) > 1 && word[0] == '-' }

// flagName is the name in "-name", "--name" and "--name=value".
func flagName(word string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	return name
}

// hasValue says that a flag has its value in its own word.
func hasValue(word string) bool { return strings.Contains(word, "=") }

// valuedFlags are the names of all flags that a value follows, those that are only other tools' among them.
func valuedFlags(app *cli.App) map[string]bool {
	valued := map[string]bool{}
	all := app.Commands
	for _, command := range app.Commands {
		all = slices.Concat(all, command.Subcommands)
	}
	for _, command := range all {
		for _, flag := range command.Flags {
			if f, ok := flag.(cli.DocGenerationFlag); ok && f.TakesValue() {
				for _, name := range flag.Names() {
					valued[name] = true
				}
			}
		}
	}
	ours := knownFlags(all)
	for _, foreign := range foreignFlags() {
		for _, name := range foreign.names {
			if !ours[name] {
				valued[name] = foreign.valued
			}
		}
	}
	return valued
}

// knownFlags are the names of all flags of some commands.
func knownFlags(commands []*cli.Command) map[string]bool {
	known := map[string]bool{}
	for _, command := range commands {
		for _, flag := range command.Flags {
			for _, name := range flag.Names() {
				known[name] = true
			}
		}
	}
	return known
}

// unknown is the error for a word that does not exist, with the one that was meant if
// that can be guessed.
func unknown(kind, word, meant string) error {
	if meant == "" {
		return fmt.Errorf("unknown %s %s", kind, word)
	}
	return fmt.Errorf("unknown %s %s; did you mean %s?", kind, word, meant)
}
