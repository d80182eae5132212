package main

import "strings"

// topLevel returns the part of a pattern of "go test -run" that chooses tests: of "TestA/Sub|TestB" it is "TestA|TestB". As package
// testing does, it cuts at "|" and "/" outside of brackets.
func topLevel(pattern string) string {
	var chosen strings.Builder
	var inside brackets
	below := false
	for _, c := range pattern {
		if !inside.any() && (c == '|' || c == '/') {
			below = c == '/'
		}
		inside.read(c)
		if !below {
			chosen.WriteRune(c)
		}
	}
	return chosen.String()
}

// brackets are those that are open at a place of a regular expression.
type brackets struct {
	class, parens int
	escaped       bool // by a backslash just before
}

// any says whether the next character stands inside of something.
func (b *brackets) any() bool { return b.escaped || b.class > 0 || b.parens > 0 }

func (b *brackets) read(c rune) {
	if b.escaped {
		b.escaped = false
		return
	}
	switch {
	case c == '\\':
		b.escaped = true
	case c == '[':
		b.class++
	case c == ']':
		b.class = max(0, b.class-1)
	case c == '(' && b.class == 0:
		b.parens++
	case c == ')' && b.class == 0:
		b.parens--
	}
}
