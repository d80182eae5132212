package remote

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func keyText(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

func newPublic(t testing.TB) ssh.PublicKey {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(newEd25519(t))
	if err != nil {
		t.Fatal(err)
	}
	return signer.PublicKey()
}

func TestHostKey(t *testing.T) {
	srv := startSSHD(t)
	ed, ec, other := srv.hostKeys["ed25519"], srv.hostKeys["ecdsa"], newPublic(t)
	host := fmt.Sprintf("[127.0.0.1]:%d", srv.port)
	tests := map[string]struct {
		known string // content of known_hosts; "-" for no file
		pin   string
		says  []string // empty: accepted
	}{
		"known ed25519":       {known: host + " " + keyText(ed)},
		"known ecdsa":         {known: host + " " + keyText(ec)},
		"hashed":              {known: knownhosts.HashHostname(host) + " " + keyText(ed)},
		"wildcard, comment":   {known: "# note\n\n[127.0.*]:*,!x " + keyText(ed) + " a comment of many more words"},
		"malformed line":      {known: host + " ssh-ed25519 !!!\n" + host + " " + keyText(ed)},
		"second of two":       {known: host + " " + keyText(other) + "\n" + host + " " + keyText(ed)},
		"other host revoked":  {known: "@revoked 10.0.0.1 " + keyText(ed) + "\n" + host + " " + keyText(ed)},
		"pinned print":        {pin: ssh.FingerprintSHA256(ed)},
		"pinned ecdsa print":  {pin: ssh.FingerprintSHA256(ec)},
		"pinned key":          {pin: keyText(ec) + " root@cp1"},
		"no file":             {known: "-", says: []string{"no known key", ssh.FingerprintSHA256(ed), "ssh-keygen -lf", "\n" + host + " " + keyText(ed) + "\n", "ssh.hostKey"}},
		"unknown":             {known: "10.0.0.1 " + keyText(ed), says: []string{"no known key"}},
		"other port":          {known: "127.0.0.1 " + keyText(ed), says: []string{"no known key"}},
		"negated":             {known: "*,!" + host + " " + keyText(ed), says: []string{"no known key"}},
		"changed":             {known: "#\n" + host + " " + keyText(other), says: []string{ssh.FingerprintSHA256(ed), ssh.FingerprintSHA256(other), "known_hosts:2", "ssh-keygen -R '" + host + "'"}},
		"revoked":             {known: host + " " + keyText(ed) + "\n@revoked * " + keyText(ed), says: []string{"revoked", "known_hosts:2"}},
		"authority of others": {known: "@cert-authority * " + keyText(ed), says: []string{"no known key"}},
		"wrong pinned print":  {pin: ssh.FingerprintSHA256(other), says: []string{ssh.FingerprintSHA256(other), ssh.FingerprintSHA256(ed), "ssh.hostKey"}},
		"wrong pinned key":    {pin: keyText(other), says: []string{ssh.FingerprintSHA256(ed)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			target := srv.target(t)
			target.HostKey, target.KnownHosts = tt.pin, []string{filepath.Join(t.TempDir(), "known_hosts")}
			if tt.known != "-" {
				writeText(t, target.KnownHosts[0], tt.known+"\n")
			}
			logger, logged := debugLog()
			h, err := Dial(t.Context(), target, Options{Log: logger})
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

func checkRefusal(t *testing.T, err error, says []string) {
	t.Helper()
	if len(says) == 0 {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var e *HostKeyError
	if !errors.Is(err, ErrHostKey) || !errors.As(err, &e) || errors.Is(err, ErrAuth) || errors.Is(err, ErrUnreachable) {
		t.Fatalf("got %v, want a HostKeyError", err)
	}
	for _, want := range says {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q:\n%v", want, err)
		}
	}
}

func TestMalformedPin(t *testing.T) {
	for _, pin := range []string{"MD5:00:11", "ssh-ed25519", "x"} {
		if _, err := Dial(t.Context(), Target{Address: "127.0.0.1", Port: 1, HostKey: pin}, Options{}); err == nil || !strings.Contains(err.Error(), "pin") {
			t.Errorf("%q: got %v", pin, err)
		}
	}
}

// TestHostCertificate has sshd show a certificate that an authority signed.
func TestHostCertificate(t *testing.T) {
	dir := t.TempDir()
	authority := writeKey(t, filepath.Join(dir, "ca"), newEd25519(t), "")
	writeKey(t, filepath.Join(dir, "host"), newEd25519(t), "")
	for name, tt := range map[string]struct {
		principal string
		says      []string
	}{
		"valid":      {principal: "127.0.0.1"},
		"other name": {principal: "10.0.0.1", says: []string{"certificate", "not valid"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command("ssh-keygen", "-q", "-s", filepath.Join(dir, "ca"), "-h", "-I", "cp1", "-n", tt.principal, filepath.Join(dir, "host.pub")).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			srv := startSSHD(t, "HostKey "+filepath.Join(dir, "host"), "HostCertificate "+filepath.Join(dir, "host-cert.pub"))
			target := srv.target(t)
			target.HostKey, target.KnownHosts = "", []string{filepath.Join(t.TempDir(), "known_hosts")}
			writeText(t, target.KnownHosts[0], "@cert-authority * "+keyText(authority)+"\n")
			h, err := Dial(t.Context(), target, Options{})
			if err == nil {
				closeHost(t, h)
			}
			checkRefusal(t, err, tt.says)
		})
	}
}

// TestMatchAsOpenSSH asks ssh-keygen whether a pattern matches.
func TestMatchAsOpenSSH(t *testing.T) {
	key := keyText(newPublic(t))
	path := filepath.Join(t.TempDir(), "known_hosts")
	for _, patterns := range []string{
		"cp1", "CP1", "cp*", "c?1", "cp?", "*", "*,!cp1", "!cp1", "!cp1,*", "cp1,!*", "[cp1]:22", "[cp1]:2222", "[cp1]:*", "[*]:2222", "*:2222",
		"c*1*", "**", "", ",", "cp1.", knownhosts.HashHostname("cp1"), knownhosts.HashHostname("[cp1]:2222"), "::1", "[::1]:2222",
	} {
		line := patterns + " " + key
		writeText(t, path, line+"\n")
		k, ok, err := parseKnownLine(line)
		for _, host := range []string{"cp1", "[cp1]:2222", "::1", "[::1]:2222"} {
			// ssh-keygen -F exits 1 when nothing is found.
			found := exec.Command("ssh-keygen", "-F", host, "-f", path).Run() == nil
			if got := err == nil && ok && k.matches(host); got != found {
				t.Errorf("%q against %q: got %v, ssh-keygen says %v", patterns, host, got, found)
			}
		}
	}
}

func FuzzKnownHosts(f *testing.F) {
	key := keyText(newPublic(f))
	for _, line := range []string{
		"cp1 " + key, "@revoked * " + key, "@cert-authority *.lab " + key, "# note", "", "@", "|1|a|b " + key, "|1| " + key,
		knownhosts.HashHostname("cp1") + " " + key, "[cp1]:22,!x " + key + " comment", "cp1 ssh-rsa AAAA", "cp1 " + key[:30], "!,* " + key,
	} {
		f.Add(line)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, line string) {
		k, ok, err := parseKnownLine(line)
		if err == nil && ok {
			k.matches("cp1")
			if k.key == nil || len(k.hosts) == 0 {
				t.Errorf("entry without key or hosts: %q", line)
			}
			return
		}
		if strings.ContainsAny(line, "\r\n") {
			return
		}
		// What this package passes over must not be a line that x/crypto takes a key from.
		path := filepath.Join(dir, "known_hosts")
		if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		marker, _, public, _, _, parseErr := ssh.ParseKnownHosts([]byte(line))
		if _, newErr := knownhosts.New(path); err != nil && parseErr == nil && newErr == nil && public != nil && marker == "" {
			t.Errorf("refused (%v), but x/crypto reads %q", err, line)
		}
	})
}
