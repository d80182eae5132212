package provision

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/remote/remotetest"
)

// logins is a cluster whose hosts are logged in to by these users, with passwords for sudo from these sources.
func logins(users []string, sources ...inventory.PasswordSource) *inventory.Cluster {
	cluster := &inventory.Cluster{}
	for i, user := range users {
		host := inventory.Host{Name: fmt.Sprint("h", i), SSH: inventory.SSH{User: user}}
		host.SSH.Sudo.Password = sources[i%len(sources)]
		cluster.Workers = append(cluster.Workers, host)
	}
	return cluster
}

// TestSudoPasswords asks once for each user, and has hosts of one account share a password.
func TestSudoPasswords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pw")
	remotetest.WriteText(t, file, "s3cret\r\nnot this\n")
	prompt, env := inventory.PasswordSource{Prompt: true}, inventory.PasswordSource{Env: "LAB"}
	for name, c := range map[string]struct {
		cluster *inventory.Cluster
		asked   []string
		shares  string // for each host the number of its password, - without one
	}{
		"none":         {logins([]string{"ann", "bob"}, inventory.PasswordSource{}), nil, "--"},
		"one of all":   {logins([]string{"ann", "ann", "ann"}, prompt), []string{"Password of ann for sudo on 3 hosts: "}, "000"},
		"one host":     {logins([]string{"ann"}, prompt), []string{"Password of ann for sudo on h0: "}, "0"},
		"no user":      {logins([]string{"", "ann"}, prompt), []string{"Password of the login user for sudo on h0: ", "Password of ann for sudo on h1: "}, "01"},
		"two users":    {logins([]string{"ann", "bob", "ann"}, prompt), []string{"Password of ann for sudo on 2 hosts: ", "Password of bob for sudo on h1: "}, "010"},
		"root":         {logins([]string{"root", "ann", "root"}, prompt), []string{"Password of ann for sudo on h1: "}, "-0-"},
		"root alone":   {logins([]string{"root"}, prompt), nil, "-"},
		"file and env": {logins([]string{"ann", "ann", "ann", "ann"}, inventory.PasswordSource{File: file}, env), nil, "0101"},
		"all kinds":    {logins([]string{"ann", "ann", "ann", "ann"}, inventory.PasswordSource{File: file}, env, prompt, inventory.PasswordSource{}), []string{"Password of ann for sudo on h2: "}, "012-"},
	} {
		var asked []string
		sources := desired.Sources{
			AskPassword: func(_ context.Context, prompt string) (string, error) {
				asked = append(asked, prompt)
				return "s3cret", nil
			},
			Env: func(string) string { return "s3cret" },
		}
		got, err := sudoPasswords(t.Context(), c.cluster, Options{Sources: sources})
		if err != nil || !slices.Equal(asked, c.asked) {
			t.Errorf("%s: %v, asked %q", name, err, asked)
		}
		numbers, shares := map[any]int{}, ""
		for _, host := range c.cluster.Hosts() {
			password := got[host.Name]
			if password == nil {
				shares += "-"
				continue
			}
			if _, known := numbers[password]; !known {
				numbers[password] = len(numbers)
			}
			shares += fmt.Sprint(numbers[password])
		}
		if shares != c.shares || strings.Contains(fmt.Sprintf("%+v", got), "s3cret") {
			t.Errorf("%s: shared as %s, want %s", name, shares, c.shares)
		}
		asked = nil
		if got, err := sudoPasswords(t.Context(), c.cluster, Options{Sources: sources, WithoutRoot: true}); err != nil || len(got)+len(asked) > 0 {
			t.Errorf("%s: without root: %v, %v, %v", name, got, asked, err)
		}
	}
}

// TestSudoPasswordsMissing has passwords that cannot be had, or that sudo could not be told: the error names host and user.
func TestSudoPasswordsMissing(t *testing.T) {
	folder := t.TempDir()
	remotetest.WriteText(t, filepath.Join(folder, "empty"), "\nhunter2\n")
	ask := func(text string, err error) func(context.Context, string) (string, error) {
		return func(context.Context, string) (string, error) { return text, err }
	}
	variable := func(text string) func(string) string { return func(string) string { return text } }
	for name, c := range map[string]struct {
		from    inventory.PasswordSource
		sources desired.Sources
		want    string
	}{
		"no file":       {inventory.PasswordSource{File: filepath.Join(folder, "none")}, desired.Sources{}, "read the password: open " + filepath.Join(folder, "none") + ": no such file or directory"},
		"empty file":    {inventory.PasswordSource{File: filepath.Join(folder, "empty")}, desired.Sources{}, "the password of ann is empty"},
		"no variable":   {inventory.PasswordSource{Env: "LAB"}, desired.Sources{Env: variable("")}, "the variable LAB is not set"},
		"no variables":  {inventory.PasswordSource{Env: "LAB"}, desired.Sources{}, "nobody can be asked for it here: use {file: …}"},
		"nobody":        {inventory.PasswordSource{Prompt: true}, desired.Sources{}, "nobody can be asked for it here: use {file: …}"},
		"no answer":     {inventory.PasswordSource{Prompt: true}, desired.Sources{AskPassword: ask("", errors.New("end of input"))}, "ask for the password of ann: end of input"},
		"empty answer":  {inventory.PasswordSource{Prompt: true}, desired.Sources{AskPassword: ask("", nil)}, "the password of ann is empty"},
		"two lines":     {inventory.PasswordSource{Env: "LAB"}, desired.Sources{Env: variable("hunter2\nhunter2")}, "the password of ann has a control character in it"},
		"return within": {inventory.PasswordSource{Prompt: true}, desired.Sources{AskPassword: ask("hunter\r2", nil)}, "the password of ann has a control character in it"},
	} {
		s, err := Open(t.Context(), logins([]string{"ann"}, c.from), Options{Sources: c.sources, WithoutBundle: true})
		if err == nil || err.Error() != "ssh.sudo.password of h0: "+c.want || s != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
