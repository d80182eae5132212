package remote

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// promptPath is a PATH with a sudo that shows its prompt and ends.
func promptPath(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "sudo"), []byte("#!/bin/sh\nprintf %s \"$3\" >&2\n"), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	return folder + ":/usr/bin:/bin"
}

// TestOnePrompt has shells trace what they run, with all that is passed to sudo: the prompt is heard when sudo shows it, and at no
// other time.
func TestOnePrompt(t *testing.T) {
	path := promptPath(t)
	for _, shell := range shells {
		for _, options := range []string{"", "-x", "-v", "-e", "-a"} {
			x := listen(Command{})
			h := &Host{name: "cp1", user: "ann"}
			h.useSudo(NewPassword("x"))
			text := h.asRoot([]string{"/bin/sh", "-c", wireText([]string{"true"}, false, x.gate)}, x.gate)
			cmd := exec.Command(shell[0], slices.Concat(shell[1:], strings.Fields(options), []string{"-c", text, "sh"})...)
			cmd.Env = []string{"PATH=" + path, "PS4=\n"}
			cmd.Stdout, cmd.Stderr = x.stdout, x.stderr
			if err := cmd.Run(); err != nil {
				t.Errorf("%s %s: %v", shell, options, err)
			}
			if n := len(x.gate.asked); n != 1 || x.said() != "" && options == "" {
				t.Errorf("%s %s: %d prompts in %s", shell, options, n, x.stderr.before)
			}
		}
	}
}

// TestNoPrompt has lines that are none.
func TestNoPrompt(t *testing.T) {
	for text, want := range map[string]int{
		"WORD 42\n": 1, "WORD 42\r\n": 1, "noise\nWORD 42\n": 1, "WORD 42\nWORD 42\n": 2, "WORD 42\nWORD 42\nWORD 42\n": 2,
		"WORD $$\n": 0, "WORD\n": 0, "WORD 42": 0, " WORD 42\n": 0, "+ WORD 42\n": 0, "WORD 42 \n": 0, "WORD 4x2\n": 0,
		"WORD 421844674407370955161542\n": 0, "MARK 42\n": 0,
	} {
		x := listen(Command{})
		for i := range len(text) { // whatever the pieces are in which it comes
			piece := strings.NewReplacer("WORD", x.gate.prompt, "MARK", x.gate.mark).Replace(text)
			for _, part := range []string{piece[:min(i, len(piece))], piece[min(i, len(piece)):]} {
				_, _ = x.stderr.Write([]byte(part))
			}
			if n := len(x.gate.asked); n != want {
				t.Errorf("%q, cut at %d: %d prompts, want %d", text, i, n, want)
			}
			x = listen(Command{})
		}
	}
}
