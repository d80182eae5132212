package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// verdict is what becomes of a host: whether its key is accepted.
type verdict bool

const (
	accepted verdict = true
	refused  verdict = false
)

func (v verdict) String() string {
	if v {
		return "accepted"
	}
	return "refused"
}

// hostKeyCase is a row of the tables: sshd shows what shows says, and known_hosts holds known.
type hostKeyCase struct {
	name  string
	shows string // a server of the bench
	dial  string // name:port
	known string // with words of the bench in braces; "---" between lines begins another file
	want  verdict
	// stricter is why fairlead refuses what ssh accepts; versions why it refuses what some ssh accepts and others do
	// not. Where both are empty, ssh has the same verdict.
	stricter, versions string
}

// TestHostKeysAsOpenSSH has the same sshd and the same known_hosts judged by fairlead and by OpenSSH's ssh, where that is
// installed. Both are let go on to the login, where they have no key to offer: so a login that is refused is a host key
// that was accepted.
func TestHostKeysAsOpenSSH(t *testing.T) {
	bench := newHostKeyBench(t)
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Logf("the verdicts are not compared with ssh: %v", err)
	}
	cases := append(hostKeyCases(), certificateCases()...)
	names := map[string]bool{}
	for _, c := range cases {
		if names[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := bench.write(t, c.known)
			if got, why := bench.fairlead(t, c, files); got != c.want {
				t.Errorf("fairlead: %s, want %s: %v", got, c.want, why)
			}
			if ssh == "" || c.versions != "" {
				return
			}
			want := c.want
			if c.stricter != "" {
				want = accepted
			}
			if got, why := bench.openSSH(t, c, ssh, files); got != want {
				t.Errorf("ssh: %s, want %s: %s", got, want, why)
			}
		})
	}
}

// write makes the known_hosts files of a case.
func (b *hostKeyBench) write(t *testing.T, known string) []string {
	t.Helper()
	known = b.words.Replace(known)
	if strings.ContainsAny(known, "{}") {
		t.Fatalf("unknown word in %q", known)
	}
	dir := t.TempDir()
	var files []string
	for i, text := range strings.Split(known, "---\n") {
		path := filepath.Join(dir, "known_hosts"+strconv.Itoa(i+1))
		remotetest.WriteText(t, path, text)
		files = append(files, path)
	}
	return files
}

// fairlead is fairlead's verdict, and its error.
func (b *hostKeyBench) fairlead(t *testing.T, c hostKeyCase, files []string) (verdict, error) {
	t.Helper()
	host, port, err := net.SplitHostPort(c.dial)
	if err != nil {
		t.Fatal(err)
	}
	target := Target{Address: host, IdentityFiles: []string{b.stranger}, IdentitiesOnly: true, KnownHosts: files}
	if target.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	there := net.JoinHostPort("127.0.0.1", strconv.Itoa(b.server(t, c.shows).Port))
	const patience = time.Minute // sshd may be slow when the machine has much else to do
	_, err = reach(t.Context(), target, Options{
		DialTimeout: patience, LoginTimeout: patience, DialNet: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, there)
		},
	})
	switch {
	case errors.Is(err, remote.ErrAuth):
		return accepted, err
	case !errors.Is(err, remote.ErrHostKey):
		t.Errorf("neither accepted nor refused: %v", err)
	}
	return refused, err
}

// openSSH is ssh's verdict, and what it says.
func (b *hostKeyBench) openSSH(t *testing.T, c hostKeyCase, ssh string, files []string) (verdict, string) {
	t.Helper()
	host, port, err := net.SplitHostPort(c.dial)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), ssh, "-F", "none", "-p", port,
		"-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "PubkeyAuthentication=no",
		"-o", "KexAlgorithms=curve25519-sha256", // the default takes a hundred times longer
		"-o", "UserKnownHostsFile="+strings.Join(files, " "), "-o", "GlobalKnownHostsFile=/dev/null",
		"-o", "ProxyCommand="+remote.Quote(b.server(t, c.shows).Inetd()), host, "true").CombinedOutput()
	switch text := string(out); {
	case err != nil && strings.Contains(text, "Permission denied"):
		return accepted, text
	case err != nil && strings.Contains(text, "Host key verification failed"):
		return refused, text
	}
	t.Errorf("neither accepted nor refused: %v: %s", err, out)
	return refused, fmt.Sprint(err)
}
