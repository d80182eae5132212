package packages

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"fairlead/e2e/child"
)

// errorTail is how much of a failed program's standard error an error holds, in bytes.
const errorTail = 4096

// run runs a program in a folder and returns its standard output. Its standard error goes to
// log, and the end of it into the error.
func run(ctx context.Context, dir string, log io.Writer, argv ...string) (string, error) {
	cmd := child.Command(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, io.MultiWriter(&stderr, log)
	if err := cmd.Run(); err != nil {
		said := bytes.TrimSpace(stderr.Bytes())
		return "", fmt.Errorf("run %s: %w: %s", strings.Join(argv, " "), err, said[max(0, len(said)-errorTail):])
	}
	return stdout.String(), nil
}
