package convert

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// words splits a text as a shell does, without expanding anything: quotes, backslashes, and comments, which # begins anywhere
// outside of quotes, as in Python's shlex, which Ansible reads its lines with.
func words(text string) ([]string, error) {
	var s splitter
	for _, c := range text {
		if s.take(c) {
			return s.all, nil
		}
	}
	switch {
	case s.quote != 0:
		return nil, fmt.Errorf("a quote (%c) is not closed", s.quote)
	case s.escaped:
		return nil, errors.New("ends in a backslash")
	}
	s.end()
	return s.all, nil
}

// splitter has the words so far, and what the next character is part of.
type splitter struct {
	all     []string
	word    strings.Builder
	quote   rune // 0 outside of quotes
	inWord  bool // a word has begun, perhaps an empty one
	escaped bool
}

// take takes a character. It answers whether a comment begins with it.
func (s *splitter) take(c rune) bool {
	switch {
	case s.escaped:
		if s.quote == '"' && c != '"' && c != '\\' {
			s.word.WriteRune('\\')
		}
		s.add(c)
		s.escaped = false
	case c == '\\' && s.quote != '\'':
		s.escaped, s.inWord = true, true
	case s.quote != 0 && c == s.quote:
		s.quote = 0
	case s.quote != 0:
		s.add(c)
	default:
		return s.plain(c)
	}
	return false
}

// plain takes a character outside of quotes.
func (s *splitter) plain(c rune) bool {
	switch c {
	case '\'', '"':
		s.quote, s.inWord = c, true
	case '#':
		s.end()
		return true
	case ' ', '\t':
		s.end()
	default:
		s.add(c)
	}
	return false
}

func (s *splitter) add(c rune) {
	s.word.WriteRune(c)
	s.inWord = true
}

func (s *splitter) end() {
	if s.inWord {
		s.all = append(s.all, s.word.String())
	}
	s.word.Reset()
	s.inWord = false
}

// maxHosts bounds how many hosts a file may name, ranges expanded.
const maxHosts = 10_000

// aRange is what stands for several names.
const aRange = `\[([0-9]*|[a-zA-Z]):([0-9]+|[a-zA-Z])(?::([0-9]+))?\]`

func hasRange(pattern string) bool { return regexp.MustCompile(aRange).MatchString(pattern) }

// expand gives the names that a pattern with ranges stands for: node[1:3], node[01:20:2], db-[a:f]; both ends belong to it.
func expand(pattern string) ([]string, error) {
	m := regexp.MustCompile(aRange).FindStringSubmatchIndex(pattern)
	if m == nil {
		return []string{pattern}, nil
	}
	before, after := pattern[:m[0]], pattern[m[1]:]
	step := ""
	if m[6] >= 0 {
		step = pattern[m[6]:m[7]]
	}
	middle, err := span(pattern[m[2]:m[3]], pattern[m[4]:m[5]], step)
	if err != nil {
		return nil, fmt.Errorf("the range in %q %w", clip(pattern), err)
	}
	rest, err := expand(after)
	if err != nil {
		return nil, err
	}
	if len(middle)*len(rest) > maxHosts {
		return nil, fmt.Errorf("%q stands for more than %d hosts", clip(pattern), maxHosts)
	}
	var all []string
	for _, part := range middle {
		for _, end := range rest {
			all = append(all, before+part+end)
		}
	}
	return all, nil
}

// span counts from one end to the other. Numbers keep the width that the first is written in.
func span(from, to, by string) ([]string, error) {
	step := 1
	if by != "" {
		var err error
		if step, err = strconv.Atoi(by); err != nil || step < 1 {
			return nil, errors.New("has a step that is not 1 or more")
		}
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if from != "" && strings.Contains(letters, from) && strings.Contains(letters, to) {
		return pick(strings.Split(letters, ""), strings.Index(letters, from), strings.Index(letters, to), step)
	}
	return count(cmp.Or(from, "0"), to, step)
}

// count is span for numbers.
func count(from, to string, step int) ([]string, error) {
	first, err := strconv.Atoi(from)
	last, errLast := strconv.Atoi(to)
	switch {
	case err != nil || errLast != nil:
		return nil, errors.New("has a letter at one end and a number at the other, or a number that is too large")
	case last < first:
		return nil, errors.New("ends before it begins")
	case (last-first)/step >= maxHosts:
		return nil, fmt.Errorf("stands for more than %d hosts", maxHosts)
	}
	width := 0
	if len(from) > 1 && from[0] == '0' {
		width = len(from)
	}
	var all []string
	for n := first; n <= last; n += step {
		all = append(all, fmt.Sprintf("%0*d", width, n))
	}
	return all, nil
}

func pick(all []string, first, last, step int) ([]string, error) {
	if last < first {
		return nil, errors.New("ends before it begins")
	}
	var some []string
	for i := first; i <= last; i += step {
		some = append(some, all[i])
	}
	return some, nil
}
