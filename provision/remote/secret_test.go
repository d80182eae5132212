package remote_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// TestPasswordIsSecret looks for the password in all that can be seen of a run, on this side and on the host.
func TestPasswordIsSecret(t *testing.T) {
	overFiles(t, func(t *testing.T, open opener) {
		for name, before := range map[string]string{"taken": ":", "not asked for": "asked=not", "refused": "PASSWORD=another"} {
			word := []byte("s3cret-" + strings.ReplaceAll(name, " ", "-"))
			path, folder := asking(t, "PASSWORD="+string(word)+"; "+before+"; env >>\"$F/env\"; printf '%s\\n' \"$0\" \"$@\" >>\"$F/argv\"")
			log, logged := remotetest.DebugLog()
			password := remote.NewPassword(string(word))
			h := open(t, setting{path: path, password: password, log: log})
			seen := sampler(t, word)
			var said bytes.Buffer
			r, err := h.Run(t.Context(), remote.Command{
				Script: "env; tr '\\000' '\\n' </proc/$$/environ; tr '\\000' ' ' </proc/$$/cmdline; cat", Root: true,
				OnLine: func(line string) { said.WriteString(line) },
			})
			if (err != nil) != (name == "refused") {
				t.Errorf("%s: %v", name, err)
			}
			_, errRead := h.ReadFile(t.Context(), "/etc/hostname-that-is-not-there")
			_, errWrite := h.WriteFile(t.Context(), own("/proc/nowhere/f", 0o600, "x"))
			fmt.Fprintf(&said, "%v %v %v %v %+v %#v %s", err, errRead, errWrite, r, password, password, password)
			log.Info("password", "password", password, "struct", remote.Settings{SudoPassword: password})
			for what, text := range map[string][]byte{
				"log": []byte(logged.String()), "output and errors": said.Bytes(),
				"environment": read(t, folder, "env"), "arguments": read(t, folder, "argv"), "processes": seen(),
			} {
				if len(text) == 0 && what != "processes" || bytes.Contains(text, word) {
					t.Errorf("%s: %s: %q", name, what, text)
				}
			}
		}
	})
}

func read(t *testing.T, folder, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Error(err)
	}
	return text
}

// sampler looks at arguments and environments of all processes, over and over, until it is asked for those with a word.
func sampler(t *testing.T, word []byte) func() []byte {
	t.Helper()
	var found bytes.Buffer
	enough, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			arguments, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			environments, _ := filepath.Glob("/proc/[0-9]*/environ")
			for _, file := range append(arguments, environments...) {
				if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, word) {
					fmt.Fprintf(&found, "%s: %q\n", file, text)
				}
			}
			select {
			case <-enough:
				return
			default:
			}
		}
	}()
	return func() []byte {
		close(enough)
		<-over
		return found.Bytes()
	}
}
