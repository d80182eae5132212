package ssh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh/agent"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// sshLogsIn tells whether OpenSSH's ssh logs in with an identity file, where it is installed.
func sshLogsIn(t *testing.T, target Target) (logsIn, installed bool) {
	t.Helper()
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Logf("not compared with ssh: %v", err)
		return false, false
	}
	known := filepath.Join(t.TempDir(), "known_hosts")
	remotetest.WriteText(t, known, target.HostKey+"\n")
	out, err := exec.CommandContext(t.Context(), ssh, "-F", "none", "-p", strconv.Itoa(target.Port), "-i", target.IdentityFiles[0],
		"-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "KexAlgorithms=curve25519-sha256",
		"-o", "UserKnownHostsFile="+known, "-o", "GlobalKnownHostsFile=/dev/null", target.User+"@"+target.Address, "true").CombinedOutput()
	if err != nil && !strings.Contains(string(out), "Permission denied") {
		t.Errorf("ssh: %v: %s", err, out)
	}
	return err == nil, true
}

// compareLogin logs in as fairlead does, and as ssh does with the same identity file; both have to come to the same.
func compareLogin(t *testing.T, srv server, identity string, says []string) {
	t.Helper()
	target := srv.target(t)
	target.IdentityFiles = []string{identity}
	checkLogin(t, target, says)
	target.HostKey = fmt.Sprintf("[127.0.0.1]:%d %s", srv.Port, remotetest.KeyText(srv.HostKeys["ed25519"]))
	if logsIn, installed := sshLogsIn(t, target); installed && logsIn != (len(says) == 0) {
		t.Errorf("ssh logs in: %v", logsIn)
	}
}

// TestUnprotectedKeys has private keys that others may read, and asks ssh what it makes of them.
func TestUnprotectedKeys(t *testing.T) {
	srv := startSSHD(t)
	text, err := os.ReadFile(srv.Identity)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		mode                           fs.FileMode
		link, anothers, agent, unnamed bool
		accepted                       bool
	}
	rows := map[string]row{
		"link to a good one":   {mode: 0o600, link: true, accepted: true},
		"link":                 {mode: 0o644, link: true},
		"another user's":       {mode: 0o644, anothers: true, accepted: true},
		"in the agent as well": {mode: 0o644, agent: true, accepted: true},
		"default file":         {mode: 0o644, unnamed: true},
	}
	for _, mode := range []fs.FileMode{0o600, 0o400, 0o700, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601} {
		rows[mode.String()] = row{mode: mode, accepted: mode&0o077 == 0}
	}
	for name, tt := range rows {
		t.Run(name, func(t *testing.T) {
			if tt.anothers && os.Getuid() != 0 {
				t.Skip("only root may give a file away")
			}
			t.Setenv("SSH_AUTH_SOCK", "")
			if tt.agent {
				startAgent(t, agent.AddedKey{PrivateKey: userKey(t, srv)})
			}
			home := t.TempDir()
			t.Setenv("HOME", home)
			path := filepath.Join(home, ".ssh", "id_ed25519")
			err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600), os.Chmod(path, tt.mode))
			if tt.anothers {
				err = errors.Join(err, os.Chown(path, 65534, 65534))
			}
			if tt.link {
				err = errors.Join(err, os.Symlink(path, filepath.Join(home, "my key")))
				path = filepath.Join(home, "my key")
			}
			if err != nil {
				t.Fatal(err)
			}
			var says []string
			if !tt.accepted {
				says = []string{path, fmt.Sprintf("mode %04o", tt.mode), "run " + remote.Quote([]string{"chmod", "600", path})}
			}
			if tt.unnamed { // ssh does not look for it in $HOME
				target := srv.target(t)
				target.IdentityFiles, target.IdentitiesOnly = nil, false
				checkLogin(t, target, says)
				return
			}
			compareLogin(t, srv, path, says)
		})
	}
}

// TestNoIdentity has files that are no private keys. Nobody is asked to let them in, so no host is dialled.
func TestNoIdentity(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	remotetest.WriteKey(t, in("key"), remotetest.NewEd25519(t), "")
	remotetest.WriteKey(t, in("encrypted"), remotetest.NewEd25519(t), "passphrase")
	remotetest.WriteText(t, in("empty"), "\n")
	remotetest.WriteText(t, in("large"), strings.Repeat("x", maxIdentity+1))
	remotetest.WriteText(t, in("key.ppk"), "PuTTY-User-Key-File-3: ssh-ed25519\n")
	remotetest.WriteText(t, in("pkcs8"), "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	remotetest.WriteText(t, in("certificate"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	remotetest.WriteText(t, in("key-cert.pub"), remotetest.KeyText(userCertificate{}.make(t, remotetest.NewEd25519(t), remotetest.NewEd25519(t)))+"\n")
	if err := syscall.Mkfifo(in("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	const other = "set ssh.identityFile to the private key's file"
	for name, says := range map[string][]string{
		".":            {"is a directory", other},
		"none":         {"does not exist", "set ssh.identityFile"},
		"key/x":        {"not a directory", "set ssh.identityFile"},
		"empty":        {"is empty", other},
		"large":        {"larger than any key"},
		"pipe":         {"is not a regular file", other},
		"key.pub":      {"is a public key", other},
		"key-cert.pub": {"is a certificate", other},
		"certificate":  {"is not a private key", other},
		"key.ppk":      {"is in PuTTY's format", "puttygen " + in("key.ppk") + " -O private-openssh -o " + in("key")},
		"pkcs8":        {"is encrypted", "ssh-add " + in("pkcs8")},
		"encrypted":    {"is encrypted", "no agent", "ssh-add " + in("encrypted")},
	} {
		t.Run(name, func(t *testing.T) {
			target := Target{Address: "192.0.2.1", User: "ann", IdentityFiles: []string{in(name)}, IdentitiesOnly: true, HostKey: "SHA256:x"}
			_, err := reach(t.Context(), target, Options{DialNet: func(context.Context, string, string) (net.Conn, error) {
				t.Error("dialled")
				return nil, os.ErrInvalid
			}})
			for _, want := range append(says, in(name), "ann@192.0.2.1:22") {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
		})
	}
}
