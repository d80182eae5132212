package ssh

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the format of hashed host names fixes HMAC-SHA1
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	xssh "golang.org/x/crypto/ssh"
)

// The markers that may begin a line of known_hosts, see "SSH_KNOWN_HOSTS FILE FORMAT" in sshd(8).
const (
	markRevoked   = "@revoked"
	markAuthority = "@cert-authority"
)

// maxKnownLine bounds a line of known_hosts; an RSA key of 16384 bits takes 3 KiB.
const maxKnownLine = 64 << 10

// knownLine is one entry of a known_hosts file.
type knownLine struct {
	file   string
	line   int
	marker string
	hosts  []string // patterns in lower case, or one hashed name
	key    xssh.PublicKey
}

func scanKnownHosts(r io.Reader, name string, log *slog.Logger) ([]knownLine, error) {
	var lines []knownLine
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxKnownLine)
	for n := 1; scan.Scan(); n++ {
		k, ok, err := parseKnownLine(scan.Text())
		if err != nil {
			log.Warn("known_hosts line ignored", "file", name, "line", n, "error", err,
				"mend", fmt.Sprintf("correct or delete line %d of %s", n, name))
			continue
		}
		if ok {
			k.file, k.line = name, n
			lines = append(lines, k)
		}
	}
	return lines, scan.Err()
}

// parseKnownLine reads one line; ok is false for blank lines and comments.
func parseKnownLine(text string) (k knownLine, ok bool, err error) {
	fields := strings.Fields(text)
	if len(fields) == 0 || fields[0][0] == '#' {
		return knownLine{}, false, nil
	}
	if fields[0][0] == '@' {
		k.marker = fields[0]
		if k.marker != markRevoked && k.marker != markAuthority {
			return knownLine{}, false, fmt.Errorf("unknown marker %q", k.marker)
		}
		fields = fields[1:]
	}
	if len(fields) < 3 {
		return knownLine{}, false, errors.New("want: hosts, key type, key")
	}
	if k.hosts, err = parsePatterns(fields[0]); err != nil {
		return knownLine{}, false, err
	}
	blob, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil {
		return knownLine{}, false, fmt.Errorf("key is not base64: %w", err)
	}
	if k.key, err = xssh.ParsePublicKey(blob); err != nil {
		return knownLine{}, false, fmt.Errorf("read key: %w", err)
	}
	if k.key.Type() != fields[1] {
		return knownLine{}, false, fmt.Errorf("line says %q but the key is %q", fields[1], k.key.Type())
	}
	return k, true, nil
}

// parsePatterns splits the hosts field: one hashed name "|1|salt|hash", or patterns separated by commas.
func parsePatterns(field string) ([]string, error) {
	if !strings.HasPrefix(field, "|") {
		return strings.Split(strings.ToLower(field), ","), nil
	}
	if _, _, err := splitHashed(field); err != nil {
		return nil, err
	}
	return []string{field}, nil
}

// splitHashed returns salt and hash of "|1|salt|hash".
func splitHashed(field string) (salt, hash []byte, err error) {
	parts := strings.Split(field, "|")
	if len(parts) != 4 || parts[0] != "" || parts[1] != "1" {
		return nil, nil, errors.New("hashed host name is not of the form |1|salt|hash")
	}
	if salt, err = base64.StdEncoding.DecodeString(parts[2]); err != nil {
		return nil, nil, fmt.Errorf("salt of the hashed host name: %w", err)
	}
	if hash, err = base64.StdEncoding.DecodeString(parts[3]); err != nil {
		return nil, nil, fmt.Errorf("hashed host name: %w", err)
	}
	return salt, hash, nil
}

// matches tells whether the line is about the host, named as knownName names it.
func (k knownLine) matches(name string) bool {
	found := false
	for _, pattern := range k.hosts {
		negated := strings.HasPrefix(pattern, "!")
		if !matchPattern(strings.TrimPrefix(pattern, "!"), name) {
			continue
		}
		if negated {
			return false
		}
		found = true
	}
	return found
}

func matchPattern(pattern, name string) bool {
	if !strings.HasPrefix(pattern, "|") {
		return wildcard(pattern, name)
	}
	salt, hash, err := splitHashed(pattern)
	if err != nil {
		return false
	}
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(name))
	return hmac.Equal(mac.Sum(nil), hash)
}

// wildcard matches a pattern in which * is any run of characters and ? is any one. It keeps the last * to return to,
// so that its time is bounded by the product of the lengths.
func wildcard(pattern, name string) bool {
	p, n, star, from := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// knownName is how known_hosts names a host: the bare name on port 22, else [name]:port.
func knownName(address string, port int) string {
	address = strings.ToLower(address)
	if port == defaultPort {
		return address
	}
	return "[" + address + "]:" + strconv.Itoa(port)
}

// defaultKnownHosts are the files that ssh itself reads.
func defaultKnownHosts() []string {
	files := []string{"/etc/ssh/ssh_known_hosts"}
	if home, err := os.UserHomeDir(); err == nil {
		files = append([]string{filepath.Join(home, ".ssh", "known_hosts")}, files...)
	}
	return files
}

// expandHome replaces a leading ~/ by the home directory.
func expandHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find home directory for %s: %w", path, err)
	}
	return filepath.Join(home, rest), nil
}
