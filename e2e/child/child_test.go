package child

import (
	"bufio"
	"context"
	"io"
	"testing"
)

func TestCommandIsAskedToEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// wait is interrupted by a signal, whenever that comes. Who runs the tests in the background may have
	// had the signal ignored, for them and all below.
	cmd := Command(ctx, "env", "--default-signal=INT", "sh", "-c", `trap 'echo asked; kill $!; exit 0' INT; sleep 60 >/dev/null & echo ready; wait`)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(stdout)
	if line, err := reader.ReadString('\n'); line != "ready\n" || err != nil {
		t.Fatalf("first line is %q, %v", line, err)
	}
	cancel()
	rest, err := io.ReadAll(reader)
	if string(rest) != "asked\n" || err != nil {
		t.Errorf("after the end of its context the program prints %q, %v", rest, err)
	}
	if err := cmd.Wait(); err != nil && ctx.Err() == nil {
		t.Error(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
