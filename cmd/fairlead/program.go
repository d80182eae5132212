package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"fairlead/inventory"
	"fairlead/provision/connect"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// The exit codes of all commands.
const (
	exitDone    = 0
	exitFailed  = 1 // a step failed, a host is unreachable, another run is at work, or preflight checks forbid the run
	exitUsage   = 2 // the command line or the inventory is wrong
	exitChanges = 3 // plan --detailed-exitcode: there is something to do
)

// program is a command line's surroundings.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string

	dial connect.Dial // to the hosts; nil does as the inventory says

	told    bool    // events were written, and the last of them
	leaving leaving // what has to be done before the program ends
}

// run runs one command line, args[0] being the program's name, and returns its exit code.
func (p *program) run(ctx context.Context, args []string) int {
	app := p.app()
	if len(args) > 1 && args[1] == completeCommand {
		return p.exit(p.complete(app, args[2:]))
	}
	err := app.RunContext(ctx, arrange(app, args))
	code := p.exit(err)
	if code == exitUsage && !p.told && len(args) > 1 && wantsJSON(app, args[1:]) {
		if failed := p.tellProblems(err); failed != nil {
			return p.exit(failed)
		}
	}
	return code
}

// exitError is a command that ended with a code and has said why.
type exitError int

// Error implements error.
func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usageError is a command line or an inventory that has to be changed.
type usageError struct {
	err  error
	hint string // what to do; may be empty
}

// Error implements error.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap implements error wrapping.
func (e *usageError) Unwrap() error { return e.err }

// wrongUsage is a usageError of the command that c runs.
func wrongUsage(c *cli.Context, format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...), hint: seeHelp(c.Command.HelpName)}
}

func seeHelp(command string) string { return "see " + command + " --help" }

// exit says what went wrong, unless that was said already, and returns the exit code.
func (p *program) exit(err error) int {
	var code exitError
	var usage *usageError
	var invalid *inventory.Invalid
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &invalid):
		_, _ = fmt.Fprintf(p.stderr, "%s\nerror: %s\n", printable(invalid.Error()), printable(cannotBeUsed(invalid)))
		return exitUsage
	case errors.As(err, &usage):
		_, _ = fmt.Fprintln(p.stderr, "error: "+printable(err.Error()))
		if usage.hint != "" {
			_, _ = fmt.Fprintln(p.stderr, "  hint: "+printable(usage.hint))
		}
		return exitUsage
	}
	_, _ = fmt.Fprintln(p.stderr, "error: "+printable(err.Error()))
	return exitFailed
}

// count is a number with its noun in the right form.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// isTerminal says whether a standard stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
