package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	xssh "golang.org/x/crypto/ssh"

	"fairlead/provision/remote"
)

// maxIdentity bounds an identity file; the largest RSA key takes 13 KiB.
const maxIdentity = 1 << 20

// identity is what a private key file and what lies beside it give. It is read once in a run.
type identity struct {
	path   string
	signer xssh.Signer       // nil when the file does not give the private key
	public xssh.PublicKey    // the key to look for in the agent; nil when not even that is known
	cert   *xssh.Certificate // the certificate beside the file, or nil
	beside bool              // the certificate was looked for beside the file, which is none itself
	err    *unusable         // why there is no signer
	locked *lockedKey        // the key, where a passphrase gives it; nil when nobody is to be asked
	absent bool              // there is no such file, nor its public key
	noCert *unusable         // why a certificate that lies beside the file is not used
}

// unusable is a file that gives no key, or no certificate.
type unusable struct {
	reason string // what is wrong with which file
	mend   string // what to do; may be empty
}

func (u *unusable) Error() string {
	if u.mend == "" {
		return u.reason
	}
	return u.reason + ": " + u.mend
}

// readIdentity reads a private key file and, as ssh does, the certificate in path-cert.pub. Where the file does not give
// the private key, the public key is that of the file itself or of path.pub.
func readIdentity(path string) identity {
	i := identity{path: path}
	text, mode, err := readSmall(path)
	switch {
	case err != nil:
		i.err = err
	default:
		i.parse(text, mode)
	}
	if i.public == nil {
		i.public, _ = readPublic(path + ".pub")
	}
	if i.locked != nil && i.public != nil {
		i.locked.public = withoutCertificate(i.public)
	}
	if cert, ok := i.public.(*xssh.Certificate); ok {
		i.public, i.cert = cert.Key, cert
		return i
	}
	if i.signer == nil && i.public != nil && strings.HasPrefix(i.public.Type(), "sk-") {
		i.locked = nil // its passphrase is of no use here
		i.err = &unusable{"identity file " + path + " is of a security key, which only an agent can use", "add it with " + remote.Quote([]string{"ssh-add", path})}
	}
	if i.public == nil {
		_, err := os.Stat(path)
		i.absent = errors.Is(err, fs.ErrNotExist)
	} else {
		i.beside = true
		i.cert, i.noCert = readCertificate(path+"-cert.pub", i.public)
	}
	return i
}

// parse reads what a private key file holds.
func (i *identity) parse(text []byte, mode fs.FileMode) {
	signer, err := xssh.ParsePrivateKey(text)
	locked := bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----")) // PKCS #8, which x/crypto does not read
	var missing *xssh.PassphraseMissingError
	switch {
	case err == nil:
		i.signer, i.public = signer, signer.PublicKey()
	case errors.As(err, &missing):
		locked, i.public = true, missing.PublicKey
		i.locked = &lockedKey{path: i.path, text: text}
	case !locked:
		i.public, _ = parsePublic(text)
		i.err = noPrivateKey(i.path, text, i.public, err)
		return
	}
	// sshkey_perm_ok in OpenSSH's authfile.c: who could read the key may have it already.
	if mode&0o077 != 0 {
		i.signer, i.locked = nil, nil
		i.err = &unusable{fmt.Sprintf("identity file %s is a private key that others may read (mode %04o)", i.path, mode.Perm()),
			"run " + remote.Quote([]string{"chmod", "600", i.path})}
	} else if locked {
		i.err = encrypted(i.path, "")
	}
}

// noPrivateKey says what a file is that holds no private key.
func noPrivateKey(path string, text []byte, public xssh.PublicKey, cause error) *unusable {
	file := "identity file " + path
	const other = "set ssh.identityFile to the private key's file"
	_, certificate := public.(*xssh.Certificate)
	switch {
	case certificate:
		return &unusable{file + " is a certificate", other + ", beside which the certificate is KEY-cert.pub"}
	case public != nil:
		return &unusable{file + " is a public key", other}
	case len(bytes.TrimSpace(text)) == 0:
		return &unusable{file + " is empty", other}
	case bytes.HasPrefix(text, []byte("PuTTY-User-Key-File-")):
		return &unusable{file + " is in PuTTY's format", "convert it with " +
			remote.Quote([]string{"puttygen", path, "-O", "private-openssh", "-o", strings.TrimSuffix(path, ".ppk")})}
	}
	return &unusable{fmt.Sprintf("%s is not a private key (%v)", file, cause), other}
}

// readSmall reads a file, which has to be one. mode has the bits of others only where the file is the user's own, as
// another's file is another's business (sshkey_perm_ok).
func readSmall(path string) (text []byte, mode fs.FileMode, problem *unusable) {
	info, err := os.Stat(path) // before it is opened, as opening a named pipe may take for ever
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, &unusable{reason: "identity file " + path + " does not exist"}
	case err == nil && info.IsDir():
		return nil, 0, &unusable{"identity file " + path + " is a directory", "set ssh.identityFile to the private key's file"}
	case err == nil && !info.Mode().IsRegular():
		return nil, 0, &unusable{"identity file " + path + " is not a regular file", "set ssh.identityFile to the private key's file"}
	}
	if err == nil {
		text, info, err = readAtMost(path, maxIdentity)
	}
	if err != nil {
		return nil, 0, &unusable{reason: fmt.Sprintf("read identity file: %v", err)}
	}
	mode = info.Mode()
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Getuid() {
		mode &^= 0o077
	}
	return text, mode, nil
}

// readAtMost reads a file of at most so many bytes; info is of the file that was read.
func readAtMost(path string, most int64) (text []byte, info fs.FileInfo, err error) {
	f, err := os.Open(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if info, err = f.Stat(); err != nil {
		return nil, nil, err
	}
	text, err = io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s is larger than any key", path)
	}
	return text, info, err
}

// readPublic returns the public key or certificate in a file.
func readPublic(path string) (xssh.PublicKey, error) {
	text, _, err := readAtMost(path, maxIdentity)
	if err != nil {
		return nil, err
	}
	return parsePublic(text)
}

func parsePublic(text []byte) (xssh.PublicKey, error) {
	key, _, _, _, err := xssh.ParseAuthorizedKey(text) //nolint:dogsled // comment, options and rest do not matter
	return key, err
}

// readCertificate returns the certificate of a key, or of any key where that is nil, in a file, or why there is none; nothing
// where there is no file. Whether it is valid is for the host to say.
func readCertificate(path string, key xssh.PublicKey) (*xssh.Certificate, *unusable) {
	public, err := readPublic(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	const renew = "have it made anew, or remove it"
	cert, ok := public.(*xssh.Certificate)
	switch {
	case err != nil:
		return nil, &unusable{fmt.Sprintf("certificate %s cannot be read (%v)", path, err), renew}
	case !ok:
		return nil, &unusable{path + " is no certificate", renew}
	case cert.CertType != xssh.UserCert:
		return nil, &unusable{path + " is no certificate of a user", renew}
	case key != nil && !sameKey(cert.Key, key):
		return nil, &unusable{path + " is the certificate of another key", renew}
	}
	return cert, nil
}
