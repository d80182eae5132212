package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/provision/remote/remotetest"
)

// passphraseLab are hosts behind an sshd that lets an encrypted key in, and one that is reached without. None of them is there.
func passphraseLab(t *testing.T, passphrase string) (sshd *remotetest.Server, key, file string) {
	t.Helper()
	folder := t.TempDir()
	if err := makeBundle(t.Context(), filepath.Join(folder, "bundle")); err != nil {
		t.Fatal(err)
	}
	key = filepath.Join(folder, "id_lab")
	remotetest.WriteKey(t, key, remotetest.NewEd25519(t), passphrase)
	sshd = remotetest.StartSSHD(t, "AuthorizedKeysFile "+key+".pub")
	known := filepath.Join(folder, "known")
	remotetest.WriteText(t, known, fmt.Sprintf("[127.0.0.1]:%d %s\n", sshd.Port, remotetest.KeyText(sshd.HostKeys["ed25519"])))
	file = filepath.Join(folder, "cluster.yaml")
	write(t, file, fmt.Sprintf(`apiVersion: fairlead/v1
kind: Cluster
name: lab
kubernetes: {version: 1.37.2, bundle: ./bundle}
ssh: {identityFile: ./id_lab, knownHosts: ./known, jump: "127.0.0.1:%d"}
controlPlane: {hosts: [{name: cp1, address: 0.0.0.2}]}
workers: {hosts: [{name: w1, address: 0.0.0.3}, {name: w2, address: 0.0.0.4, ssh: {jump: none}}]}
`, sshd.Port), 0o600)
	return sshd, key, file
}

// A passphrase is asked for once, however many hosts wait for it, and nothing else is shown meanwhile.
func TestPassphrasePrompt(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	const passphrase = "s3cret-word"
	for name, c := range map[string]struct {
		typed string
		asked int
		shown []string
	}{
		"right":          {passphrase + "\n", 1, []string{"host is unreachable: "}},
		"wrong at first": {"not-s3cret-word\n" + passphrase + "\n", 2, []string{"That is not it. Passphrase of ", "host is unreachable: "}},
		"wrong":          {"a-s3cret-word\nb-s3cret-word\nc-s3cret-word\n", 3, []string{"login refused: ", "id_lab is encrypted (3 passphrases were wrong)", "ssh-add "}},
		"nothing":        {"\n", 1, []string{"id_lab is encrypted (no passphrase was given)", "ssh-add "}},
		"Ctrl-C":         {"\x03", 1, []string{"stopped after 0 steps"}},
	} {
		t.Run(name, func(t *testing.T) {
			sshd, key, file := passphraseLab(t, passphrase)
			keyboard, terminal := openTerminal(t)
			before := settingsOf(t, terminal)
			question := "Passphrase of " + key + ": "
			screen, code := answer(t, keyboard, terminal, question, c.typed, "check", "-f", file)
			if code != exitFailed {
				t.Errorf("exit code %d in:\n%s", code, screen)
			}
			for _, want := range c.shown {
				if !strings.Contains(screen, want) {
					t.Errorf("it does not say %q:\n%s", want, screen)
				}
			}
			asked := c.asked
			if name == "Ctrl-C" {
				asked = 0 // the terminal shows what was typed
			}
			if n := strings.Count(screen, question+"\r\n"); strings.Count(screen, question) != c.asked || n < asked {
				t.Errorf("asked %d times, and %d times nothing else came before the answer:\n%q", strings.Count(screen, question), n, screen)
			}
			if strings.Contains(screen, "s3cret-word") {
				t.Errorf("the passphrase is on the screen:\n%s", screen)
			}
			if after := settingsOf(t, terminal); after != before {
				t.Errorf("the terminal's settings are %v, want %v", after, before)
			}
			let := strings.Count(sshd.Log.String(), "Accepted publickey")
			if right := strings.Contains(c.typed, "\n"+passphrase) || strings.HasPrefix(c.typed, passphrase); right != (let == 1) || let > 1 {
				t.Errorf("let in %d times by the jump host", let)
			}
		})
	}
}

// Where nobody can be asked, it says what to do.
func TestNoTerminalForAPassphrase(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("HOME", t.TempDir())
	_, key, file := passphraseLab(t, "s3cret-word")
	var out bytes.Buffer
	p := &program{stdin: strings.NewReader("s3cret-word\n"), stdout: &out, stderr: &out, env: os.Getenv}
	code := p.run(t.Context(), []string{"fairlead", "check", "-f", file})
	if want := "identity file " + key + " is encrypted, and its key is not to be had from an agent"; code != exitFailed || !strings.Contains(out.String(), want) ||
		!strings.Contains(out.String(), "ssh-add "+key) || strings.Contains(out.String(), "Passphrase of") {
		t.Errorf("exit code %d, and it says:\n%s", code, out.String())
	}
}
