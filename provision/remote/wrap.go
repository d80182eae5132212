package remote

import (
	"errors"
	"fmt"
	"strings"
)

// errCommand is a Command that cannot be sent as it is.
var errCommand = errors.New("command cannot be sent")

// surroundings are what every command gets. Options that a start-up file has exported for all shells (SHELLOPTS) are none of its,
// and directories of administration tools are appended to PATH because an ordinary user's lacks them.
const surroundings = `set +euvx; export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; `

// hearable sends an output that a start-up file has sent elsewhere (exec >/dev/null) to the other one.
const hearable = `[ -p /proc/$$/fd/1 ] || [ -S /proc/$$/fd/1 ] || [ -t 1 ] || exec >&2; ` +
	`[ -p /proc/$$/fd/2 ] || [ -S /proc/$$/fd/2 ] || [ -t 2 ] || exec 2>&1; `

// announce runs on the host right before the command, already as root when the command is to run as root. It prints the gate's
// mark on both outputs, as a line of its own whatever was printed before, with the number of its process group, and waits for the
// word to go on. It reads the group from /proc as ps is not everywhere.
const announce = hearable +
	`read -r fl_x fl_x fl_x fl_x fl_g fl_x </proc/$$/stat; ` +
	"echo \"\n%[1]s $fl_g\"; echo \"\n%[1]s $fl_g\" >&2; " +
	`read -r fl_x && [ "$fl_x" = ` + beginWord + ` ] || { echo "%[1]s cut" >&2; exit %[2]d; }; `

// takeScript reads a script to its end and runs it, if the end is the line that only a whole one has. Until then nothing of
// it has run. The script is the shell's own from then on, and what it does sees an input that has ended.
const takeScript = `fl_s=$(cat); case $fl_s in *"` + "\n" + `#%[1]s") ;; *) echo "%[1]s cut" >&2; exit %[2]d ;; esac; `

const (
	// beginWord is the line of input that a command waits for.
	beginWord = "begin"
	// cutCode is the exit code of a command whose input did not arrive as it should.
	cutCode = 97
)

// wireLine renders what the transport is asked to start for argv, to be begun when the gate opens. With script set, argv are the
// parameters of a script, which follows on standard input.
func (h *Host) wireLine(argv []string, root, script bool, g *gate) string {
	text := wireText(argv, script, g)
	if root && len(h.sudo) > 0 {
		text = h.asRoot([]string{"/bin/sh", "-c", text}, g)
	}
	return loginLine(text)
}

// wireText is what the host's /bin/sh does.
func wireText(argv []string, script bool, g *gate) string {
	text := surroundings + fmt.Sprintf(announce, g.mark, cutCode)
	if script {
		return text + fmt.Sprintf(takeScript, g.mark, cutCode) + Quote(append([]string{"set", "--"}, argv...)) + `; eval "$fl_s"`
	}
	return text + "exec " + Quote(argv)
}

// head is what is sent before a command's Stdin: the word to begin and, unless that is an argument, its script with the line
// that proves that all of it arrived.
func (c Command) head(g *gate) string {
	if !c.scriptOverStdin() {
		return beginWord + "\n"
	}
	return beginWord + "\n" + c.Script + "\n#" + g.mark + "\n"
}

// sudoArgs is a copy of the words by which a person would turn a command into a command as root; empty for root.
func (h *Host) sudoArgs() []string {
	return append([]string(nil), h.sudo...)
}

// argv is the argument list that Command stands for, or the parameters of its script when that travels on standard input.
func (c Command) argv() ([]string, error) {
	for _, arg := range append([]string{c.Script}, c.Argv...) {
		if strings.IndexByte(arg, 0) >= 0 {
			return nil, fmt.Errorf("%w: an argument or the script holds a NUL byte", errCommand)
		}
	}
	switch {
	case c.Script == "" && len(c.Argv) == 0:
		return nil, fmt.Errorf("%w: neither Argv nor Script is set", errCommand)
	case c.Script == "", c.scriptOverStdin():
		return c.Argv, nil
	}
	return append([]string{"/bin/sh", "-c", c.Script, "sh"}, c.Argv...), nil
}

// scriptOverStdin says that the command is a script that travels on standard input.
func (c Command) scriptOverStdin() bool { return c.Script != "" && c.Stdin == nil }

// overStdin is how a person would run a script that travels on standard input.
func (c Command) overStdin() []string {
	if len(c.Argv) == 0 {
		return []string{"/bin/sh", "-s"}
	}
	return append([]string{"/bin/sh", "-s", "--"}, c.Argv...)
}

// shownBytes is about how much of a command's arguments is shown. Scripts can get thousands.
const shownBytes = 400

// shown is the command as a person would paste it on the host, a long one only in part.
func (h *Host) shown(c Command, argv []string) string {
	if c.Script != "" {
		argv = c.overStdin()
	}
	if c.Root {
		argv = append(h.sudoArgs(), argv...)
	}
	size, n := 0, 0
	for n < len(argv) && size <= shownBytes {
		size += len(argv[n]) + 1
		n++
	}
	text := Quote(argv[:n])
	if left := len(argv) - n; left > 0 {
		text += fmt.Sprintf(" … (and %d arguments more)", left)
	}
	if c.Script != "" {
		text += fmt.Sprintf(" # script of %d bytes", len(c.Script))
	}
	return text
}
