package main

import (
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"fairlead/inventory"

	"github.com/urfave/cli/v2"
)

//go:embed completion
var completionScripts embed.FS

// completeCommand is what the shells' scripts call with the words of the line so far,
// the last one being the one to complete. Each line of the answer is a word, a tab, and
// what it means; without an answer the shell offers files.
const completeCommand = "__complete"

func shells() []string { return []string{"bash", "zsh", "fish"} }

func (p *program) completionCommand() *cli.Command {
	return &cli.Command{
		Name:        "completion",
		Usage:       "print the completion script of a shell",
		ArgsUsage:   strings.Join(shells(), "|"),
		Description: "Example, for this shell only:\n  source <(fairlead completion bash)",
		Action: func(c *cli.Context) error {
			shell := c.Args().First()
			if c.Args().Len() != 1 || !slices.Contains(shells(), shell) {
				return wrongUsage(c, "name a shell: %s", strings.Join(shells(), ", "))
			}
			script, err := completionScripts.ReadFile("completion/fairlead." + shell)
			if err != nil {
				return err
			}
			_, err = p.stdout.Write(script)
			return err
		},
	}
}

// complete answers completeCommand.
func (p *program) complete(app *cli.App, words []string) error {
	if len(words) == 0 {
		words = []string{""}
	}
	before, word := words[:len(words)-1], words[len(words)-1]
	var list strings.Builder
	for _, candidate := range p.candidates(app, before, word) {
		if strings.HasPrefix(candidate[0], word) {
			fmt.Fprintf(&list, "%s\t%s\n", candidate[0], candidate[1])
		}
	}
	_, err := io.WriteString(p.stdout, list.String())
	return err
}

// candidates are words that may follow, each with its meaning.
func (p *program) candidates(app *cli.App, before []string, word string) [][2]string {
	if _, _, is := ofKubectl(app, slices.Concat([]string{app.Name}, before)); is {
		return nil // they are kubectl's
	}
	if n := len(before); n > 0 && awaitsValue(app, before[n-1]) {
		return valueCandidates(flagName(before[n-1]))
	}
	line := arrange(app, slices.Concat([]string{app.Name}, before))
	command := commandOf(app, line)
	switch {
	case strings.HasPrefix(word, "-") && command != nil:
		return flagCandidates(command.Flags)
	case strings.HasPrefix(word, "-"):
		return flagCandidates(app.Flags)
	case command == nil:
		return commandCandidates(app.Commands)
	case len(command.Subcommands) > 0:
		return commandCandidates(command.Subcommands)
	case slices.Contains([]string{"reset", "remove", "trust"}, command.Name):
		return p.hostCandidates(line)
	case command.Name == "completion":
		return [][2]string{{"bash"}, {"zsh"}, {"fish"}}
	}
	return nil
}

// commandOf is the command that an arranged line names, nil without one.
func commandOf(app *cli.App, line []string) *cli.Command {
	var command *cli.Command
	among := app.Commands
	for _, word := range line[1:] {
		i := slices.IndexFunc(among, func(c *cli.Command) bool { return c.HasName(word) })
		if i < 0 {
			break
		}
		command, among = among[i], among[i].Subcommands
	}
	return command
}

// awaitsValue says that the word is a flag whose value is the next word.
func awaitsValue(app *cli.App, word string) bool {
	return isFlag(word) && valuedFlags(app)[flagName(word)] && !strings.Contains(word, "=")
}

func valueCandidates(flag string) [][2]string {
	if flag == flagOutput || flag == "o" {
		return [][2]string{{outputText, "for people"}, {outputJSON, "one event per line"}}
	}
	return nil
}

func flagCandidates(flags []cli.Flag) [][2]string {
	var list [][2]string
	for _, flag := range flags {
		if f, ok := flag.(cli.DocGenerationFlag); ok {
			list = append(list, [2]string{"--" + flag.Names()[0], strings.ReplaceAll(f.GetUsage(), "`", "")})
		}
	}
	return list
}

func commandCandidates(commands []*cli.Command) [][2]string {
	var list [][2]string
	for _, command := range commands {
		list = append(list, [2]string{command.Name, command.Usage})
	}
	return list
}

// hostCandidates are the hosts of the file that the line names; none when it cannot be used.
func (p *program) hostCandidates(words []string) [][2]string {
	file := p.env("FAIRLEAD_FILE")
	if file == "" {
		file = "cluster.yaml"
	}
	for i, word := range words {
		name, value, inline := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if !isFlag(word) || (name != flagFile && name != "f") {
			continue
		}
		if inline {
			file = value
		} else if i+1 < len(words) {
			file = words[i+1]
		}
	}
	cluster, _, err := inventory.Load(file)
	if err != nil {
		return nil
	}
	var list [][2]string
	for _, host := range cluster.Hosts() {
		list = append(list, [2]string{host.Name, string(host.Role) + " " + host.Address.String()})
	}
	return list
}
