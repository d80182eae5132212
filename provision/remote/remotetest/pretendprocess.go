package remotetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"fairlead/provision/remote"
)

// pretendProcess is a command of a machine that is not there. It begins when its input has ended, so that it sees all of that.
type pretendProcess struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	input  *io.PipeReader
	stdin  *io.PipeWriter
	ended  chan struct{} // closed when err is set
	err    error
}

func newPretendProcess(ctx context.Context) *pretendProcess {
	p := &pretendProcess{ended: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	p.input, p.stdin = io.Pipe()
	return p
}

// run does what the command does. What ended the process counts more than what it says.
func (p *pretendProcess) run(call Call, mark string, e remote.Exec, do func(context.Context, Call) Reply) {
	defer close(p.ended)
	defer p.input.Close() // so that nobody goes on writing
	var input string
	var err error
	if !call.startsSFTP() {
		var all []byte
		all, err = io.ReadAll(p.input)
		var begins bool
		if input, begins = strings.CutPrefix(string(all), "begin\n"); !begins && err == nil {
			err = errors.New("it was not told to begin")
			p.err = &remote.Exit{Code: 97}
		}
	}
	if err == nil {
		if call.Script == "-" {
			call.Script, _ = strings.CutSuffix(input, "\n#"+mark+"\n")
		} else {
			call.Input = input
		}
		reply := do(p.ctx, call)
		if reply.Code != 0 {
			p.err = &remote.Exit{Code: reply.Code}
		}
		if p.ctx.Err() == nil {
			say(e.Stdout, reply.Stdout)
			say(e.Stderr, reply.Stderr)
			Flood(e.Stdout, reply.Flood)
		}
	}
	if cause := context.Cause(p.ctx); cause != nil {
		p.err = cause
	}
}

// say writes a text, and nothing for none: that would wait for a reader, too.
func say(to io.Writer, text string) {
	if text != "" {
		_, _ = io.WriteString(to, text)
	}
}

// Flood says so many bytes, unless nobody takes them.
func Flood(to io.Writer, n int64) {
	chunk := bytes.Repeat([]byte("fact\tthat\tis\tnone\n"), 1<<10)
	for said := int64(0); said < n; said += int64(len(chunk)) {
		if _, err := to.Write(chunk); err != nil {
			return
		}
	}
}

// startsSFTP says that it is remote's search for an sftp-server. It does not read what is written to it.
func (c Call) startsSFTP() bool {
	return len(c.Argv) > 4 && strings.HasSuffix(c.Argv[4], "/sftp-server")
}

// endsGroup says that it is remote's way to end the process group in its argument.
func (c Call) endsGroup() bool {
	return len(c.Argv) > 4 && c.Argv[1] == "-c" && strings.Contains(c.Argv[2], "kill -s TERM")
}

// stop ends the process for a reason.
func (p *pretendProcess) stop(cause error) {
	p.cancel(cause)
	_ = p.input.CloseWithError(cause)
}

// Stdin implements remote.Process.
func (p *pretendProcess) Stdin() io.WriteCloser { return p.stdin }

// Wait implements remote.Process.
func (p *pretendProcess) Wait() error {
	<-p.ended
	return p.err
}

// Close implements remote.Process.
func (p *pretendProcess) Close() error {
	select {
	case <-p.ended:
	default:
		p.stop(errors.New("given up"))
	}
	p.cancel(nil)
	return nil
}

// decodeLine reads what remote asks a transport to start: the command, and the word that says that it is there, if it waits to be
// told to begin. The Script of a command that is one is "-" until its input has come.
func decodeLine(line string) (call Call, mark string, err error) {
	const root, sudo = "export LC_ALL=C; set -- /bin/sh -c ", "; command -v sudo "
	text := strings.TrimSuffix(strings.TrimPrefix(line, `/bin/sh -c 'eval "$(printf %b "$1")"' sh '`), "'")
	if text, err = unescape(text); err != nil {
		return call, "", err
	}
	if quoted, is := strings.CutPrefix(text, root); is {
		call.Root, text = true, unquote(quoted[:max(0, strings.LastIndex(quoted, sudo))])[0]
	}
	_, command, found := strings.Cut(text, `:/sbin:/bin"; `)
	if _, rest, waits := strings.Cut(command, "echo \"\n"); waits {
		mark, _, _ = strings.Cut(rest, " $fl_g")
		_, command, found = strings.Cut(rest, "exit 97; }; ")
	}
	if !found {
		return call, "", fmt.Errorf("no command in %q", line)
	}
	if _, rest, script := strings.Cut(command, "exit 97 ;; esac; set "); script {
		call.Script, command = "-", strings.TrimSuffix(rest, `; eval "$fl_s"`)
	}
	call.Argv = unquote(command)[1:] // "exec" or "--"
	return call, mark, nil
}

// unescape turns the octal escapes of printf %b back into bytes.
func unescape(text string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, `\0`)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		if len(after) < 3 {
			return "", fmt.Errorf("cut-off escape at the end of %q", text)
		}
		c, err := strconv.ParseUint(after[:3], 8, 8)
		if err != nil {
			return "", err
		}
		b.WriteByte(byte(c))
		text = after[3:]
	}
}

// unquote splits a line into words as a shell does that knows single quotes and backslashes alone: remote.Quote needs no more.
func unquote(line string) []string {
	var words []string
	var word []byte
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\'':
			quoted = !quoted
		case c == '\\' && !quoted:
			i++
			word = append(word, line[i])
		case c == ' ' && !quoted:
			words, word = append(words, string(word)), nil
		default:
			word = append(word, c)
		}
	}
	return append(words, string(word))
}
