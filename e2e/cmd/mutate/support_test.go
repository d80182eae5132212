package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// failure is the error of a command that ran and failed.
func failure(t *testing.T) error {
	t.Helper()
	err := exec.CommandContext(t.Context(), "false").Run()
	if err == nil {
		t.Fatal("false succeeded")
	}
	return err
}
