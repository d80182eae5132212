package pki

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
)

const secret = "0123456789abcdef"

func TestNewToken(t *testing.T) {
	counts := map[rune]int{}
	const tokens = 5000
	for range tokens {
		token, err := NewToken(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if parsed, err := ParseToken(token.Value()); err != nil || parsed != token {
			t.Fatalf("%s does not parse: %v", token.Value(), err)
		}
		for _, c := range token.ID + token.Secret {
			counts[c]++
		}
	}
	// With a modulo of 256 by 36 the first four characters would come 14 % more often than
	// the others. The expected count is 3056 with a standard deviation of 54.
	expected := float64(tokens*22) / 36
	for c, n := range counts {
		if ratio := float64(n) / expected; ratio < 0.9 || ratio > 1.1 {
			t.Errorf("character %q comes %d times, want about %.0f", c, n, expected)
		}
	}
	if len(counts) != 36 {
		t.Errorf("%d different characters, want 36", len(counts))
	}
}

func TestNewTokenThrowsBiasedBytesAway(t *testing.T) {
	// 252 to 255 would fold onto a to d: all of them are drawn anew.
	source := io.MultiReader(bytes.NewReader(bytes.Repeat([]byte{252, 253, 254, 255}, 11)), bytes.NewReader(bytes.Repeat([]byte{35}, 22)))
	token, err := NewToken(source)
	if err != nil || token.Value() != "999999.9999999999999999" {
		t.Errorf("NewToken = %s, %v", token.Value(), err)
	}
	if _, err := NewToken(strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short source: %v", err)
	}
}

func TestParseToken(t *testing.T) {
	if got, err := ParseToken("abcdef." + secret); err != nil || got != (Token{"abcdef", secret}) {
		t.Errorf("ParseToken = %s, %v", got.Value(), err)
	}
	for _, s := range []string{
		"", ".", "abcdef", "abcdef." + secret[1:], "abcde." + secret, "ABCDEF." + secret,
		"abcdef." + secret + "0", " abcdef." + secret, "abcdef." + secret + "\n", "abcdef:" + secret, "äbcdef." + secret,
	} {
		_, err := ParseToken(s)
		if !errors.Is(err, ErrToken) {
			t.Errorf("ParseToken(%q) = %v, want ErrToken", s, err)
		} else if strings.Contains(err.Error(), secret[1:]) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

func TestTokenIsMasked(t *testing.T) {
	token := Token{"abcdef", secret}
	const masked = "abcdef.****************"
	if token.String() != masked {
		t.Errorf("String = %q", token.String())
	}
	holder := struct{ T Token }{token}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "token", token, "holder", holder)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "token", &token, "holder", holder)
	asJSON, err := json.Marshal(map[string]any{"t": token, "p": &token})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{log.String(), string(asJSON), fmt.Errorf("use %v: %w", token, io.EOF).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T%[1]v"} {
		texts = append(texts, fmt.Sprintf(verb, token), fmt.Sprintf(verb, &token), fmt.Sprintf(verb, holder))
	}
	for _, text := range texts {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("secret shown: %s", text)
		}
		if !strings.Contains(text, masked) {
			t.Errorf("no masked token in %s", text)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("abcdef." + secret)
	f.Add("abcdef.")
	f.Add("ABCDEF." + secret)
	f.Add("abcdef." + secret + "\n")
	f.Fuzz(func(t *testing.T, s string) {
		token, err := ParseToken(s)
		if err != nil {
			if !errors.Is(err, ErrToken) || token != (Token{}) {
				t.Errorf("ParseToken(%q) = %v, %v", s, token, err)
			}
			return
		}
		if token.Value() != s || len(token.ID) != 6 || len(token.Secret) != 16 {
			t.Errorf("ParseToken(%q) = %q", s, token.Value())
		}
		if strings.Trim(s, tokenAlphabet+".") != "" || strings.Contains(token.String(), token.Secret) {
			t.Errorf("%q was taken, or is shown as %s", s, token)
		}
	})
}
