package pki

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
)

// The lengths of a bootstrap token's two parts, in characters.
const (
	tokenIDLen     = 6
	tokenSecretLen = 16
)

const tokenAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// ErrToken says that a text is no bootstrap token. The text is not part of the error.
var ErrToken = errors.New("not of the form [a-z0-9]{6}.[a-z0-9]{16}")

// tokenPattern is BootstrapTokenPattern of k8s.io/cluster-bootstrap/token/api.
var tokenPattern = regexp.MustCompile(`\A([a-z0-9]{6})\.([a-z0-9]{16})\z`)

// Token is a bootstrap token. Its ID is public (it names the Secret and the signature in
// cluster-info), its Secret is not: every way of printing a Token masks it, and only Value
// gives it away.
type Token struct {
	ID, Secret string
}

// NewToken makes a token from a source of random bytes, crypto/rand.Reader outside of tests.
// Every token is equally likely.
func NewToken(rand io.Reader) (Token, error) {
	chars, err := randomChars(rand, tokenIDLen+tokenSecretLen)
	if err != nil {
		return Token{}, fmt.Errorf("make bootstrap token: %w", err)
	}
	return Token{ID: chars[:tokenIDLen], Secret: chars[tokenIDLen:]}, nil
}

// ParseToken reads "id.secret". Anything else, white space around it included, is ErrToken.
func ParseToken(s string) (Token, error) {
	m := tokenPattern.FindStringSubmatch(s)
	if m == nil {
		return Token{}, fmt.Errorf("parse bootstrap token: %w", ErrToken)
	}
	return Token{ID: m[1], Secret: m[2]}, nil
}

// Value returns the whole token, "id.secret", as kubeadm takes it.
func (t Token) Value() string { return t.ID + "." + t.Secret }

// String returns the token with its secret masked, "abcdef.****************".
func (t Token) String() string { return t.ID + "." + strings.Repeat("*", tokenSecretLen) }

// Format writes the masked token for every verb, those that would print the fields included.
func (t Token) Format(f fmt.State, _ rune) {
	// fmt.State reports no errors of its own: the writer behind it gets the whole text later.
	_, _ = io.WriteString(f, t.String())
}

// LogValue masks the token in structured logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText masks the token in JSON and other encodings: a token is never stored.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// randomChars draws n characters of tokenAlphabet. Bytes beyond the largest multiple of the
// alphabet's length are thrown away, so that no character is more likely than another.
func randomChars(rand io.Reader, n int) (string, error) {
	const limit = 256 - 256%len(tokenAlphabet)
	chars := make([]byte, 0, n)
	buf := make([]byte, n)
	for len(chars) < n {
		if _, err := io.ReadFull(rand, buf[:n-len(chars)]); err != nil {
			return "", err
		}
		for _, b := range buf[:n-len(chars)] {
			if int(b) < limit {
				chars = append(chars, tokenAlphabet[int(b)%len(tokenAlphabet)])
			}
		}
	}
	return string(chars), nil
}
