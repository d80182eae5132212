package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"
)

// errNobodyToAsk says that there is no terminal.
var errNobodyToAsk = errors.New("there is no terminal to ask on")

// canAsk says that somebody may be asked.
func (p *program) canAsk() bool {
	return isTerminal(p.stdin) && isTerminal(p.stderr)
}

// askSecret reads a secret from the terminal, without an echo, while nothing else is shown there.
func (r *invocation) askSecret(ctx context.Context, prompt string) (secret []byte, err error) {
	if !r.canAsk() {
		return nil, errNobodyToAsk
	}
	err = r.view.still(func() error {
		secret, err = r.readSecret(ctx, r.stdin.(*os.File), prompt)
		return err
	})
	return secret, err
}

func (p *program) readSecret(ctx context.Context, terminal *os.File, prompt string) ([]byte, error) {
	if ctx.Err() != nil { // while others were asked
		return nil, ctx.Err()
	}
	state, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprint(p.stderr, printable(prompt))
	type answer struct {
		secret []byte
		err    error
	}
	answers := make(chan answer, 1)
	go func() { // ends with the process: a read of a terminal cannot be called off
		secret, err := term.ReadPassword(int(terminal.Fd()))
		answers <- answer{secret, err}
	}()
	select {
	case a := <-answers:
		_, _ = fmt.Fprintln(p.stderr)
		return a.secret, a.err
	case <-ctx.Done():
		_, _ = fmt.Fprintln(p.stderr)
		return nil, errors.Join(ctx.Err(), term.Restore(int(terminal.Fd()), state))
	}
}

// askPassword reads the password of a registry.
func (r *invocation) askPassword(ctx context.Context, prompt string) (string, error) {
	password, err := r.askSecret(ctx, prompt)
	if errors.Is(err, errNobodyToAsk) {
		err = fmt.Errorf("%w: use password: {file: …} in the cluster file", err)
	}
	return string(password), err
}

// passphrases asks for the passphrases of private keys, one at a time; nil where nobody can be asked.
func (r *invocation) passphrases() func(context.Context, string) ([]byte, error) {
	if !r.canAsk() {
		return nil
	}
	asked := map[string]bool{}
	return func(ctx context.Context, file string) ([]byte, error) {
		prompt := "Passphrase of " + file + ": "
		if asked[file] {
			prompt = "That is not it. " + prompt
		}
		asked[file] = true
		return r.askSecret(ctx, prompt)
	}
}
