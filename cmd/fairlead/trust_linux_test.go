package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fairlead/provision/remote/remotetest"
)

// TestTrustQuestion asks on a terminal, with the table above the question, and writes what was wanted.
func TestTrustQuestion(t *testing.T) {
	server := remotetest.StartSSHD(t)
	const address = "127.0.0.1"
	port := server.Port
	for name, c := range map[string]struct {
		typed string
		code  int
		shown string
		kept  bool
	}{
		"y":       {"y\n", exitDone, "added 1 key to ", true},
		"yes":     {"YES\n", exitDone, "added 1 key to ", true},
		"no":      {"n\n", exitFailed, " not confirmed: nothing was changed", false},
		"nothing": {"\n", exitFailed, " not confirmed: nothing was changed", false},
		"Ctrl-C":  {"\x03", exitFailed, "stopped after 0 steps", false},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			file, known := filepath.Join(folder, "cluster.yaml"), filepath.Join(folder, "known_hosts")
			write(t, file, fmt.Sprintf(`apiVersion: fairlead/v1
kind: Cluster
name: lab
kubernetes: {version: 1.37.2, bundle: ./bundle}
ssh: {port: %d, knownHosts: ./known_hosts}
controlPlane: {hosts: [{name: cp1, address: 0.0.0.3, ssh: {address: %s}}]}
`, port, address), 0o600)
			keyboard, terminal := openTerminal(t)
			screen, code := converse(t, keyboard, terminal, "Write 1 key to "+known+"? [y/N] ", c.typed, false, "trust", "-f", file)
			if code != c.code || !strings.Contains(screen, c.shown) {
				t.Errorf("exit code %d, want %d, and %q in:\n%s", code, c.code, c.shown, screen)
			}
			row := strings.Index(screen, "cp1   "+address+":"+strconv.Itoa(port))
			if row < 0 || row > strings.Index(screen, "Write 1 key") || !strings.Contains(screen, "  new\r\n") {
				t.Errorf("the table is not above the question:\n%s", screen)
			}
			text, err := os.ReadFile(known)
			if want := fmt.Sprintf("[%s]:%d %s\n", address, port, remotetest.KeyText(server.HostKeys["ed25519"])); c.kept && string(text) != want {
				t.Errorf("known_hosts holds %q, want %q", text, want)
			}
			if !c.kept && !os.IsNotExist(err) {
				t.Errorf("there is a known_hosts: %q, %v", text, err)
			}
		})
	}
}
