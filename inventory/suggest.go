package inventory

import (
	"fmt"
	"strings"
)

// unknownKey words the problem of a key that does not exist: with the nearest
// known one where one is close, else with all of them.
func unknownKey(key string, known []string) string {
	if near := nearest(key, known); near != "" {
		return fmt.Sprintf("unknown key; did you mean %s?", near)
	}
	return "unknown key; the keys here are " + strings.Join(known, ", ")
}

// nearest finds the only known word that starts with the given one, else the one that at most a third of its letters, and never more
// than three, separate from the given one; "" when there is none.
func nearest(word string, known []string) string {
	best, least := "", 4
	if len(word) > 64 {
		return ""
	}
	if starting := startingWith(word, known); len(starting) == 1 && len(word) > 3 {
		return starting[0]
	}
	for _, k := range known {
		distance := editDistance(strings.ToLower(word), strings.ToLower(k))
		if distance < least && distance*3 <= max(len(k), 3) {
			best, least = k, distance
		}
	}
	return best
}

func startingWith(word string, known []string) []string {
	var found []string
	for _, k := range known {
		if strings.HasPrefix(strings.ToLower(k), strings.ToLower(word)) {
			found = append(found, k)
		}
	}
	return found
}

// editDistance counts the insertions, deletions and replacements between a and b
// (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
