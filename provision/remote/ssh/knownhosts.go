package ssh

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the format of hashed host names fixes HMAC-SHA1
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	xssh "golang.org/x/crypto/ssh"
)

// The markers that may begin a line of known_hosts, see "SSH_KNOWN_HOSTS FILE FORMAT" in sshd(8).
const (
	markRevoked   = "@revoked"
	markAuthority = "@cert-authority"
)

// blanks separate the fields of a line; nothing else does.
const blanks = " \t"

// knownLine is one entry of a known_hosts file.
type knownLine struct {
	file   string
	line   int
	marker string
	names  namePatterns
	key    xssh.PublicKey // a certificate where the line holds one; nil when unreadable is set
	// unreadable is why a line that revokes a key cannot be read. The key could be any, so no host that the line may be
	// about is accepted. OpenSSH passes over such a line, and so goes on to accept what somebody meant to revoke.
	unreadable error
}

// parseKnownLine reads one line, without its newline, as hostkeys_foreach_file in OpenSSH's hostfile.c does. ok is false
// for blank lines and comments. A line that cannot be read is an error, unless it is about a revocation.
func parseKnownLine(text string) (k knownLine, ok bool, err error) {
	text, _, _ = strings.Cut(text, "\x00") // where a string ends in C
	rest := strings.TrimLeft(text, blanks)
	if rest == "" || rest[0] == '#' {
		return knownLine{}, false, nil
	}
	if k, err = parseEntry(rest); err == nil {
		return k, true, nil
	}
	if errors.Is(err, errForeignKey) || !speaksOfRevocation(rest) {
		return knownLine{}, false, err
	}
	if k.marker != markRevoked || k.names == nil {
		k.names = patterns{"*"} // whom it is about cannot be told
	}
	return knownLine{marker: markRevoked, names: k.names, unreadable: err}, true, nil
}

var errShortLine = errors.New("want: hosts, key type, key")

// parseEntry reads marker, hosts and key. With an error it returns what it has read until there.
func parseEntry(rest string) (k knownLine, err error) {
	if k.marker, rest, err = cutMarker(rest); err != nil {
		return knownLine{}, err
	}
	hosts, rest := cutField(rest)
	if hosts == "" {
		return k, errShortLine
	}
	if k.names, err = parseNames(hosts); err != nil {
		return k, err
	}
	label, rest := cutField(rest)
	encoded, _ := cutField(rest)
	if encoded == "" {
		return k, errShortLine
	}
	k.key, err = parseKey(label, encoded)
	return k, err
}

// cutField splits off the first field and the blanks after it.
func cutField(text string) (field, rest string) {
	end := strings.IndexAny(text, blanks)
	if end < 0 {
		return text, ""
	}
	return text[:end], strings.TrimLeft(text[end:], blanks)
}

// cutMarker splits off the marker, if there is one. Where the line has a space anywhere, a space has to follow the
// marker, and no second marker may follow: check_markers in hostfile.c.
func cutMarker(text string) (marker, rest string, err error) {
	if text[0] != '@' {
		return "", text, nil
	}
	end := strings.IndexByte(text, ' ')
	if end < 0 {
		end = strings.IndexByte(text, '\t')
	}
	if end < 0 {
		return "", "", errors.New("nothing follows the marker")
	}
	marker, rest = text[:end], strings.TrimLeft(text[end:], blanks)
	if marker != markRevoked && marker != markAuthority {
		return "", "", fmt.Errorf("unknown marker %.40q", marker)
	}
	if strings.HasPrefix(rest, "@") {
		return "", "", errors.New("more than one marker")
	}
	return marker, rest, nil
}

// speaksOfRevocation tells a line that was meant to revoke a key, however badly it is written: the marker stands, in any
// case and with whatever else in its word, where the marker, the hosts or the key's type should be.
func speaksOfRevocation(rest string) bool {
	for range 3 {
		var field string
		field, rest = cutField(rest)
		if strings.Contains(asciiLower(field), markRevoked) {
			return true
		}
	}
	return false
}

// errForeignKey is a key of a type that fairlead does not know. No host can show such a key to fairlead, nor a
// certificate that one has signed, so that even its revocation may be passed over.
var errForeignKey = errors.New("a key type that is not known here")

// parseKey reads the key's type and its base64, as sshkey_read in OpenSSH's sshkey.c does.
func parseKey(label, encoded string) (xssh.PublicKey, error) {
	blob, err := decodeBase64(encoded)
	if err != nil {
		return nil, fmt.Errorf("key is not base64: %w", err)
	}
	key, err := xssh.ParsePublicKey(blob)
	if err != nil {
		var inside struct {
			Type string
			Rest []byte `ssh:"rest"`
		}
		if xssh.Unmarshal(blob, &inside) == nil && inside.Type == label && !knownType(label) {
			return nil, fmt.Errorf("%w: %.60q", errForeignKey, label)
		}
		return nil, fmt.Errorf("read key: %w", err)
	}
	if key.Type() != typeOfLabel(label) {
		return nil, fmt.Errorf("line says %.60q but the key is %q", label, key.Type())
	}
	return key, nil
}

// knownType tells the types of keys and certificates that x/crypto reads.
func knownType(name string) bool {
	switch strings.TrimSuffix(strings.TrimSuffix(name, "@openssh.com"), "-cert-v01") {
	case xssh.KeyAlgoRSA, "ssh-dss", xssh.KeyAlgoED25519, xssh.KeyAlgoECDSA256, xssh.KeyAlgoECDSA384,
		xssh.KeyAlgoECDSA521, "sk-ssh-ed25519", "sk-ecdsa-sha2-nistp256":
		return true
	}
	return false
}

// typeOfLabel is the type of key that a label in front of it stands for. The names of signature algorithms are labels,
// too: the tables of sshkey.c hold them as names of the same type.
func typeOfLabel(label string) string {
	switch label {
	case xssh.KeyAlgoRSASHA256, xssh.KeyAlgoRSASHA512:
		return xssh.KeyAlgoRSA
	case xssh.CertAlgoRSASHA256v01, xssh.CertAlgoRSASHA512v01:
		return xssh.CertAlgoRSAv01
	case "webauthn-sk-ecdsa-sha2-nistp256@openssh.com":
		return xssh.KeyAlgoSKECDSA256
	}
	return label
}

// decodeBase64 reads base64 as b64_pton does: white space within does not count, such as the carriage return of a file
// with DOS line ends, and padding and unused bits have to be right.
func decodeBase64(text string) ([]byte, error) {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune("\r\n\v\f", r) {
			return -1
		}
		return r
	}, text)
	return base64.StdEncoding.Strict().DecodeString(text)
}

// namePatterns is the hosts field of a line.
type namePatterns interface {
	// match tells whether the line is about a host, named as knownNames names it.
	match(name string) bool
}

// hashedName is a name as "|1|salt|hash".
type hashedName struct {
	field string
	salt  []byte
}

// patterns are names and patterns in lower case.
type patterns []string

// parseNames reads the hosts field: one hashed name, or patterns separated by commas.
func parseNames(field string) (namePatterns, error) {
	if !strings.HasPrefix(field, "|") {
		return patterns(strings.Split(asciiLower(field), ",")), nil
	}
	// extract_salt in hostfile.c. What stands behind the salt is not looked at until it is compared.
	text, ok := strings.CutPrefix(field, "|1|")
	encoded, _, end := strings.Cut(text, "|")
	if !ok || !end {
		return nil, errors.New("hashed host name is not of the form |1|salt|hash")
	}
	salt, err := decodeBase64(encoded)
	if err != nil {
		return nil, fmt.Errorf("salt of the hashed host name: %w", err)
	}
	if len(salt) != sha1.Size {
		return nil, fmt.Errorf("salt of the hashed host name has %d bytes, not %d", len(salt), sha1.Size)
	}
	return hashedName{field, salt}, nil
}

func (h hashedName) match(name string) bool {
	mac := hmac.New(sha1.New, h.salt)
	mac.Write([]byte(name))
	encode := base64.StdEncoding.EncodeToString
	return h.field == "|1|"+encode(h.salt)+"|"+encode(mac.Sum(nil))
}

// maxPattern is the length from which on a pattern makes the whole list match nothing: match_pattern_list in OpenSSH's
// match.c has room for no more.
const maxPattern = 1023

func (p patterns) match(name string) bool {
	found := false
	for _, pattern := range p {
		pattern, negated := strings.CutPrefix(pattern, "!")
		if len(pattern) >= maxPattern {
			return false
		}
		if !wildcard(pattern, name) {
			continue
		}
		if negated {
			return false
		}
		found = true
	}
	return found
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

// asciiLower lowers the letters A to Z alone. Other alphabets hold letters that are lowered to one of these.
func asciiLower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
