package remote

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
)

// errCommand is a Command that cannot be sent as it is.
var errCommand = errors.New("command cannot be sent")

// prelude runs on the host right before the command, already as root when the command is to run as root. It says on
// both outputs that the command starts, with the number of its process group, and everything before that line is the
// talk of login shells and sudo. It reads the group from /proc as ps is not everywhere. Directories of administration
// tools are appended to PATH because an ordinary user's lacks them.
const prelude = `export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; ` +
	`read -r fl_x fl_x fl_x fl_x fl_g fl_x </proc/$$/stat; ` +
	`echo "%[1]s $fl_g"; echo "%[1]s $fl_g" >&2; exec `

// newMark returns the word that tells the start of a command from whatever was printed before.
func newMark() string {
	return "fairlead-start-" + rand.Text()
}

// wireLine renders what the transport is asked to start for argv.
func (h *Host) wireLine(argv []string, root bool, mark string) string {
	text := fmt.Sprintf(prelude, mark) + Quote(argv)
	if root && len(h.sudo) > 0 {
		text = "export LC_ALL=C; exec " + Quote(append(h.sudoArgs(), "/bin/sh", "-c", text))
	}
	return loginLine(text)
}

// sudoArgs is a copy of the words that turn a command into a command as root; empty for root.
func (h *Host) sudoArgs() []string {
	return append([]string(nil), h.sudo...)
}

// argv is the argument list that Command stands for.
func (c Command) argv() ([]string, error) {
	for _, arg := range c.Argv {
		if strings.IndexByte(arg, 0) >= 0 {
			return nil, fmt.Errorf("%w: an argument holds a NUL byte", errCommand)
		}
	}
	switch {
	case c.Script == "" && len(c.Argv) == 0:
		return nil, fmt.Errorf("%w: neither Argv nor Script is set", errCommand)
	case c.Script == "":
		return c.Argv, nil
	case c.Stdin != nil:
		return append([]string{"/bin/sh", "-c", c.Script, "sh"}, c.Argv...), nil
	}
	return c.overStdin(), nil
}

// overStdin is the argument list of a script that travels on standard input.
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
