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
	// The loop's sleep is in the group, too, and ends by the signal.
	cmd := Command(ctx, "sh", "-c", `trap 'echo asked; exit 0' INT; echo ready; while :; do sleep 60; done`)
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
