package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// IdentityFile returns the path of the private key that opens User's login on every host.
func (l *Lab) IdentityFile() string { return filepath.Join(l.options.Dir, "id_ed25519") }

// KnownHosts returns the path of the known_hosts file with every host's keys.
func (l *Lab) KnownHosts() string { return filepath.Join(l.options.Dir, "known_hosts") }

// hostsFile returns the path of the JSON file that lists the hosts for scripts.
func (l *Lab) hostsFile() string { return filepath.Join(l.options.Dir, "hosts.json") }

// ensureKey makes the lab's key pair, once.
func (l *Lab) ensureKey(ctx context.Context) error {
	if err := os.MkdirAll(l.options.Dir, 0o700); err != nil {
		return fmt.Errorf("make lab folder: %w", err)
	}
	_, err := os.Stat(l.IdentityFile())
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err = run(ctx, nil, []string{
		"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", User + "@" + l.options.Name, "-f", l.IdentityFile(),
	}, 0)
	return err
}

// authorizeScript lets the key on stdin, and no other, into the login $1 and prints the host's public keys. One script,
// since each docker exec takes a noticeable time.
const authorizeScript = `set -eu
install -d -m 700 -o "$1" -g "$1" "/home/$1/.ssh"
install -m 600 -o "$1" -g "$1" /dev/stdin "/home/$1/.ssh/authorized_keys"
cat /etc/ssh/ssh_host_*_key.pub`

// authorize opens User's login on the host to the lab's key and returns the host's public keys, a line each.
func (l *Lab) authorize(ctx context.Context, host Host) (string, error) {
	key, err := os.ReadFile(l.IdentityFile() + ".pub")
	if err != nil {
		return "", err
	}
	return l.ExecInput(ctx, host.Name, bytes.NewReader(key), "sh", "-c", authorizeScript, "sh", User)
}

// writeAccess writes hosts.json, and known_hosts with the keys, by host name, that were just read in hosts. Other
// hosts keep their lines; hosts that are gone lose theirs.
func (l *Lab) writeAccess(keys map[string]string) error {
	old, err := os.ReadFile(l.KnownHosts())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var known strings.Builder
	for _, host := range l.Hosts() {
		lines := linesOf(host.Address, string(old))
		if text, found := keys[host.Name]; found {
			if lines, err = knownHostsLines(host.Address, text); err != nil {
				return fmt.Errorf("read host keys of %s: %w", host.Name, err)
			}
		}
		known.WriteString(lines)
	}
	text, err := json.MarshalIndent(struct {
		Name  string `json:"name"`
		Hosts []Host `json:"hosts"`
	}{l.options.Name, l.Hosts()}, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(
		writeFile(l.KnownHosts(), []byte(known.String())),
		writeFile(l.hostsFile(), append(text, '\n')),
	)
}

// linesOf returns the lines of a known_hosts text that are about the address.
func linesOf(address netip.Addr, known string) string {
	var lines strings.Builder
	for line := range strings.Lines(known) {
		if strings.HasPrefix(line, address.String()+" ") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// knownHostsLines makes known_hosts lines of public keys, a line each, without their comments.
func knownHostsLines(address netip.Addr, publicKeys string) (string, error) {
	var lines strings.Builder
	for key := range strings.Lines(publicKeys) {
		fields := strings.Fields(key)
		if len(fields) < 2 {
			return "", fmt.Errorf("read public key: want a type and a key, have %d fields", len(fields))
		}
		lines.WriteString(address.String() + " " + fields[0] + " " + fields[1] + "\n")
	}
	if lines.Len() == 0 {
		return "", errors.New("read public keys: there is none")
	}
	return lines.String(), nil
}

// writeFile replaces a file in one step.
func writeFile(name string, data []byte) error {
	part := name + ".part"
	if err := os.WriteFile(part, data, 0o644); err != nil {
		return err
	}
	return os.Rename(part, name)
}

// removeFiles removes the lab's files, and their folder if nothing else is in it.
func (l *Lab) removeFiles() error {
	for _, name := range []string{l.IdentityFile(), l.IdentityFile() + ".pub", l.KnownHosts(), l.hostsFile()} {
		if err := removeFile(name); err != nil {
			return err
		}
	}
	left, err := os.ReadDir(l.options.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil || len(left) > 0:
		return err
	}
	return os.Remove(l.options.Dir)
}
