package remote

import (
	"fmt"
	"strings"
)

// Quote renders an argument list for a POSIX shell. Words of harmless characters stay bare, everything else is put in
// single quotes byte by byte, so that any bytes but NUL come out as they went in.
func Quote(argv []string) string {
	words := make([]string, len(argv))
	for i, arg := range argv {
		words[i] = quoteWord(arg, i == 0)
	}
	return strings.Join(words, " ")
}

// quoteWord quotes one word. The first word of a command must not look like an assignment.
func quoteWord(word string, first bool) string {
	bare := word != ""
	for i := 0; bare && i < len(word); i++ {
		bare = harmless(word[i]) || (word[i] == '=' && !first)
	}
	if bare {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// harmless tells bytes that no shell treats specially anywhere in a word.
func harmless(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte("_@%+:,./-", c) >= 0
}

// loginLine renders shell text as a command line that means the same to every login shell. sshd hands the line to the
// user's shell, and those differ inside single quotes: csh expands ! and refuses a newline, fish drops some
// backslashes. So only printable ASCII without ' \ ! goes on the line as it is; every other byte becomes an octal
// escape, which printf turns back in the /bin/sh that all of them start alike.
func loginLine(text string) string {
	var b strings.Builder
	b.WriteString(`/bin/sh -c 'eval "$(printf %b "$1")"' sh '`)
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c > '~' || c == '\'' || c == '\\' || c == '!' {
			fmt.Fprintf(&b, `\0%03o`, c)
			continue
		}
		b.WriteByte(c)
	}
	b.WriteByte('\'')
	return b.String()
}
