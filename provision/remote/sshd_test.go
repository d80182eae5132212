package remote

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

const sshdPath = "/usr/sbin/sshd"

// server is a real sshd on a loopback port, with keys of its own, that lets the current user in.
type server struct {
	port     int
	identity string // private key file that may log in
	hostKeys map[string]ssh.PublicKey
	log      *syncBuffer
}

// syncBuffer is a buffer that several goroutines may use.
type syncBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// startSSHD starts sshd with extra lines of configuration and stops it when the test ends.
func startSSHD(t testing.TB, extra ...string) *server {
	t.Helper()
	if _, err := os.Stat(sshdPath); err != nil {
		t.Fatalf("%v: these tests need OpenSSH's server and its sftp-server: install openssh-server and openssh-sftp-server", err)
	}
	dir := t.TempDir()
	s := &server{hostKeys: map[string]ssh.PublicKey{}, log: &syncBuffer{}, identity: filepath.Join(dir, "user")}
	s.hostKeys["ed25519"] = writeKey(t, filepath.Join(dir, "host_ed25519"), newEd25519(t), "")
	s.hostKeys["ecdsa"] = writeKey(t, filepath.Join(dir, "host_ecdsa"), newECDSA(t), "")
	public := writeKey(t, s.identity, newEd25519(t), "")
	writeText(t, filepath.Join(dir, "authorized"), string(ssh.MarshalAuthorizedKey(public)))
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd's privilege separation wants it
			t.Fatal(err)
		}
	}
	s.port = freePort(t)
	// sshd takes the first value that it reads of an option.
	config := append(extra,
		fmt.Sprintf("ListenAddress 127.0.0.1:%d", s.port),
		"HostKey "+filepath.Join(dir, "host_ed25519"), "HostKey "+filepath.Join(dir, "host_ecdsa"),
		"AuthorizedKeysFile "+filepath.Join(dir, "authorized"),
		"SetEnv HOME="+dir, // what the user's own shell start-up files do is no part of these tests
		"StrictModes no", "UsePAM no", "PidFile none", "PermitRootLogin yes", "LogLevel VERBOSE", "PasswordAuthentication no",
	)
	path := filepath.Join(dir, "sshd_config")
	writeText(t, path, strings.Join(config, "\n")+"\n")
	s.run(t, path)
	return s
}

func (s *server) run(t testing.TB, config string) {
	t.Helper()
	cmd := exec.Command(sshdPath, "-D", "-e", "-f", config)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(s.log, lines.Text())
			if strings.HasPrefix(lines.Text(), "Server listening") {
				close(ready)
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-over
		_ = cmd.Wait()
	})
	select {
	case <-ready:
	case <-over:
		t.Fatalf("sshd did not start:\n%s", s.log)
	}
}

// target logs in with the right key and the right pin.
func (s *server) target(t testing.TB) Target {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return Target{
		Name: "cp1", Address: "127.0.0.1", Port: s.port, User: u.Username, IdentityFile: s.identity,
		HostKey: ssh.FingerprintSHA256(s.hostKeys["ed25519"]),
	}
}

// dial connects to s, and closes the host when the test ends.
func (s *server) dial(t testing.TB, o Options) *Host {
	t.Helper()
	h, err := Dial(t.Context(), s.target(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeHost(t, h) })
	return h
}

func closeHost(t testing.TB, h *Host) {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

func newEd25519(t testing.TB) crypto.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newECDSA(t testing.TB) crypto.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// writeKey writes a private key, encrypted when a passphrase is given, and its public half to path.pub.
func writeKey(t testing.TB, path string, key crypto.PrivateKey, passphrase string) ssh.PublicKey {
	t.Helper()
	var block *pem.Block
	var err error
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeText(t, path, string(pem.EncodeToMemory(block)))
	writeText(t, path+".pub", string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	return signer.PublicKey()
}

func writeText(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// eventually polls until ok holds, and fails the test when it does not within limit.
func eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s", limit, what)
		case <-tick.C:
		}
	}
}

// debugLog is a logger and what it wrote.
func debugLog() (*slog.Logger, *syncBuffer) {
	out := &syncBuffer{}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})), out
}
