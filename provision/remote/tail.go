package remote

import (
	"slices"
	"strings"
)

// tailLines is how many lines of a failed command's output its error shows. Who wants all of them has the log.
const tailLines = 6

// Tail is what matters of standard error, or of standard output when the command said nothing there: the last lines, or those
// that tell of an error where that was said before; none of a command whose output is withheld.
func (e *ExitError) Tail() []string {
	if e.secret {
		return nil
	}
	for _, output := range [][]byte{e.Stderr, e.Stdout} {
		if lines := relevant(output); len(lines) > 0 {
			return lines
		}
	}
	return nil
}

// relevant are at most tailLines of the lines of an output.
func relevant(output []byte) []string {
	var lines []string
	for line := range strings.Lines(string(output)) {
		if line = strings.TrimRight(line, " \t\r\n"); line != "" && !isAdvice(line) {
			lines = append(lines, line)
		}
	}
	cut := max(0, len(lines)-tailLines)
	before, last := lines[:cut], lines[cut:]
	if slices.ContainsFunc(last, tellsError) {
		return last
	}
	// A program may go on for long after it has said what is wrong.
	errs := slices.DeleteFunc(slices.Clone(before), func(line string) bool { return !tellsError(line) })
	errs = errs[max(0, len(errs)-tailLines/2):]
	return slices.Concat(errs, last[min(len(errs), len(last)):])
}

// isAdvice says that a line is what kubeadm and systemctl tell everybody, whatever has failed.
func isAdvice(line string) bool {
	line = strings.TrimSpace(line)
	return slices.ContainsFunc([]string{
		"To see the stack trace of this error execute with --v=5 or higher",
		"[preflight] If you know what you are doing, you can make a check non-fatal with",
		"Unfortunately, an error has occurred",
		"If you are on a systemd-powered system, you can try to troubleshoot",
		"- 'systemctl status kubelet'", "- 'journalctl -xeu kubelet'",
		"See \"systemctl status", "See 'systemctl status",
	}, func(advice string) bool { return strings.HasPrefix(line, advice) })
}

// tellsError says that a line tells of an error in the way of kubeadm, apt, dnf, ctr and systemd.
func tellsError(line string) bool {
	line = strings.ToLower(strings.TrimSpace(line))
	return slices.ContainsFunc([]string{"error", "[error", "e: ", "fatal", "failed", "ctr: ", "panic: "}, func(word string) bool {
		return strings.HasPrefix(line, word)
	})
}
