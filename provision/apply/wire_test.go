package apply_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// wired is a command as it was put on the wire.
type wired struct {
	argv   []string
	script bool   // which comes on standard input, and argv are its arguments
	mark   string // what both outputs begin with once the command is there; then it waits for the word to begin
	root   bool
}

// unwire reads the line that a transport gets from a remote.Host whose user is not root.
func unwire(t *testing.T, line string) wired {
	t.Helper()
	outer := words(line)
	text := octal.ReplaceAllStringFunc(outer[len(outer)-1], func(escape string) string {
		code, err := strconv.ParseUint(escape[2:], 8, 8)
		if err != nil {
			t.Errorf("line %s: %v", line, err)
		}
		return string([]byte{byte(code)})
	})
	inner, root := strings.CutPrefix(text, "export LC_ALL=C; set -- ")
	if root {
		shell := words(inner[:strings.LastIndex(inner, "; command -v sudo ")])
		text = shell[len(shell)-1]
	}
	w := wired{mark: mark.FindString(text), root: root}
	_, command, _ := strings.Cut(text, `:/sbin:/bin"; `)
	if w.mark != "" {
		_, command, _ = strings.Cut(command, "exit 97; }; ")
	}
	if _, rest, script := strings.Cut(command, "esac; set "); script {
		w.script, command = true, strings.TrimSuffix(rest, `; eval "$fl_s"`)
	}
	w.argv = words(command)[1:] // "exec" or "--"
	return w
}

var (
	octal = regexp.MustCompile(`\\0[0-7]{3}`)
	mark  = regexp.MustCompile(`fairlead-start-[A-Z2-7]+`)
)

// words splits what remote.Quote has joined.
func words(text string) []string {
	var all []string
	var word strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'':
			quoted = !quoted
		case c == '\\' && !quoted:
			i++
			word.WriteByte(text[i])
		case c == ' ' && !quoted:
			all = append(all, word.String())
			word.Reset()
		default:
			word.WriteByte(c)
		}
	}
	return append(all, word.String())
}
