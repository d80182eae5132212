package remote

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
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
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _ = agent.ServeAgent(ring, c) }()
		}
	}()
	t.Setenv("SSH_AUTH_SOCK", socket)
}

// userKey is the private key that srv lets in.
func userKey(t *testing.T, srv *server) any {
	t.Helper()
	text, err := os.ReadFile(srv.identity)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(text)
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
		wrong = append(wrong, agent.AddedKey{PrivateKey: newEd25519(t)})
	}
	held := append(append([]agent.AddedKey(nil), wrong...), agent.AddedKey{PrivateKey: key})
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	good := writeKey(t, in("encrypted"), key, "passphrase")
	bad := writeKey(t, in("wrong"), newEd25519(t), "")
	writeText(t, in("only.pub"), string(ssh.MarshalAuthorizedKey(good)))
	writeText(t, in("rubbish"), "no key\n")
	tests := map[string]struct {
		identity string
		agent    []agent.AddedKey
		home     string // name of the file to copy to ~/.ssh/id_ed25519
		says     []string
	}{
		"file":                            {identity: srv.identity},
		"file, full agent":                {identity: srv.identity, agent: wrong},
		"encrypted file, agent has it":    {identity: in("encrypted"), agent: held},
		"public key, agent has it":        {identity: in("encrypted.pub"), agent: held},
		"only .pub, agent has it":         {identity: in("only"), agent: held},
		"agent":                           {agent: held[len(held)-1:]},
		"default file":                    {home: srv.identity},
		"agent, then default file":        {agent: wrong[:1], home: srv.identity},
		"wrong key":                       {identity: in("wrong"), says: []string{ssh.FingerprintSHA256(bad), in("wrong"), "authorized_keys"}},
		"encrypted file, not in agent":    {identity: in("encrypted"), agent: wrong, says: []string{"ssh-add " + in("encrypted")}},
		"encrypted file, no agent":        {identity: in("encrypted"), says: []string{"encrypted", "ssh-add " + in("encrypted")}},
		"missing file":                    {identity: in("none"), says: []string{in("none"), "does not exist"}},
		"no private key":                  {identity: in("rubbish"), says: []string{in("rubbish")}},
		"nothing at all":                  {says: []string{"no key", "SSH_AUTH_SOCK", "ssh.identityFile"}},
		"too many keys":                   {agent: held, says: []string{ssh.FingerprintSHA256(good), "(agent)", "ssh.identityFile"}},
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
				if err := os.CopyFS(filepath.Join(home, ".ssh"), oneFile(t, tt.home, "id_ed25519")); err != nil {
					t.Fatal(err)
				}
			}
			target := srv.target(t)
			target.IdentityFile = tt.identity
			checkLogin(t, target, tt.says)
		})
	}
}

// checkLogin logs in, or is refused with an error that says all that it should.
func checkLogin(t *testing.T, target Target, says []string) {
	t.Helper()
	h, err := Dial(t.Context(), target, Options{})
	if err == nil {
		closeHost(t, h)
	}
	if len(says) == 0 {
		if err != nil {
			t.Error(err)
		}
		return
	}
	if !errors.Is(err, ErrAuth) || errors.Is(err, ErrUnreachable) {
		t.Fatalf("got %v, want ErrAuth", err)
	}
	for _, want := range append(says, target.login()) {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q:\n%v", want, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_, silentPort, err := net.SplitHostPort(silent.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	closed := strconv.Itoa(freePort(t))
	key := filepath.Join(t.TempDir(), "key")
	writeKey(t, key, newEd25519(t), "")
	never := func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	for name, tt := range map[string]struct {
		port string
		opts Options
	}{
		"refused":   {port: closed},
		"no answer": {port: closed, opts: Options{DialTimeout: 50 * time.Millisecond, DialNet: never}},
		"no server": {port: silentPort, opts: Options{DialTimeout: 50 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Dial(t.Context(), Target{Name: "w1", Address: "127.0.0.1", Port: atoi(t, tt.port), IdentityFile: key, HostKey: "SHA256:x"}, tt.opts)
			if !errors.Is(err, ErrUnreachable) || errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "127.0.0.1:"+tt.port) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(start); took > defaultDialTimeout {
				t.Errorf("took %s", took)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Dial(ctx, Target{Address: "127.0.0.1", IdentityFile: key, HostKey: "SHA256:x"}, Options{
		DialNet: func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnreachable) {
		t.Errorf("cancelled: got %v", err)
	}
}
