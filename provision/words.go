package provision

import "fmt"

// counted is a number with what it counts: "1 step", "3 steps".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
