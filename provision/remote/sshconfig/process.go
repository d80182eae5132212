package sshconfig

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fairlead/provision/remote/child"
)

// errSlow is why an answer was not waited for.
var errSlow = errors.New("does a Match exec or CanonicalizeHostname in it wait for something?")

// run runs ssh for as long as it may take, and returns its two outputs.
func (r *Resolver) run(ctx context.Context, argv ...string) (out, said string, err error) {
	select {
	case r.asking <- struct{}{}:
		defer func() { <-r.asking }()
	case <-ctx.Done():
		return "", "", context.Cause(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	cmd := child.Command(limited, r.opts.Program, argv...) // what Match exec runs ends with it
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err = cmd.Run(); err != nil && limited.Err() != nil {
		err = fmt.Errorf("no answer within %s; %w", r.opts.Timeout, errSlow)
	}
	return stdout.String(), stderr.String(), err
}

// explained is an error with the last that ssh said of it.
func explained(err error, said string) error {
	lines := strings.FieldsFunc(said, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if line == "" || strings.HasPrefix(line, "Pseudo-terminal will not be allocated") || strings.Contains(line, "bad configuration options") {
			continue
		}
		return fmt.Errorf("%w: %s", err, line)
	}
	return err
}
