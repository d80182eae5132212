package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"fairlead/provision/remote/child"
)

// vagrant runs Vagrant's program for a folder.
type vagrant struct {
	folder   string // "" for the current one
	patience time.Duration
}

// vagrantFailure is a command of Vagrant that has ended with an error.
type vagrantFailure struct{ command, said string }

func (f *vagrantFailure) Error() string {
	const most = 400
	said := []rune(strings.Join(strings.Fields(f.said), " "))
	if len(said) > most {
		said = append(said[:most], '…')
	}
	if len(said) == 0 {
		return f.command + " has failed, and says nothing"
	}
	return f.command + " has failed: " + string(said)
}

// ask runs a command that only looks, and returns what it prints, also beside a *vagrantFailure. It has no terminal to ask on, and its end
// or that of the context ends whatever it has started.
func (v vagrant) ask(ctx context.Context, words ...string) (string, error) {
	path, err := exec.LookPath(fromVagrant)
	if err != nil {
		return "", fmt.Errorf("ask vagrant: %w; install it, put its folder into PATH, or have its answer where it is: vagrant ssh-config | fairlead import -", err)
	}
	limited, cancel := context.WithTimeout(ctx, v.patience)
	defer cancel()
	cmd := child.Command(limited, path, words...)
	var stdout, stderr atMost
	cmd.Dir, cmd.Stdout, cmd.Stderr = v.folder, &stdout, &stderr
	cmd.Env = append(os.Environ(), "VAGRANT_CHECKPOINT_DISABLE=1") // no look for new versions, and no word of them in an answer
	err = cmd.Run()
	command := strings.Join(append([]string{fromVagrant}, words[:min(2, len(words))]...), " ")
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case limited.Err() != nil:
		return "", fmt.Errorf("ask vagrant: %s does not answer within %s", command, v.patience)
	case stdout.over || stderr.over:
		return "", fmt.Errorf("ask vagrant: %s: the answer is longer than %d MiB", command, maxForeign>>20)
	case errors.As(err, &exit):
		return stdout.String(), &vagrantFailure{command: command, said: stderr.String()}
	case err != nil:
		return "", fmt.Errorf("ask vagrant: %s: %w", command, err)
	}
	return stdout.String(), nil
}

// atMost keeps what is written to it, and takes no more than any honest answer has. The buffer is not embedded: its ReadFrom would take
// all.
type atMost struct {
	kept bytes.Buffer
	over bool // more was to come
}

func (a *atMost) String() string { return a.kept.String() }

// Write implements io.Writer.
func (a *atMost) Write(data []byte) (int, error) {
	if a.kept.Len()+len(data) > maxForeign {
		a.over = true
		return 0, io.ErrShortWrite // which ends the program, too
	}
	return a.kept.Write(data)
}
