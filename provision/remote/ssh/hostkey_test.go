package ssh

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

func TestHostKey(t *testing.T) {
	srv := startSSHD(t)
	ed, ec, other := srv.HostKeys["ed25519"], srv.HostKeys["ecdsa"], remotetest.NewPublic(t)
	host := fmt.Sprintf("[127.0.0.1]:%d", srv.Port)
	tests := map[string]struct {
		known string // content of known_hosts; "-" for no file
		pin   string
		says  []string // empty: accepted
	}{
		"known ed25519":       {known: host + " " + remotetest.KeyText(ed)},
		"known ecdsa":         {known: host + " " + remotetest.KeyText(ec)},
		"hashed":              {known: knownhosts.HashHostname(host) + " " + remotetest.KeyText(ed)},
		"wildcard, comment":   {known: "# note\n\n[127.0.*]:*,!x " + remotetest.KeyText(ed) + " a comment of many more words"},
		"key type is a lie":   {known: host + " ssh-rsa " + strings.Fields(remotetest.KeyText(ed))[1], says: []string{"no known key"}},
		"malformed line":      {known: host + " ssh-ed25519 !!!\n" + host + " " + remotetest.KeyText(ed)},
		"second of two":       {known: host + " " + remotetest.KeyText(other) + "\n" + host + " " + remotetest.KeyText(ed)},
		"other host revoked":  {known: "@revoked 10.0.0.1 " + remotetest.KeyText(ed) + "\n" + host + " " + remotetest.KeyText(ed)},
		"pinned print":        {pin: xssh.FingerprintSHA256(ed)},
		"pinned ecdsa print":  {pin: xssh.FingerprintSHA256(ec)},
		"pinned key":          {pin: remotetest.KeyText(ec) + " root@cp1"},
		"no file":             {known: "-", says: []string{"no known key", xssh.FingerprintSHA256(ed), "ssh-keygen -lf", "\n" + host + " " + remotetest.KeyText(ed) + "\n", "ssh.hostKey"}},
		"unknown":             {known: "10.0.0.1 " + remotetest.KeyText(ed), says: []string{"no known key"}},
		"other port":          {known: "[127.0.0.1]:1 " + remotetest.KeyText(ed), says: []string{"no known key"}},
		"negated":             {known: "*,!" + host + ",!127.0.0.1 " + remotetest.KeyText(ed), says: []string{"no known key"}},
		"changed":             {known: "#\n" + host + " " + remotetest.KeyText(other), says: []string{xssh.FingerprintSHA256(ed), xssh.FingerprintSHA256(other), "known_hosts:2", "ssh-keygen -R '" + host + "'"}},
		"revoked":             {known: host + " " + remotetest.KeyText(ed) + "\n@revoked * " + remotetest.KeyText(ed), says: []string{"revoked", "known_hosts:2"}},
		"authority of others": {known: "@cert-authority * " + remotetest.KeyText(ed), says: []string{"no known key"}},
		"revocation unread":   {known: "@revoked * ssh-ed25519 !!!\n" + host + " " + remotetest.KeyText(ed), says: []string{"known_hosts:1 revokes a key that cannot be read", "base64", "correct or delete that line"}},
		"bare name changed":   {known: "127.0.0.1 " + remotetest.KeyText(other), says: []string{"known_hosts:1", "ssh-keygen -R 127.0.0.1 -f"}},
		"wrong pinned print":  {pin: xssh.FingerprintSHA256(other), says: []string{xssh.FingerprintSHA256(other), xssh.FingerprintSHA256(ed), "ssh.hostKey"}},
		"wrong pinned key":    {pin: remotetest.KeyText(other), says: []string{xssh.FingerprintSHA256(ed)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			target := srv.target(t)
			target.HostKey, target.KnownHosts = tt.pin, []string{filepath.Join(t.TempDir(), "known_hosts")}
			if tt.known != "-" {
				remotetest.WriteText(t, target.KnownHosts[0], tt.known+"\n")
			}
			logger, logged := remotetest.DebugLog()
			h, err := reach(t.Context(), target, Options{Log: logger})
			if err == nil {
				closeHost(t, h)
			}
			if name == "malformed line" && !strings.Contains(logged.String(), "line=1") {
				t.Errorf("the malformed line is not in the log:\n%s", logged)
			}
			checkRefusal(t, err, tt.says)
		})
	}
}

// TestDefaultKnownHosts has the host known by each file in the home folder that ssh reads.
func TestDefaultKnownHosts(t *testing.T) {
	srv := startSSHD(t)
	target := srv.target(t)
	target.HostKey = ""
	line := fmt.Sprintf("[127.0.0.1]:%d %s\n", srv.Port, remotetest.KeyText(srv.HostKeys["ed25519"]))
	for name, says := range map[string][]string{"known_hosts": nil, "known_hosts2": nil, "known_hosts3": {"no known key", "/known_hosts:"}} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
				t.Fatal(err)
			}
			remotetest.WriteText(t, filepath.Join(home, ".ssh", name), line)
			h, err := reach(t.Context(), target, Options{})
			if err == nil {
				closeHost(t, h)
			}
			checkRefusal(t, err, says)
		})
	}
	t.Setenv("HOME", "/home/ann")
	want := "/home/ann/.ssh/known_hosts /home/ann/.ssh/known_hosts2 /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
	if got := strings.Join(defaultKnownHosts(), " "); got != want {
		t.Errorf("got %s", got)
	}
}

func checkRefusal(t *testing.T, err error, says []string) {
	t.Helper()
	if len(says) == 0 {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var e *HostKeyError
	if !errors.Is(err, remote.ErrHostKey) || !errors.As(err, &e) || errors.Is(err, remote.ErrAuth) || errors.Is(err, remote.ErrUnreachable) {
		t.Fatalf("got %v, want a HostKeyError", err)
	}
	for _, want := range says {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q:\n%v", want, err)
		}
	}
}

func TestMalformedPin(t *testing.T) {
	certificate := remotetest.KeyText(userCertificate{}.make(t, remotetest.NewEd25519(t), remotetest.NewEd25519(t)))
	for _, pin := range []string{"MD5:00:11", "ssh-ed25519", "x", certificate} {
		if _, err := reach(t.Context(), Target{Address: "127.0.0.1", Port: 1, HostKey: pin}, Options{}); err == nil || !strings.Contains(err.Error(), "pin") {
			t.Errorf("%q: got %v", pin, err)
		}
	}
}

// TestHostCertificate has sshd show a certificate that an authority signed.
func TestHostCertificate(t *testing.T) {
	dir := t.TempDir()
	authority := remotetest.KeyText(remotetest.WriteKey(t, filepath.Join(dir, "ca"), remotetest.NewEd25519(t), ""))
	key := remotetest.KeyText(remotetest.WriteKey(t, filepath.Join(dir, "host"), remotetest.NewEd25519(t), ""))
	trust := "@cert-authority * " + authority + "\n"
	for name, tt := range map[string]struct {
		principal string
		known     string
		says      []string
	}{
		"valid":                        {principal: "127.0.0.1", known: trust},
		"other name":                   {principal: "10.0.0.1", known: trust, says: []string{"certificate that is not valid here", "10.0.0.1", "no known key", "ssh.hostKey"}},
		"other name, another key":      {principal: "10.0.0.1", known: trust + "127.0.0.1 " + remotetest.KeyText(remotetest.NewPublic(t)), says: []string{"certificate that is not valid here", "10.0.0.1", "but known is", "known_hosts:2"}},
		"authority of another host":    {principal: "127.0.0.1", known: "@cert-authority 10.0.0.1 " + authority, says: []string{"no known key"}},
		"another authority":            {principal: "127.0.0.1", known: "@cert-authority * " + remotetest.KeyText(remotetest.NewPublic(t)), says: []string{"certificate that is not valid here", "known as authorities", "known_hosts:1"}},
		"key revoked":                  {principal: "127.0.0.1", known: trust + "@revoked * " + key, says: []string{"revoked", "known_hosts:2"}},
		"authority revoked":            {principal: "127.0.0.1", known: trust + "@revoked * " + authority, says: []string{"revoked", "known_hosts:2"}},
		"key of another host revoked":  {principal: "127.0.0.1", known: trust + "@revoked 10.0.0.1 " + key},
		"authority revoked for others": {principal: "127.0.0.1", known: trust + "@revoked 10.0.0.1 " + authority},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command("ssh-keygen", "-q", "-s", filepath.Join(dir, "ca"), "-h", "-I", "cp1", "-n", tt.principal, filepath.Join(dir, "host.pub")).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			srv := startSSHD(t, "HostKey "+filepath.Join(dir, "host"), "HostCertificate "+filepath.Join(dir, "host-cert.pub"))
			target := srv.target(t)
			target.HostKey, target.KnownHosts = "", []string{filepath.Join(t.TempDir(), "known_hosts")}
			remotetest.WriteText(t, target.KnownHosts[0], tt.known+"\n")
			h, err := reach(t.Context(), target, Options{})
			if err == nil {
				closeHost(t, h)
			}
			checkRefusal(t, err, tt.says)
		})
	}
}

// TestMatchAsOpenSSH asks ssh-keygen whether a pattern matches.
func TestMatchAsOpenSSH(t *testing.T) {
	key := remotetest.KeyText(remotetest.NewPublic(t))
	path := filepath.Join(t.TempDir(), "known_hosts")
	for _, patterns := range []string{
		"cp1", "CP1", "cp*", "c?1", "cp?", "*", "*,!cp1", "!cp1", "!cp1,*", "cp1,!*", "[cp1]:22", "[cp1]:2222", "[cp1]:*", "[*]:2222", "*:2222",
		"c*1*", "**", "", ",", "cp1.", knownhosts.HashHostname("cp1"), knownhosts.HashHostname("[cp1]:2222"), "::1", "[::1]:2222",
	} {
		line := patterns + " " + key
		remotetest.WriteText(t, path, line+"\n")
		k, ok, err := parseKnownLine(line)
		for _, host := range []string{"cp1", "[cp1]:2222", "::1", "[::1]:2222"} {
			// ssh-keygen -F exits 1 when nothing is found.
			found := exec.Command("ssh-keygen", "-F", host, "-f", path).Run() == nil
			if got := err == nil && ok && k.names.match(host); got != found {
				t.Errorf("%q against %q: got %v, ssh-keygen says %v", patterns, host, got, found)
			}
		}
	}
}
