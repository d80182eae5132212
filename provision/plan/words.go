package plan

import (
	"fmt"
)

// Counted is a number with what it counts: "1 step", "3 steps".
func Counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
