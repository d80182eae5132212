package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// revokedFiles are the files of revoked keys of one run; each is read once.
type revokedFiles struct {
	mu     sync.Mutex
	byPath map[string]func() ([]knownLine, error)
}

func newRevokedFiles() *revokedFiles {
	return &revokedFiles{byPath: map[string]func() ([]knownLine, error){}}
}

// all are the keys of these files, as lines that revoke them for every host.
func (r *revokedFiles) all(paths []string) ([]knownLine, error) {
	var all []knownLine
	for _, path := range paths {
		r.mu.Lock()
		read := r.byPath[path]
		if read == nil {
			read = sync.OnceValues(func() ([]knownLine, error) { return readRevoked(path) })
			r.byPath[path] = read
		}
		r.mu.Unlock()
		lines, err := read()
		if err != nil {
			return nil, err
		}
		all = append(all, lines...)
	}
	return all, nil
}

// readRevoked reads a file of RevokedHostKeys: public keys, one a line (sshkey_in_file in OpenSSH's authfile.c). As there, no host
// is accepted where it cannot be read; unlike there, nor where one of its lines cannot be.
func readRevoked(path string) ([]knownLine, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("read revoked host keys: %w: correct RevokedHostKeys in ssh's configuration, or set ssh.hostKey", err)
	}
	if bytes.HasPrefix(text, []byte("SSHKRL\n")) {
		return nil, fmt.Errorf("read revoked host keys %s: it is a key revocation list of ssh-keygen -k, which fairlead does not read: "+
			"list the revoked keys as text in RevokedHostKeys of ssh's configuration, or set ssh.hostKey", path)
	}
	var lines []knownLine
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.TrimLeft(line, blanks)
		if line == "" || line[0] == '#' {
			continue
		}
		revoked := knownLine{file: path, line: n + 1, marker: markRevoked, names: patterns{"*"}}
		label, rest := cutField(line)
		encoded, _ := cutField(rest)
		if revoked.key, revoked.unreadable = parseKey(label, encoded); !errors.Is(revoked.unreadable, errForeignKey) {
			lines = append(lines, revoked)
		}
	}
	return lines, nil
}
