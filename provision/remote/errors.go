package remote

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What reaching a host, Run and the file operations return wraps one of these where the reason is known; test with
// errors.Is.
var (
	// ErrUnreachable: nothing answered at the host's address.
	ErrUnreachable = errors.New("host is unreachable")
	// ErrHostKey: the host's key is not the one that is known, or none is known.
	ErrHostKey = errors.New("host key verification failed")
	// ErrAuth: the host refused every key, or there was no key to offer.
	ErrAuth = errors.New("login refused")
	// ErrSudo: the login user may not become root. The error is a *SudoError, which says why.
	ErrSudo = errors.New("sudo refused")
	// ErrShell: the login user's shell does not run what it is given, such as nologin.
	ErrShell = errors.New("login shell does not run commands")
	// ErrLost: the way to the host broke, or the host stopped answering.
	ErrLost = errors.New("connection lost")
	// ErrForwarding: the host does not let connections begin on it (AllowTcpForwarding, DisableForwarding or PermitOpen of sshd).
	ErrForwarding = errors.New("the host refuses to forward connections")
	// ErrHangs: the host let us in, and does not begin the command.
	ErrHangs = errors.New("host hangs at the login")
	// ErrSilent: the host is there, and nothing was heard of the command for its Silence.
	ErrSilent = errors.New("nothing was heard")
	// ErrFlood: more was heard than there may be.
	ErrFlood = errors.New("too much output")
	// ErrCut: a script did not arrive as it was sent. Nothing of it has run.
	ErrCut = errors.New("the script did not arrive whole")
)

// ConnectError is a host that was not reached.
type ConnectError struct {
	// Login is whom it was as and where: USER@HOST:PORT, with the alias where the host has one, and without a user where nobody
	// was to log in.
	Login string
	// Err is why, and wraps one of the errors above where the reason is known.
	Err error
}

// Error is "connect to LOGIN: why".
func (e *ConnectError) Error() string { return "connect to " + e.Login + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *ConnectError) Unwrap() error { return e.Err }

// UserError is an error that is about what a login user may do.
type UserError struct {
	User string
	Err  error
}

// Error is Err's, which names the user.
func (e *UserError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *UserError) Unwrap() error { return e.Err }

const (
	// stderrLines is how many of the last lines of what sudo or a login shell says an error shows, and of each as many bytes.
	stderrLines = 5
	lineShown   = 1 << 10
)

// ExitError is a command that ran on the host and failed.
type ExitError struct {
	// Host is the host's name.
	Host string
	// Command can be pasted into a shell on the host, if it is not long. A script is named by its size, not shown.
	Command string
	// Code is the exit code; when a signal ended the process, 128 or more.
	Code int
	// Signal is the name without SIG when a signal ended the process, else empty.
	Signal string
	// Stdout and Stderr are the whole output, as in Result; of a Secret command they may hold secrets.
	Stdout, Stderr []byte

	secret bool
}

// Withheld says that the output must not be shown, because it may hold secrets.
func (e *ExitError) Withheld() bool { return e.secret }

// Error is "exit N: what matters of standard error", without output when the command was Secret. The command itself is in
// the log: who ran it says what it was for, in fewer words.
func (e *ExitError) Error() string {
	text := e.Ended()
	if e.secret {
		return text + " (output withheld)"
	}
	if tail := relevant(e.Stderr); len(tail) > 0 {
		text += ": " + strings.Join(tail, "\n")
	}
	return text
}

// Ended is how the command ended: "exit N" or "killed by SIGNAME".
func (e *ExitError) Ended() string {
	if e.Signal != "" {
		return "killed by SIG" + e.Signal
	}
	return fmt.Sprintf("exit %d", e.Code)
}

// lastLines returns the last n non-blank lines of text, trimmed, long ones without their end.
func lastLines(text []byte, n int) string {
	var lines []string
	for len(lines) < n {
		text = bytes.TrimRight(text, " \t\r\n")
		if len(text) == 0 {
			break
		}
		begin := bytes.LastIndexByte(text, '\n') + 1
		line := text[begin:]
		text = text[:begin]
		if len(line) > lineShown {
			line = append(slices.Clip(line[:lineShown]), " …"...)
		}
		lines = append(lines, string(line))
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}
