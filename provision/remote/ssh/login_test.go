package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// startAgent serves keys as an SSH agent does and points $SSH_AUTH_SOCK at it.
func startAgent(t *testing.T, keys ...agent.AddedKey) {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		if err := ring.Add(k); err != nil {
			t.Fatal(err)
		}
	}
	serveAgent(t, ring)
}

// serveAgent points $SSH_AUTH_SOCK at an agent, and returns the connections to it.
func serveAgent(t *testing.T, a agent.Agent) <-chan net.Conn {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	conns := make(chan net.Conn, 16)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
			go func() { defer c.Close(); _ = agent.ServeAgent(a, c) }()
		}
	}()
	t.Setenv("SSH_AUTH_SOCK", socket)
	return conns
}

// userKey is the private key that srv lets in.
func userKey(t *testing.T, srv server) any {
	t.Helper()
	text, err := os.ReadFile(srv.Identity)
	if err != nil {
		t.Fatal(err)
	}
	key, err := xssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestLogin(t *testing.T) {
	srv := startSSHD(t, "MaxAuthTries 3")
	key := userKey(t, srv)
	var wrong []agent.AddedKey
	for range 5 {
		wrong = append(wrong, agent.AddedKey{PrivateKey: remotetest.NewEd25519(t)})
	}
	held := append(append([]agent.AddedKey(nil), wrong...), agent.AddedKey{PrivateKey: key})
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	good := remotetest.WriteKey(t, in("encrypted"), key, "passphrase")
	bad := remotetest.WriteKey(t, in("wrong"), remotetest.NewEd25519(t), "")
	remotetest.WriteText(t, in("only.pub"), string(xssh.MarshalAuthorizedKey(good)))
	remotetest.WriteText(t, in("rubbish"), "no key\n")
	tests := map[string]struct {
		identity string
		agent    []agent.AddedKey
		home     string // name of the file to copy to ~/.ssh/id_ed25519
		says     []string
	}{
		"file":                            {identity: srv.Identity},
		"file, full agent":                {identity: srv.Identity, agent: wrong},
		"encrypted file, agent has it":    {identity: in("encrypted"), agent: held},
		"public key, agent has it":        {identity: in("encrypted.pub"), agent: held},
		"only .pub, agent has it":         {identity: in("only"), agent: held},
		"agent":                           {agent: held[len(held)-1:]},
		"default file":                    {home: srv.Identity},
		"agent, then default file":        {agent: wrong[:1], home: srv.Identity},
		"wrong key":                       {identity: in("wrong"), says: []string{xssh.FingerprintSHA256(bad), in("wrong"), "authorized_keys"}},
		"encrypted file, not in agent":    {identity: in("encrypted"), agent: wrong, says: []string{"ssh-add " + in("encrypted")}},
		"encrypted file, no agent":        {identity: in("encrypted"), says: []string{"encrypted", "ssh-add " + in("encrypted")}},
		"missing file":                    {identity: in("none"), says: []string{in("none"), "does not exist"}},
		"no private key":                  {identity: in("rubbish"), says: []string{in("rubbish")}},
		"nothing at all":                  {says: []string{"no key", "SSH_AUTH_SOCK", "ssh.identityFile"}},
		"too many keys":                   {agent: held, says: []string{xssh.FingerprintSHA256(good), "(agent)", "ssh.identityFile"}},
		"default encrypted, wrong others": {agent: wrong[:1], home: in("encrypted"), says: []string{"not tried", "is encrypted"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SSH_AUTH_SOCK", "")
			home := t.TempDir()
			t.Setenv("HOME", home)
			if tt.agent != nil {
				startAgent(t, tt.agent...)
			}
			if tt.home != "" {
				if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
					t.Fatal(err)
				}
				text, err := os.ReadFile(tt.home)
				if err != nil {
					t.Fatal(err)
				}
				remotetest.WriteText(t, filepath.Join(home, ".ssh", "id_ed25519"), string(text))
			}
			target := srv.target(t)
			target.IdentityFiles, target.IdentitiesOnly = nil, false
			if tt.identity != "" {
				target.IdentityFiles, target.IdentitiesOnly = []string{tt.identity}, true
			}
			checkLogin(t, target, tt.says)
		})
	}
}

// TestLoginBesideAgent has an identity file that is enough, beside an agent that is of no use.
func TestLoginBesideAgent(t *testing.T) {
	srv := startSSHD(t)
	for name, socket := range map[string]string{"gone": filepath.Join(t.TempDir(), "none"), "silent": silentAgent(t)} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SSH_AUTH_SOCK", socket)
			d := NewDialer(Options{})
			d.keys.listTimeout = time.Millisecond // it would not answer in an hour
			h, err := d.Dial(t.Context(), srv.target(t))
			if err != nil {
				t.Fatal(err)
			}
			closeHost(t, h)
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// silentAgent is the socket of an agent that takes connections and answers nothing.
func silentAgent(t *testing.T) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return socket
}

// checkLogin logs in, or is refused with an error that says all that it should.
func checkLogin(t *testing.T, target Target, says []string) {
	t.Helper()
	checkLoginBy(t, Options{}, target, says)
}

func TestUnreachable(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	silentPort, closed := silent.Addr().(*net.TCPAddr).Port, remotetest.RefusingPort(t)
	key := filepath.Join(t.TempDir(), "key")
	remotetest.WriteKey(t, key, remotetest.NewEd25519(t), "")
	never := func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	for name, tt := range map[string]struct {
		port int
		opts Options
	}{
		"refused":   {port: closed},
		"no answer": {port: closed, opts: Options{DialTimeout: 50 * time.Millisecond, DialNet: never}},
		"no server": {port: silentPort, opts: Options{DialTimeout: 50 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := reach(t.Context(), Target{Name: "w1", Address: "127.0.0.1", Port: tt.port, IdentityFiles: []string{key}, IdentitiesOnly: true, HostKey: "SHA256:x"}, tt.opts)
			if !errors.Is(err, remote.ErrUnreachable) || errors.Is(err, remote.ErrAuth) || !strings.Contains(err.Error(), fmt.Sprintf("127.0.0.1:%d", tt.port)) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(start); took > defaultDialTimeout {
				t.Errorf("took %s", took)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = reach(ctx, Target{Address: "127.0.0.1", IdentityFiles: []string{key}, IdentitiesOnly: true, HostKey: "SHA256:x"}, Options{
		DialNet: func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("cancelled: got %v", err)
	}
}
