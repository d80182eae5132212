package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"
)

// errNobodyToAsk says that there is no terminal.
var errNobodyToAsk = errors.New("there is no terminal to ask on: use password: {file: …} in the cluster file")

// askPassword reads a password from the terminal, without an echo.
func (p *program) askPassword(ctx context.Context, prompt string) (string, error) {
	file, ok := p.stdin.(*os.File)
	if !ok || !isTerminal(p.stdin) || !isTerminal(p.stderr) {
		return "", errNobodyToAsk
	}
	state, err := term.GetState(int(file.Fd()))
	if err != nil {
		return "", err
	}
	_, _ = fmt.Fprint(p.stderr, prompt)
	type answer struct {
		password []byte
		err      error
	}
	answers := make(chan answer, 1)
	go func() { // ends with the process: a read of a terminal cannot be called off
		password, err := term.ReadPassword(int(file.Fd()))
		answers <- answer{password, err}
	}()
	select {
	case a := <-answers:
		_, _ = fmt.Fprintln(p.stderr)
		return string(a.password), a.err
	case <-ctx.Done():
		_, _ = fmt.Fprintln(p.stderr)
		return "", errors.Join(ctx.Err(), term.Restore(int(file.Fd()), state))
	}
}
