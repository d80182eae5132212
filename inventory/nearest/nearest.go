// Package nearest guesses which word somebody meant who wrote one that does not exist: a key of
// the inventory, a field of kubeadm's documents, a command. It never guesses wildly: no suggestion
// is better than a wrong one.
package nearest

import "strings"

const (
	longest     = 64 // letters: what is longer is no misspelt word, and would take long to compare
	fewest      = 2  // letters of a beginning that says enough
	mostLetters = 3  // that are wrong
)

// Word returns the only candidate that starts with word; else the first of those that the fewest
// letters part from it, at most a third of the candidate's and never more than three; else "".
// Upper and lower case are the same.
func Word(word string, candidates []string) string {
	if word == "" || len(word) > longest {
		return ""
	}
	word = strings.ToLower(word)
	if starting := startingWith(word, candidates); len(starting) == 1 && len(word) >= fewest {
		return starting[0]
	}
	best, least := "", mostLetters+1
	for _, candidate := range candidates {
		d := distance(word, strings.ToLower(candidate))
		if d < least && d <= max(1, (len(candidate)+1)/3) {
			best, least = candidate, d
		}
	}
	return best
}

func startingWith(word string, candidates []string) []string {
	var found []string
	for _, candidate := range candidates {
		if strings.HasPrefix(strings.ToLower(candidate), word) {
			found = append(found, candidate)
		}
	}
	return found
}

// distance counts the insertions, deletions and replacements of bytes between a and b
// (Levenshtein). row holds the distances of a's beginning from all beginnings of b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
