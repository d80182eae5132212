package convert

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// words splits a text as a shell does, without expanding anything: quotes, backslashes, and comments, which # begins anywhere
// outside of quotes, as in Python's shlex, which Ansible reads its lines with.
func words(text string) ([]string, error) {
	var all []string
	var word strings.Builder
	var quote rune
	inWord, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			if quote == '"' && c != '"' && c != '\\' {
				word.WriteRune('\\')
			}
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case c == '#':
			return appendWord(all, word.String(), inWord), nil
		case c == ' ' || c == '\t':
			all = appendWord(all, word.String(), inWord)
			word.Reset()
			inWord = false
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("a quote (%c) is not closed", quote)
	case escaped:
		return nil, errors.New("ends in a backslash")
	}
	return appendWord(all, word.String(), inWord), nil
}

func appendWord(all []string, word string, is bool) []string {
	if !is {
		return all
	}
	return append(all, word)
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
	if from == "" {
		from = "0"
	}
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
