package main

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// group is what one process runs on one lab.
type group struct {
	tests []string
	took  time.Duration // once, or 0 where nobody has measured it
	alone bool          // while no other lab is at work
}

// title names the group in a line.
func (g group) title() string {
	if len(g.tests) > 3 {
		return fmt.Sprintf("%s … %s (%d tests)", g.tests[0], g.tests[len(g.tests)-1], len(g.tests))
	}
	return strings.Join(g.tests, " ")
}

// within is how long the group may take when so much time is left for all: many times as long as it took, so that one that hangs
// leaves time for the others.
func (g group) within(left time.Duration) time.Duration {
	if g.took == 0 {
		return left
	}
	return min(left, 4*g.took+10*time.Minute)
}

// parseTable reads lines of "SECONDS [alone] TEST...".
func parseTable(text string) ([]group, error) {
	var table []group
	seen := map[string]bool{}
	scanner := bufio.NewScanner(strings.NewReader(text))
	for number := 1; scanner.Scan(); number++ {
		words := strings.Fields(scanner.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		seconds, err := strconv.Atoi(words[0])
		if err != nil || seconds <= 0 {
			return nil, fmt.Errorf("line %d: %q is no number of seconds", number, words[0])
		}
		g := group{took: time.Duration(seconds) * time.Second, tests: words[1:]}
		if len(g.tests) > 0 && g.tests[0] == "alone" {
			g.alone, g.tests = true, g.tests[1:]
		}
		if len(g.tests) == 0 {
			return nil, fmt.Errorf("line %d: no test", number)
		}
		for _, test := range g.tests {
			if seen[test] {
				return nil, fmt.Errorf("line %d: %s is named twice", number, test)
			}
			seen[test] = true
		}
		table = append(table, g)
	}
	return table, scanner.Err()
}

// share puts tests into groups, in the order in which the groups are to begin: first those that must be alone, then those that
// nobody has measured, then the longest ones.
func share(tests []string, table []group) []group {
	var groups []group
	left := slices.Clone(tests)
	for _, row := range table {
		named := func(test string) bool { return slices.Contains(row.tests, test) }
		g := row
		g.tests = slices.DeleteFunc(slices.Clone(left), func(test string) bool { return !named(test) })
		left = slices.DeleteFunc(left, named)
		if len(g.tests) > 0 {
			groups = append(groups, g)
		}
	}
	for _, test := range left {
		groups = append(groups, group{tests: []string{test}})
	}
	rank := func(g group) int {
		switch {
		case g.alone:
			return 0
		case g.took == 0:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		if by := rank(a) - rank(b); by != 0 {
			return by
		}
		return int((b.took - a.took) / time.Second)
	})
	return groups
}
