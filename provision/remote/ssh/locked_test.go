package ssh

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh/agent"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// keyboard answers questions for passphrases, the last answer for ever.
type keyboard struct {
	answers []string
	mu      sync.Mutex
	asked   []string // for which files
}

func (k *keyboard) passphrase(_ context.Context, file string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	answer := k.answers[min(len(k.asked), len(k.answers)-1)]
	k.asked = append(k.asked, file)
	if answer == "broken" {
		return nil, errors.New("the keyboard is broken")
	}
	return []byte(answer), nil
}

// writePEM writes a key as OpenSSL encrypted them once, without its public half.
func writePEM(t *testing.T, path string, key crypto.PrivateKey, passphrase string) {
	t.Helper()
	remotetest.WriteText(t, path, string(pem.EncodeToMemory(encryptPEM(t, key, passphrase))))
}

func encryptPEM(t *testing.T, key crypto.PrivateKey, passphrase string) *pem.Block {
	t.Helper()
	text, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	block, err := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", text, []byte(passphrase), x509.PEMCipherAES256) //nolint:staticcheck // ssh still reads it
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// unnoticed is a wrong passphrase whose noise has the padding of a key by chance.
func unnoticed(t *testing.T, block *pem.Block) string {
	t.Helper()
	for i := range 100_000 {
		wrong := strconv.Itoa(i)
		if _, err := x509.DecryptPEMBlock(block, []byte(wrong)); err == nil { //nolint:staticcheck // ssh still reads it
			return wrong
		}
	}
	t.Fatal("every wrong passphrase is noticed")
	return ""
}

// TestPassphrases logs in with keys in files that are encrypted. Whether somebody is asked is a matter of what else there is.
func TestPassphrases(t *testing.T) {
	authority, plain := remotetest.NewEd25519(t), remotetest.NewECDSA(t)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	remotetest.WriteKey(t, in("ca"), authority, "")
	remotetest.WriteKey(t, in("plain"), plain, "")
	srv := startSSHD(t, "TrustedUserCAKeys "+in("ca.pub"), "AuthorizedKeysFile "+in("authorized"))
	ours := userKey(t, srv).(crypto.PrivateKey)
	remotetest.WriteText(t, in("authorized"), read(t, srv.Identity+".pub")+read(t, in("plain.pub")))
	// What passphrases are made keys by takes its time, so that each file is made once.
	remotetest.WriteKey(t, in("ours"), ours, "secret")
	certified := remotetest.NewEd25519(t)
	remotetest.WriteKey(t, in("certified"), certified, "secret")
	copied := func(name string) func(string) {
		return func(path string) { remotetest.WriteText(t, path, read(t, in(name))) }
	}
	old := encryptPEM(t, plain, "secret")
	quick := func(path string) {
		writePEM(t, path, plain, "secret")
		remotetest.WriteText(t, path+".pub", read(t, in("plain.pub")))
	}
	for name, tt := range map[string]struct {
		write   func(path string) // the encrypted file; the key that is let in where nil
		home    []string          // the default files that the encrypted key is beside or instead of
		agent   crypto.PrivateKey
		answers []string // of who is asked; nobody is there when there are none
		asked   int
		says    []string
	}{
		"right":                  {answers: []string{"secret"}, asked: 1},
		"right the third time":   {write: quick, answers: []string{"x", "y", "secret"}, asked: 3},
		"wrong":                  {write: quick, answers: []string{"x"}, asked: 3, says: []string{" is encrypted (3 passphrases were wrong)", "ssh-add "}},
		"none":                   {answers: []string{""}, asked: 1, says: []string{" is encrypted (no passphrase was given)", "ssh-add "}},
		"cannot be asked":        {answers: []string{"broken"}, asked: 1, says: []string{"the keyboard is broken", "ssh-add "}},
		"nobody there":           {says: []string{" is encrypted, and its key is not to be had from an agent (no agent", "ssh-add "}},
		"the agent has it":       {agent: ours, answers: []string{"secret"}},
		"the agent has another":  {agent: certified, answers: []string{"secret"}, asked: 1},
		"the host does not know": {write: copied("certified"), answers: []string{"secret"}, says: []string{"login refused: tried ssh-ed25519 "}},
		"certificate": {asked: 1, answers: []string{"secret"}, write: func(path string) {
			copied("certified")(path)
			remotetest.WriteText(t, path+"-cert.pub", remotetest.KeyText(userCertificate{}.make(t, authority, certified)))
		}},
		"old format":            {write: func(path string) { writePEM(t, path, plain, "secret") }, answers: []string{"x", "secret"}, asked: 2},
		"old format, wrong":     {write: func(path string) { writePEM(t, path, plain, "secret") }, answers: []string{"x"}, asked: 3, says: []string{"passphrases were wrong"}},
		"old format, unnoticed": {write: func(path string) { remotetest.WriteText(t, path, string(pem.EncodeToMemory(old))) }, answers: []string{unnoticed(t, old), "secret"}, asked: 2},
		"default":               {home: []string{"id_ed25519"}, answers: []string{"secret"}, asked: 1},
		"default, nobody there": {home: []string{"id_ed25519"}, says: []string{"no key to log in", "is encrypted"}},
		"default, none":         {home: []string{"id_ed25519"}, answers: []string{""}, asked: 1, says: []string{"no key to log in", "no passphrase was given"}},
		"default, another is let in": {
			home: []string{"id_ed25519", "id_ecdsa"}, answers: []string{"secret"},
		},
		"default, the host does not know": {home: []string{"id_ed25519"}, answers: []string{"secret"}, says: []string{"login refused"}, write: copied("certified")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SSH_AUTH_SOCK", "")
			if tt.agent != nil {
				startAgent(t, agent.AddedKey{PrivateKey: tt.agent})
			}
			home := t.TempDir()
			t.Setenv("HOME", home)
			if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(home, ".ssh", "own")
			if tt.home != nil {
				path = filepath.Join(home, ".ssh", tt.home[0])
			}
			if len(tt.home) > 1 {
				remotetest.WriteKey(t, filepath.Join(home, ".ssh", tt.home[1]), plain, "")
			}
			if tt.write == nil {
				tt.write = copied("ours")
			}
			tt.write(path)
			target := srv.target(t)
			if target.IdentityFiles = []string{path}; tt.home != nil {
				target.IdentityFiles, target.IdentitiesOnly = nil, false
			}
			k := &keyboard{answers: tt.answers}
			var o Options
			if tt.answers != nil {
				o.Passphrase = k.passphrase
			}
			checkLoginBy(t, o, target, tt.says)
			if want := slices.Repeat([]string{path}, tt.asked); !slices.Equal(k.asked, want) {
				t.Errorf("asked for %q, want %q", k.asked, want)
			}
		})
	}
}

// TestPassphrasesOfSeveralFiles has several identity files, as ssh's configuration names them, and certificates of their keys.
func TestPassphrasesOfSeveralFiles(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	authority, ours, other, certified := remotetest.NewEd25519(t), remotetest.NewECDSA(t), remotetest.NewECDSA(t), remotetest.NewECDSA(t)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, key := range map[string]crypto.PrivateKey{"ca": authority, "plain": ours, "ours": ours, "other": other, "certified": certified} {
		remotetest.WriteKey(t, in(name), key, "")
		if name != "ca" && name != "plain" {
			writePEM(t, in(name), key, "secret") // whose public half stands beside it
		}
	}
	remotetest.WriteText(t, in("certificate"), remotetest.KeyText(userCertificate{}.make(t, authority, certified)))
	srv := startSSHD(t, "TrustedUserCAKeys "+in("ca.pub"), "AuthorizedKeysFile "+in("plain.pub"))
	for name, tt := range map[string]struct {
		files, certificates []string
		asked               []string
		says                []string
	}{
		"another one is let in":  {files: []string{"other", "ours", "plain"}},
		"the one that is let in": {files: []string{"other", "ours"}, asked: []string{"ours"}},
		"certificate":            {files: []string{"other", "certified"}, certificates: []string{"certificate"}, asked: []string{"certified"}},
		"none is let in":         {files: []string{"other", "certified"}, says: []string{"login refused: tried ecdsa-sha2-nistp256 "}},
	} {
		t.Run(name, func(t *testing.T) {
			whole := func(names []string) []string {
				var paths []string
				for _, name := range names {
					paths = append(paths, in(name))
				}
				return paths
			}
			target := srv.target(t)
			target.IdentityFiles, target.CertificateFiles = whole(tt.files), whole(tt.certificates)
			k := &keyboard{answers: []string{"secret"}}
			checkLoginBy(t, Options{Passphrase: k.passphrase}, target, tt.says)
			if want := whole(tt.asked); !slices.Equal(k.asked, want) {
				t.Errorf("asked for %q, want %q", k.asked, want)
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOnePassphraseForAllHosts has twenty hosts, and the jump host before them, need the same key at once.
func TestOnePassphraseForAllHosts(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	path, key := filepath.Join(t.TempDir(), "key"), remotetest.NewECDSA(t)
	remotetest.WriteKey(t, path, key, "")
	writePEM(t, path, key, "secret")
	srv := startSSHD(t, "AuthorizedKeysFile "+path+".pub")
	k := &keyboard{answers: []string{"wrong", "secret"}}
	d := open(t, Options{Passphrase: k.passphrase})
	var dialling sync.WaitGroup
	for i := range 20 {
		dialling.Go(func() {
			target := srv.target(t)
			target.IdentityFiles = []string{path}
			if i%2 == 0 {
				target.Jump = []Target{target}
			}
			h, err := d.Dial(t.Context(), target)
			if err != nil {
				t.Error(err)
				return
			}
			closeHost(t, h)
		})
	}
	dialling.Wait()
	if len(k.asked) != 2 {
		t.Errorf("asked %d times", len(k.asked))
	}
}

// Who waits for an answer, or for his turn to ask, gives up when the run does.
func TestPassphraseIsNotWaitedForForEver(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	path, key := filepath.Join(t.TempDir(), "key"), remotetest.NewECDSA(t)
	remotetest.WriteKey(t, path, key, "")
	writePEM(t, path, key, "secret")
	target := startSSHD(t, "AuthorizedKeysFile "+path+".pub").target(t)
	target.IdentityFiles = []string{path}
	ctx, cancel := context.WithCancel(t.Context())
	asking := make(chan struct{})
	d := open(t, Options{Passphrase: func(ctx context.Context, _ string) ([]byte, error) {
		close(asking)
		<-ctx.Done()
		return []byte("secret"), nil
	}})
	errs := make(chan error)
	for range 2 {
		go func() { _, err := d.Dial(ctx, target); errs <- err }()
	}
	<-asking
	cancel()
	for range 2 {
		if err := <-errs; !errors.Is(err, context.Canceled) || errors.Is(err, remote.ErrAuth) {
			t.Errorf("got %v", err)
		}
	}
}

// checkLoginBy is checkLogin with options.
func checkLoginBy(t *testing.T, o Options, target Target, says []string) {
	t.Helper()
	h, err := reach(t.Context(), target, o)
	if err == nil {
		closeHost(t, h)
	}
	if len(says) == 0 {
		if err != nil {
			t.Error(err)
		}
		return
	}
	if !errors.Is(err, remote.ErrAuth) || errors.Is(err, remote.ErrUnreachable) {
		t.Fatalf("got %v, want remote.ErrAuth", err)
	}
	for _, want := range append(says, target.login()) {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error has the passphrase: %v", err)
	}
}
