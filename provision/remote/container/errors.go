package container

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"fairlead/provision/remote"
)

// Error is a container that cannot be reached. It says itself what to do.
type Error struct {
	// Engine is the engine's name, and Container what the container was called; empty where it is about no certain one.
	Engine, Container string
	// Problem is what is wrong, Mending what to do about it.
	Problem, Mending string

	kind error
}

// Error is what is wrong, and what to do.
func (e *Error) Error() string {
	text := e.Engine
	if e.Container != "" {
		text += " container " + e.Container
	}
	text += ": " + e.Problem
	if e.Mending != "" {
		text += "; " + e.Mending
	}
	return text
}

// Unwrap is the kind of the error: remote.ErrUnreachable, remote.ErrAuth where the engine lets the user do nothing, or remote.ErrHostKey for another
// container under the name.
func (e *Error) Unwrap() error { return e.kind }

// complaint is what clients say when they cannot do something. The texts are theirs, in lower case; all of one row have to be said.
type complaint struct {
	says    []string
	kind    error
	problem string
	mending func(client) string
}

// absent is the problem of a container that is not there.
const absent = "there is no such container"

// noContainer says that the engine does not know a container.
func noContainer(err error) bool {
	var e *Error
	return errors.As(err, &e) && strings.HasPrefix(e.Problem, absent)
}

// complaints are asked in this order.
func complaints() []complaint {
	is := func(text string) func(client) string { return func(client) string { return text } }
	group := func(c client) string { return engines()[c.engine].group }
	start := func(c client) string { return engines()[c.engine].start + ", or correct " + where(c) }
	list := func(c client) string {
		return remote.Quote(c.argv("ps", "--all")) + " shows which there are; correct ssh.container, or make it"
	}
	context := func(c client) string {
		return "correct ssh.context, or make that " + engines()[c.engine].called + " with " + c.engine
	}
	const down, noContext = "the engine does not answer", "there is no context of that name"
	rows := []complaint{
		{[]string{"permission denied", "connect to"}, remote.ErrAuth, "the engine lets this user do nothing", group},
		{[]string{"permission denied", "containerd socket"}, remote.ErrAuth, "the engine lets this user do nothing", group},
		{[]string{"rootless containerd not running"}, remote.ErrUnreachable, down, start},
		{[]string{"context", "not found"}, remote.ErrUnreachable, noContext, context},
		{[]string{"connection", "not found"}, remote.ErrUnreachable, noContext, context},
		{[]string{"paused"}, remote.ErrUnreachable, "it is paused", is("let it go on")},
	}
	for _, text := range []string{"no such container", "no such object", "no container with name or id", "no container with id"} {
		rows = append(rows, complaint{[]string{text}, remote.ErrUnreachable, absent, list})
	}
	for _, text := range []string{"is not running", "container state improper", "cannot exec in a stopped", "not in running state"} {
		rows = append(rows, complaint{[]string{text}, remote.ErrUnreachable, "it does not run", is("start it")})
	}
	for _, text := range []string{
		"cannot connect to the docker daemon", "is the docker daemon running", "failed to connect to the docker api", "error during connect",
		"cannot connect to podman", "unable to connect to podman", "cannot access containerd socket",
	} {
		rows = append(rows, complaint{[]string{text}, remote.ErrUnreachable, down, start})
	}
	return rows
}

// where is what says which engine is meant.
func where(c client) string {
	variable := map[string]string{Docker: "DOCKER_HOST", Podman: "CONTAINER_HOST", Nerdctl: "CONTAINERD_ADDRESS"}[c.engine]
	return "ssh.context and " + variable
}

// understand makes an error of what a client said. What is not known is shown as it is.
func (c client) understand(container, said string) *Error {
	lower := strings.ToLower(said)
	shown := strings.Join(lastLines(said), " ")
	for _, row := range complaints() {
		fits := true
		for _, text := range row.says {
			fits = fits && strings.Contains(lower, text)
		}
		if fits {
			return &Error{Engine: c.engine, Container: container, Problem: row.problem + " (" + shown + ")", Mending: row.mending(c), kind: row.kind}
		}
	}
	if shown == "" {
		shown = "its client failed and said nothing"
	}
	return &Error{Engine: c.engine, Container: container, Problem: shown, kind: remote.ErrUnreachable}
}

// notStarted explains a client that could not be started.
func (c client) notStarted(container string, err error) error {
	if errors.Is(err, exec.ErrNotFound) {
		return &Error{
			Engine: c.engine, Container: container, Problem: "the program " + c.engine + " is not here",
			Mending: "install it on this machine, put its folder into PATH, or correct ssh.transport", kind: remote.ErrUnreachable,
		}
	}
	return fmt.Errorf("start %s: %w", c.engine, err)
}

// shownLines is how many lines of what a client says an error shows.
const shownLines = 3

// lastLines are the last lines of a text that say something.
func lastLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-shownLines):]
}
