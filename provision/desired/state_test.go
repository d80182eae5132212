package desired

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fairlead/inventory"
)

// Passwords come from a file or from whoever is asked; what containerd could not be told is refused.
func TestReadRegistry(t *testing.T) {
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	says := func(answer string, err error) func(context.Context, string) (string, error) {
		return func(_ context.Context, prompt string) (string, error) {
			if prompt != "Password of puller on registry.lab:5000: " {
				t.Errorf("prompt %q", prompt)
			}
			return answer, err
		}
	}
	for name, c := range map[string]struct {
		registry inventory.Registry
		ask      func(context.Context, string) (string, error)
		password string
		err      string
	}{
		"no user":         {registry: inventory.Registry{}},
		"first line":      {registry: inventory.Registry{User: "puller", PasswordFile: file("a", "hunter2\r\nnot this\n")}, password: "hunter2"},
		"asked for":       {registry: inventory.Registry{User: "puller", AskPassword: true}, ask: says("hunter2", nil), password: "hunter2"},
		"nobody to ask":   {registry: inventory.Registry{User: "puller", AskPassword: true}, err: "cannot be asked for here"},
		"no answer":       {registry: inventory.Registry{User: "puller", AskPassword: true}, ask: says("", errors.New("end of input")), err: "end of input"},
		"empty":           {registry: inventory.Registry{User: "puller", PasswordFile: file("b", "\n")}, err: "the password of puller is empty"},
		"not UTF-8":       {registry: inventory.Registry{User: "puller", PasswordFile: file("c", "hunter\xff\n")}, err: "the password of puller is not UTF-8"},
		"missing file":    {registry: inventory.Registry{User: "puller", PasswordFile: filepath.Join(folder, "none")}, err: "read the password"},
		"missing CA":      {registry: inventory.Registry{CA: filepath.Join(folder, "none")}, err: "read the CA"},
		"CA as it stands": {registry: inventory.Registry{CA: file("d", testCA)}},
	} {
		c.registry.Host = "registry.lab:5000"
		got, err := readRegistry(t.Context(), c.registry, c.ask)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: error %v, want %q", name, err, c.err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: the error holds the password: %v", name, err)
		}
		if err == nil && (got.Password != c.password || c.registry.CA != "" && string(got.CAPEM) != testCA) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// testCA is taken as it stands: whoever uses it says what is wrong with it.
const testCA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
