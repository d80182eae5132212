package main

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable is text for a terminal, whoever it comes from. Hosts, registries and API servers say what they like, and a terminal
// does what control characters tell it (titles, the clipboard, wiping out lines, writing backwards): they are shown as Go
// writes them, \x1b for one. Line breaks and tabs stay.
func printable(text string) string {
	if strings.IndexFunc(text, harmful) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[i]), 16))
		case harmful(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// harmful are control characters, format characters, which are not seen (Unicode's Cf: directions of writing, joiners, marks of
// width zero), and separators of lines that other programs do not count as such.
func harmful(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}
