package main

import (
	"unicode"

	"fairlead/provision/facts"
)

// printable is text for a terminal, whoever it comes from. Hosts, registries and API servers say what they like, and a terminal
// does what control characters tell it (titles, the clipboard, wiping out lines, writing backwards): they are shown as Go
// writes them, \x1b for one. Line breaks and tabs stay.
func printable(text string) string { return facts.Escaped(text, harmful) }

// harmful are control characters, format characters, which are not seen (Unicode's Cf: directions of writing, joiners, marks of
// width zero), and separators of lines that other programs do not count as such.
func harmful(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}
