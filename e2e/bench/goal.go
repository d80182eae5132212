package bench

import (
	"fmt"
	"math"
	"strings"
)

// goal is a figure with a limit.
type goal struct {
	what   string
	is     float64 // not a number if it could not be measured, which misses the goal
	atMost float64 // 0: the figure is shown for comparison only
	format string  // of both
}

// How goals are written.
const (
	twoDigits = "%7.2f   %7.2f"
	oneDigit  = "%7.1f   %7.0f"
)

func (g goal) met() bool { return g.atMost == 0 || g.is <= g.atMost }

// missed names the goals that are not met.
func missed(goals []goal) []string {
	var names []string
	for _, g := range goals {
		if !g.met() {
			names = append(names, strings.TrimSpace(g.what))
		}
	}
	return names
}

// table lists goals for people.
func table(goals []goal) string {
	width := len("up on prepared hosts / bare") + 5
	for _, g := range goals {
		width = max(width, len(g.what))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%-*s %7s   %7s\n", width, "goal", "is", "at most")
	for _, g := range goals {
		verdict, figures := "missed", fmt.Sprintf(g.format, g.is, g.atMost)
		switch {
		case g.atMost == 0:
			verdict, figures = "", figures[:7]
		case math.IsNaN(g.is):
			figures = fmt.Sprintf("%7s%s", "-", figures[7:])
		case g.met():
			verdict = "met"
		}
		text.WriteString(strings.TrimRight(fmt.Sprintf("%-*s %s   %s", width, g.what, figures, verdict), " ") + "\n")
	}
	return text.String()
}
