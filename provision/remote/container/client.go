package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"fairlead/provision/remote/child"
)

// clientPatience is how long a client may take for an answer that is not a process's.
const clientPatience = 15 * time.Second

// program finds the client.
func (c client) program() (string, error) {
	if c.path == "" {
		return exec.LookPath(c.engine)
	}
	for _, folder := range filepath.SplitList(c.path) {
		if program, err := exec.LookPath(filepath.Join(folder, c.engine)); err == nil {
			return program, nil
		}
	}
	return "", exec.ErrNotFound
}

// command is a command of the client, which has the surroundings of this process: DOCKER_HOST and its like are for it.
func (c client) command(argv []string) (*exec.Cmd, error) {
	program, err := c.program()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, argv[1:]...) //nolint:gosec,noctx // the client is the user's, and who starts it ends it
	cmd.Dir = "/"
	return cmd, nil
}

// ask runs a command that answers at once. about is the container in question, if it is about one.
func (c client) ask(ctx context.Context, about string, words ...string) ([]byte, error) {
	program, err := c.program()
	if err != nil {
		return nil, c.notStarted(about, err)
	}
	limited, cancel := context.WithTimeoutCause(ctx, clientPatience, fmt.Errorf("no answer for %s", clientPatience))
	defer cancel()
	cmd := child.Command(limited, program, c.argv(words...)[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", &stdout, &stderr
	err = cmd.Start()
	if err != nil && ctx.Err() == nil {
		return nil, c.notStarted(about, err)
	}
	if err == nil {
		err = cmd.Wait()
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case limited.Err() != nil:
		return nil, c.understand(about, context.Cause(limited).Error())
	case errors.As(err, &exit):
		return stdout.Bytes(), c.understand(about, stderr.String())
	}
	return stdout.Bytes(), err
}
