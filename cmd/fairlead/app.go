package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead/inventory/nearest"
	"fairlead/provision/remote/ssh"

	"github.com/urfave/cli/v2"
)

// Flags that every command takes.
const (
	flagFile        = "file"
	flagOutput      = "output"
	flagNoColor     = "no-color"
	flagVerbose     = "verbose"
	flagConcurrency = "concurrency"
)

// Values of flagOutput.
const (
	outputText = "text"
	outputJSON = "json"
)

const commonCategory = "Every command takes:"

// app describes the command line.
func (p *program) app() *cli.App {
	app := &cli.App{
		Name:  "fairlead",
		Usage: "turn machines into a Kubernetes cluster over SSH",
		Description: "Write a cluster file, look at the hosts, and make them a cluster:\n\n" +
			"  fairlead init USER@HOST...\n  fairlead check\n  fairlead up\n\n" +
			"Exit codes: 0 done, 1 a step failed, 2 the command line or the cluster file is wrong,\n" +
			"3 plan --detailed-exitcode or images rewrite --check found changes.",
		UsageText:      "fairlead COMMAND [options]",
		Version:        readBuild().Version,
		Reader:         p.stdin,
		Writer:         p.stdout,
		ErrWriter:      p.stderr,
		Flags:          p.commonFlags(),
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   onUsageError,
		Action:         withoutCommand,
		Commands: []*cli.Command{
			p.initCommand(), p.importCommand(), p.trustCommand(), p.checkCommand(), p.planCommand(), p.upCommand(), p.joinCommand(),
			p.removeCommand(), p.resetCommand(), p.imagesCommand(), p.addonsCommand(), p.etcdCommand(), p.kubeconfigCommand(), p.kubectlCommand(), p.versionCommand(), p.completionCommand(),
		},
	}
	p.complement(app.Commands)
	return app
}

// complement gives commands, and those below them, what all have in common.
func (p *program) complement(commands []*cli.Command) {
	for _, command := range commands {
		command.Flags = append(command.Flags, p.commonFlags()...)
		command.HideHelpCommand = true
		command.OnUsageError = onUsageError
		if len(command.Subcommands) > 0 {
			command.Action = withoutSubcommand
			p.complement(command.Subcommands)
		}
	}
}

func (p *program) commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: flagFile, Aliases: []string{"f"}, Category: commonCategory,
			Usage: "the cluster `FILE`", DefaultText: "$FAIRLEAD_FILE, else cluster.yaml",
			Value: p.defaultFile(),
		},
		&cli.StringFlag{
			Name: flagOutput, Aliases: []string{"o"}, Category: commonCategory,
			Usage: "print text, or json: one event per line (docs/events.md)", Value: outputText, DefaultText: outputText,
			Action: func(c *cli.Context, value string) error {
				if value != outputText && value != outputJSON {
					return wrongUsage(c, "--output %s: must be text or json", value)
				}
				return nil
			},
		},
		&cli.IntFlag{
			Name: flagConcurrency, Category: commonCategory, Value: ssh.DefaultHandshakes,
			Usage: "log in to at most `N` hosts at the same time",
			Action: func(c *cli.Context, value int) error {
				if value < 1 {
					return wrongUsage(c, "--concurrency %d: must be 1 or more", value)
				}
				return nil
			},
		},
		&cli.BoolFlag{Name: flagNoColor, Category: commonCategory, DisableDefaultText: true, Usage: "print no colours; setting $NO_COLOR does the same"},
		&cli.BoolFlag{Name: flagVerbose, Category: commonCategory, DisableDefaultText: true, Usage: "show what programs on the hosts print"},
	}
}

// withoutCommand runs when the first argument is no command.
func withoutCommand(c *cli.Context) error {
	if !c.Args().Present() {
		return &usageError{err: errNoCommand, hint: seeHelp(c.App.Name)}
	}
	name := c.Args().First()
	meant := cmp.Or(foreignCommands()[strings.ToLower(name)], nearestCommand(c.App.Commands, name))
	return &usageError{err: unknown("command", name, meant), hint: seeHelp(c.App.Name)}
}

// withoutSubcommand runs when the second word of a command that has others below it is
// none of them.
func withoutSubcommand(c *cli.Context) error {
	if !c.Args().Present() {
		return &usageError{err: errNoCommand, hint: seeHelp(c.Command.HelpName)}
	}
	name := c.Args().First()
	meant := cmp.Or(foreignSubcommands()[c.Command.Name][strings.ToLower(name)], nearestCommand(c.Command.Subcommands, name))
	return &usageError{
		err:  unknown("command", c.Command.Name+" "+name, meant),
		hint: seeHelp(c.Command.HelpName),
	}
}

func nearestCommand(commands []*cli.Command, name string) string {
	names := make([]string, 0, len(commands))
	for _, command := range commands {
		names = append(names, command.Name)
	}
	return nearest.Word(name, names)
}

// onUsageError puts the parser's complaint about a flag into our words.
func onUsageError(c *cli.Context, err error, _ bool) error {
	name, found := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !found {
		return wrongUsage(c, "%w", err)
	}
	name = strings.TrimLeft(name, "-")
	written := "-" + name
	if len(name) > 1 {
		written = "--" + name
	}
	flags := c.App.Flags
	if len(c.Command.Flags) > 0 {
		flags = c.Command.Flags
	}
	names := make([]string, 0, len(flags))
	for _, flag := range flags {
		names = append(names, flag.Names()[0])
	}
	return &usageError{err: unknownFlag(c.Command.HelpName, name, written, names), hint: seeHelp(c.Command.HelpName)}
}

// unknownFlag says what was meant by a flag, of those that the command has or of what other tools call so.
func unknownFlag(command, name, written string, known []string) error {
	if asking(name) {
		if slices.Contains(known, flagYes) {
			return unknown("flag", written, "--"+flagYes)
		}
		return fmt.Errorf("unknown flag %s; %s asks nothing: leave it out", written, command)
	}
	if dryRun(name) {
		return fmt.Errorf("unknown flag %s; %s", written, insteadOfDryRun(command))
	}
	for _, foreign := range foreignFlags() {
		if !slices.Contains(foreign.names, name) {
			continue
		}
		ours, isFlag := strings.CutPrefix(foreign.meant, "--")
		ours, _, _ = strings.Cut(ours, " ")
		switch {
		case isFlag && slices.Contains(known, ours):
			return unknown("flag", written, foreign.meant)
		case !isFlag:
			return fmt.Errorf("unknown flag %s; %s", written, foreign.meant)
		}
	}
	best := nearest.Word(name, known)
	if best != "" {
		best = "--" + best
	}
	return unknown("flag", written, best)
}
