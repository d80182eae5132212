package main

import (
	"strconv"
	"strings"
)

// shownHosts is how many hosts, or ranges of them, a heading names. Of more it names the first three, and all stand in a line
// below.
const shownHosts = 5

// headed names hosts of a cluster in a heading, and in a list where not all fit into that.
func headed(hosts []string, cluster int) (heading, list string) {
	names := make([]string, len(hosts))
	for i, host := range hosts {
		names[i] = place(host)
	}
	ranges := inRanges(names)
	switch {
	case len(names) > shownHosts && len(names) == cluster:
		return "all " + count(cluster, "host"), ""
	case len(ranges) <= shownHosts:
		return strings.Join(ranges, ", "), ""
	}
	return strings.Join(names[:3], ", ") + " and " + strconv.Itoa(len(names)-3) + " more", strings.Join(ranges, ", ")
}

// leastRange is how many names a range stands for at least.
const leastRange = 4

// inRanges writes names that count upwards, as w1, w2, w3, w4, as a range: w1–w4.
func inRanges(names []string) []string {
	var all []string
	for begin := 0; begin < len(names); {
		end := begin + 1
		for end < len(names) && follows(names[end-1], names[end]) {
			end++
		}
		if end-begin < leastRange {
			all = append(all, names[begin:end]...)
		} else {
			all = append(all, names[begin]+"–"+names[end-1])
		}
		begin = end
	}
	return all
}

// follows says that two names differ in the number at their end alone, and that of the second is the next one.
func follows(one, next string) bool {
	stem := strings.TrimRight(one, "0123456789")
	number, err := strconv.ParseUint(one[len(stem):], 10, 32)
	rest, same := strings.CutPrefix(next, stem)
	if err != nil || !same {
		return false
	}
	width := 0 // of numbers that zeros make equally long
	if strings.HasPrefix(one[len(stem):], "0") {
		width = len(one) - len(stem)
	}
	text := strconv.FormatUint(number+1, 10)
	return rest == strings.Repeat("0", max(0, width-len(text)))+text
}
