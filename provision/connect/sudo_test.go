package connect

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairlead/inventory"
	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
	"fairlead/provision/remote/ssh"
	"fairlead/provision/remote/sshconfig"
)

// realSudo prepares a place where a user that is no one's has the rights that a case says, with mounts that only it sees, and
// has this program go on there as that user.
//
//go:embed testdata/real-sudo.sh
var realSudo string

// sudoCase is what the programs on a host ask of its user, and what has to come of it.
type sudoCase struct {
	sudoers, doas string
	withoutSudo   bool
	password      string
	want          remote.SudoReason // "" when the user becomes root
	failures      int               // that pam_faillock counts
}

const userPassword = `Right-Pass' "1 $HOME \n`

func sudoCases() map[string]sudoCase {
	const asks = "USER ALL=(ALL:ALL) ALL\n"
	return map[string]sudoCase{
		"asks":                {sudoers: asks, password: userPassword},
		"asks each time":      {sudoers: "Defaults timestamp_timeout=0\n" + asks, password: userPassword},
		"has a terminal":      {sudoers: "Defaults use_pty, timestamp_timeout=0\n" + asks, password: userPassword},
		"logs all":            {sudoers: "Defaults log_input, log_output, use_pty, timestamp_timeout=0\n" + asks, password: userPassword},
		"lectures":            {sudoers: "Defaults lecture=always, pwfeedback, insults, timestamp_timeout=0\n" + asks, password: userPassword},
		"asks for none":       {sudoers: "USER ALL=(ALL:ALL) NOPASSWD: ALL\n", password: userPassword},
		"and none is there":   {sudoers: "USER ALL=(ALL:ALL) NOPASSWD: ALL\n"},
		"none is there":       {sudoers: asks, want: remote.SudoAsks},
		"wrong":               {sudoers: asks, password: "Wrong-Pass1", want: remote.SudoWrong, failures: 2},
		"wrong, in one try":   {sudoers: "Defaults passwd_tries=1\n" + asks, password: "Wrong-Pass1", want: remote.SudoWrong, failures: 2},
		"wrong, in many":      {sudoers: "Defaults passwd_tries=9, badpass_message=\"No\"\n" + asks, password: "Wrong-Pass1", want: remote.SudoWrong, failures: 2},
		"requiretty":          {sudoers: "Defaults requiretty\n" + asks, password: userPassword, want: remote.SudoTerminal},
		"no rule":             {sudoers: "root ALL=(ALL:ALL) ALL\n", password: userPassword, want: remote.SudoRules},
		"another command":     {sudoers: "USER ALL=(ALL:ALL) /bin/true\n", password: userPassword, want: remote.SudoRules},
		"doas":                {withoutSudo: true, doas: "permit nopass USER\n", password: userPassword},
		"doas, no password":   {withoutSudo: true, doas: "permit nopass USER\n"},
		"doas asks":           {withoutSudo: true, doas: "permit USER\n", password: userPassword, want: remote.DoasAsks},
		"doas without a rule": {withoutSudo: true, doas: "permit nopass root\n", password: userPassword, want: remote.SudoRules},
		"neither":             {withoutSudo: true, password: userPassword, want: remote.SudoRules},
	}
}

// TestRealSudo has sudo and doas themselves, over SSH and on this machine.
func TestRealSudo(t *testing.T) {
	if name := os.Getenv("FAIRLEAD_SUDO_CASE"); name != "" {
		asUser(t, sudoCases()[name])
		return
	}
	for _, program := range []string{"sudo", "doas", "unshare", "setpriv", "useradd", "chpasswd", "faillock"} {
		if _, err := exec.LookPath(program); err != nil || os.Getuid() != 0 {
			t.Skipf("needs root and %s, which e2e/setup.sh installs", program)
		}
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range sudoCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := "fl-test"
			text := func(s string) string { return remote.Quote([]string{strings.ReplaceAll(s, "USER", user)}) }
			settings := fmt.Sprintf("user=%s program=%s name=%s password=%s sudoers=%s doas=%s hide=%t\n", user,
				text(executable), text(name), text(userPassword), text(c.sudoers), text(c.doas), c.withoutSudo)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "unshare", "--mount", "/bin/sh", "-s")
			cmd.Stdin = strings.NewReader(settings + realSudo)
			out, err := cmd.CombinedOutput()
			if err != nil || !bytes.HasSuffix(out, fmt.Appendf(nil, "failures=%d leaks=0\n", c.failures)) {
				t.Errorf("want %d failures: %v\n%s", c.failures, err, out)
			}
		})
	}
}

// asUser is the part of TestRealSudo that runs as the user.
func asUser(t *testing.T, c sudoCase) {
	cluster := lab("here", "there")
	hosts := cluster.ControlPlane.Hosts
	hosts[0].SSH.Transport = inventory.TransportLocal
	toSSHD(t, &hosts[1], remotetest.StartSSHD(t))
	log, logged := remotetest.DebugLog()
	connections := New(cluster, ssh.Options{Log: log}, sshconfig.Options{})
	defer connections.Close()
	connections.Passwords = map[string]*remote.Password{}
	for _, host := range hosts {
		if c.password != "" { // a password for each, so that each has to find out
			connections.Passwords[host.Name] = remote.NewPassword(c.password)
		}
	}
	for _, host := range hosts {
		h := get(t, connections, host.Name)
		if c.want == "" {
			becomesRoot(t, h)
			continue
		}
		for range 3 {
			staysUser(t, h, c.want)
		}
	}
	if strings.Contains(logged.String(), userPassword) || c.password != "" && strings.Contains(logged.String(), c.password) {
		t.Errorf("logged: %s", logged)
	}
}

func staysUser(t *testing.T, h *remote.Host, want remote.SudoReason) {
	t.Helper()
	_, err := h.Run(t.Context(), remote.Command{Script: "id -u", Root: true})
	var refused *remote.SudoError
	if !errors.As(err, &refused) || refused.Reason != want {
		t.Errorf("%s: %v, want %q", h.Name(), err, want)
	}
	if _, err := h.ReadFile(t.Context(), "/etc/shadow"); !errors.Is(err, remote.ErrSudo) {
		t.Errorf("%s: read: %v", h.Name(), err)
	}
}

func becomesRoot(t *testing.T, h *remote.Host) {
	t.Helper()
	// Not much, as sudo 1.9.13 loses output that it logs.
	input := strings.Repeat("0123456789\n", 5_000) + "no new line"
	r, err := h.Run(t.Context(), remote.Command{Script: `printf '%s %s ' "$(id -u)" "$1"; cat`, Argv: []string{"it's"}, Stdin: strings.NewReader(input), Root: true})
	if err != nil || string(r.Stdout) != "0 it's "+input {
		t.Errorf("%s: %d bytes, %v: %s", h.Name(), len(r.Stdout), err, r.Stderr)
	}
	if r, err = h.Run(t.Context(), remote.Command{Script: "id -u; env; tr '\\000' ' ' </proc/$PPID/cmdline; cat", Root: true}); err != nil || !bytes.HasPrefix(r.Stdout, []byte("0\n")) || bytes.Contains(r.Stdout, []byte(userPassword)) {
		t.Errorf("%s: %s, %v", h.Name(), r.Stdout, err)
	}
	path := filepath.Join("/root", rootsFile, h.Name())
	for _, content := range []string{input, "short"} {
		if changed, err := h.WriteFile(t.Context(), remote.File{Path: path, Mode: 0o600, Content: []byte(content)}); err != nil || !changed {
			t.Errorf("%s: write: %v, %v", h.Name(), changed, err)
		}
		if got, err := h.ReadFile(t.Context(), path); err != nil || string(got) != content {
			t.Errorf("%s: read: %d bytes, %v", h.Name(), len(got), err)
		}
	}
	if err := h.Upload(t.Context(), path, 0o600, io.LimitReader(strings.NewReader(input), 100), 100, nil); err != nil {
		t.Errorf("%s: upload: %v", h.Name(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = h.Run(ctx, remote.Command{Script: "echo there; sleep 1000", Root: true, OnLine: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "may still run") {
		t.Errorf("%s: cancelled: %v", h.Name(), err)
	}
}

// rootsFile is a folder that nobody else uses.
const rootsFile = "fairlead-test"
