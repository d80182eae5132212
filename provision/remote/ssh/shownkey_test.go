package ssh

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// A host that is asked for its key shows the one that a login would meet, and nobody logs in.
func TestShownKey(t *testing.T) {
	srv := startSSHD(t)
	ed, ec, other := srv.HostKeys["ed25519"], srv.HostKeys["ecdsa"], remotetest.NewPublic(t)
	host := fmt.Sprintf("[127.0.0.1]:%d", srv.Port)
	line := func(name string, key xssh.PublicKey) string { return name + " " + remotetest.KeyText(key) + "\n" }
	for name, tt := range map[string]struct {
		known, pin string
		want       xssh.PublicKey
		line       int // by which it is known
		pinned     bool
		unknown    bool
		elsewhere  int // the line that knows the key by another name
		says       string
	}{
		"nothing is known":       {want: ed, unknown: true},
		"known":                  {known: "# ours\n" + line(host, ed), want: ed, line: 2},
		"known by another type":  {known: line(host, ec), want: ec, line: 1},
		"hashed":                 {known: line(knownhosts.HashHostname(host), ec), want: ec, line: 1},
		"known by its bare name": {known: line("127.0.0.1", ed), want: ed, line: 1},
		"another port is known":  {known: line("[127.0.0.1]:1", ed), want: ed, unknown: true, elsewhere: 1},
		"another name is known":  {known: line("10.0.0.1", other) + line("old.example", ed), want: ed, unknown: true, elsewhere: 2},
		"changed":                {known: line(host, other), want: ed, says: "ssh-keygen -R"},
		"revoked":                {known: line("@revoked *", ed), want: ed, says: "is revoked at"},
		"pinned key":             {pin: remotetest.KeyText(ec), want: ec, pinned: true},
		"pinned print":           {pin: xssh.FingerprintSHA256(ec), want: ec, pinned: true},
		"another pin":            {pin: xssh.FingerprintSHA256(other), want: ed, says: "but ssh.hostKey is"},
	} {
		t.Run(name, func(t *testing.T) {
			target := srv.target(t)
			target.HostKey, target.KnownHosts = tt.pin, []string{filepath.Join(t.TempDir(), "known_hosts")}
			remotetest.WriteText(t, target.KnownHosts[0], tt.known)
			d := NewDialer(Options{})
			got, err := d.HostKey(t.Context(), target)
			if err != nil {
				t.Fatal(err)
			}
			if got.Fingerprint != xssh.FingerprintSHA256(tt.want) || got.Key != remotetest.KeyText(tt.want) || got.Type != tt.want.Type() {
				t.Errorf("it showed %s %s", got.Type, got.Fingerprint)
			}
			if got.Pinned != tt.pinned || got.Unknown() != tt.unknown || got.Authority || got.Address != net.JoinHostPort(target.Address, fmt.Sprint(srv.Port)) {
				t.Errorf("got %+v", got)
			}
			if (tt.line > 0) != (got.Known != nil) || got.Known != nil && (got.Known.Line != tt.line || got.Known.File != target.KnownHosts[0]) {
				t.Errorf("known by %+v, want line %d", got.Known, tt.line)
			}
			if (tt.elsewhere > 0) != (len(got.Elsewhere) == 1) || tt.elsewhere > 0 && got.Elsewhere[0].Line != tt.elsewhere {
				t.Errorf("elsewhere: %+v, want line %d", got.Elsewhere, tt.elsewhere)
			}
			if refused := tt.unknown || tt.says != ""; refused != (got.Refused != nil) || refused && !strings.Contains(got.Refused.Error(), tt.says) {
				t.Errorf("refused: %v", got.Refused)
			}
			// What a login would say is the same.
			h, err := d.Dial(t.Context(), target)
			if err == nil {
				closeHost(t, h)
			}
			var dialled *HostKeyError
			if errors.As(err, &dialled) != (got.Refused != nil) || dialled != nil && dialled.Error() != got.Refused.Error() {
				t.Errorf("Dial says %v, HostKey %v", err, got.Refused)
			}
		})
	}
}

// Nothing is said of a user while a host is asked for its key.
func TestShownKeyLogsInNowhere(t *testing.T) {
	srv := startSSHD(t)
	target := srv.target(t)
	d := NewDialer(Options{})
	if _, err := d.HostKey(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	remotetest.Eventually(t, waitForSSHD, "sshd tells of the connection", func() bool { return strings.Contains(srv.Log.String(), "preauth") })
	if log := srv.Log.String(); strings.Contains(log, target.User) || strings.Contains(log, "Accepted") {
		t.Errorf("sshd heard of a user:\n%s", log)
	}
}

// A certificate of a known authority is as good as a known key; one of another authority leaves the key within.
func TestShownCertificate(t *testing.T) {
	dir := t.TempDir()
	authority := remotetest.KeyText(remotetest.WriteKey(t, filepath.Join(dir, "ca"), remotetest.NewEd25519(t), ""))
	key := remotetest.WriteKey(t, filepath.Join(dir, "host"), remotetest.NewEd25519(t), "")
	out, err := exec.Command("ssh-keygen", "-q", "-s", filepath.Join(dir, "ca"), "-h", "-I", "cp1", "-n", "127.0.0.1", filepath.Join(dir, "host.pub")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	srv := startSSHD(t, "HostKey "+filepath.Join(dir, "host"), "HostCertificate "+filepath.Join(dir, "host-cert.pub"))
	target := srv.target(t)
	target.HostKey, target.KnownHosts = "", []string{filepath.Join(t.TempDir(), "known_hosts")}
	for known, want := range map[string]struct{ authority, unknown bool }{
		"@cert-authority * " + authority + "\n":        {authority: true},
		"@cert-authority 10.0.0.1 " + authority + "\n": {unknown: true},
		"* " + remotetest.KeyText(key) + "\n":          {},
	} {
		remotetest.WriteText(t, target.KnownHosts[0], known)
		got, err := NewDialer(Options{}).HostKey(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		if got.Authority != want.authority || got.Unknown() != want.unknown || (got.Known == nil) != want.unknown || got.Key != remotetest.KeyText(key) {
			t.Errorf("with %q: %+v", known, got)
		}
	}
}

// A host that shows no key is the same error as for Dial.
func TestNoShownKey(t *testing.T) {
	target := Target{Name: "cp1", Address: "127.0.0.1", Port: remotetest.RefusingPort(t), HostKey: "SHA256:x"}
	if got, err := NewDialer(Options{}).HostKey(t.Context(), target); !errors.Is(err, remote.ErrUnreachable) || got.Key != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}
