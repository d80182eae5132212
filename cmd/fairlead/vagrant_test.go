package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// standInVagrant puts a script that is called vagrant first in PATH.
func standInVagrant(t *testing.T, script string) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, fromVagrant), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// TestVagrantSilent: neither a Vagrant that says nothing holds a run up, nor what it has started.
func TestVagrantSilent(t *testing.T) {
	standInVagrant(t, "sleep 600 & sleep 600")
	begun := time.Now()
	_, err := vagrant{patience: 200 * time.Millisecond}.ask(t.Context(), "ssh", "node1", "-c", "true")
	if err == nil || err.Error() != "ask vagrant: vagrant ssh node1 does not answer within 200ms" {
		t.Error(err)
	}
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := (vagrant{patience: time.Minute}).ask(ctx, "status"); !errors.Is(err, cause) {
		t.Error(err)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestVagrantTalks: an answer without an end is not kept.
func TestVagrantTalks(t *testing.T) {
	standInVagrant(t, "exec yes")
	_, err := vagrant{patience: time.Minute}.ask(t.Context(), "status")
	if err == nil || !strings.Contains(err.Error(), "vagrant status: the answer is longer than 4 MiB") {
		t.Error(err)
	}
}

// TestVagrantFailure: what Vagrant says of a failure is one line, and short.
func TestVagrantFailure(t *testing.T) {
	standInVagrant(t, `echo half; printf 'It has\nfailed: %0500d\n' 1 >&2; exit 3`)
	text, err := vagrant{patience: time.Minute}.ask(t.Context(), "ssh-config", "node1")
	var failed *vagrantFailure
	if !errors.As(err, &failed) || text != "half\n" || len(err.Error()) > 500 || !strings.HasPrefix(err.Error(), "vagrant ssh-config node1 has failed: It has failed: 000") {
		t.Error(text, err)
	}
	if got := (&vagrantFailure{command: "vagrant status"}).Error(); got != "vagrant status has failed, and says nothing" {
		t.Error(got)
	}
}
