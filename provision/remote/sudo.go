package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// How a process becomes root's. Whether the host has sudo or doas is found where the command begins, by the same process.
//
// The password is told to nobody but sudo, and only when sudo says that it reads it: its prompt is a line with a word that
// nobody could have printed before. So a login shell that reads its input gets nothing, and where sudo asks for none (NOPASSWD,
// one that was given a moment ago) none is sent that could be taken for the command's input. Nothing else is sent before the
// command's own mark: what sudo reads beyond its line is nothing.
//
// A second prompt says that the password was not taken. Each answer, and the end of input as well, is one more failure to
// modules such as pam_faillock. So sudo, which as long as it asks can still be killed by whoever started it, is killed.
const (
	// orDoas has doas be in the place of sudo on a host that has doas alone. It is asked for no password: it reads one from a
	// terminal only.
	orDoas = `command -v sudo >/dev/null 2>&1 || ! command -v doas >/dev/null 2>&1 || exec doas -n -- "$@"; `
	// notAsking has sudo fail where it would ask.
	notAsking = `exec sudo -n -- "$@"`
	// asking has sudo ask by a line of its own, with the number of its process, on an output that is heard.
	asking = hearable + `exec sudo -S -p "` + "\n" + `%[1]s $$` + "\n" + `" -- "$@"`
)

// SudoReason is why sudo or doas did not make root's process.
type SudoReason string

// The reasons that are told apart, by what the programs say in the locale C.
const (
	SudoAsks     SudoReason = "asks"     // for a password, and there is none
	SudoWrong    SudoReason = "wrong"    // the password was not taken
	SudoUntried  SudoReason = "untried"  // it asks for a password that another host has refused
	SudoTerminal SudoReason = "terminal" // it wants to be run from a terminal
	SudoRules    SudoReason = "rules"    // its rules do not let the user
	SudoMissing  SudoReason = "missing"  // there is neither sudo nor doas
	DoasAsks     SudoReason = "doas"     // doas asks for a password, which it reads from a terminal alone
	SudoOther    SudoReason = "other"    // see what it said
)

// SudoError is a command that root's rights were refused. It wraps ErrSudo.
type SudoError struct {
	Reason SudoReason
	// User is whom the rights were refused.
	User string
	// By is the host that has refused the password, of SudoUntried.
	By string
	// Said is what the program said.
	Said string
}

// Error says what is wrong in a few words; what to do depends on who runs fairlead.
func (e *SudoError) Error() string {
	switch e.Reason {
	case SudoAsks:
		return fmt.Sprintf("%v: it asks %s for a password", ErrSudo, e.User)
	case SudoWrong:
		return fmt.Sprintf("%v: it does not take the password of %s", ErrSudo, e.User)
	case SudoUntried:
		return fmt.Sprintf("%v: it asks %s for a password, and the one that there is was refused by %s", ErrSudo, e.User, e.By)
	case SudoTerminal:
		return fmt.Sprintf("%v for %s: it wants a terminal (requiretty)", ErrSudo, e.User)
	case SudoMissing:
		return fmt.Sprintf("%v for %s: there is neither sudo nor doas", ErrSudo, e.User)
	case DoasAsks:
		return fmt.Sprintf("%v: doas, which is there in its place, asks %s for a password, and reads that from a terminal alone", ErrSudo, e.User)
	}
	return fmt.Sprintf("%v for %s: %s", ErrSudo, e.User, e.Said)
}

// Unwrap is ErrSudo.
func (e *SudoError) Unwrap() error { return ErrSudo }

// sudoSays is what the programs say, and what it means. The first one that fits counts; sudo is Todd Miller's or sudo-rs.
func sudoSays() []struct {
	words  string
	reason SudoReason
} {
	return []struct {
		words  string
		reason SudoReason
	}{
		{"sudo: sorry, you must have a tty to run sudo", SudoTerminal},
		{"incorrect password attempt", SudoWrong},
		{"incorrect authentication attempt", SudoWrong},
		{" is not in the sudoers file", SudoRules},
		{" is not allowed to ", SudoRules},
		{" may not run sudo on ", SudoRules},
		{"I'm afraid I can't do that", SudoRules},
		{"doas: Operation not permitted", SudoRules},
		{"doas: doas is not enabled", SudoRules},
		{"doas: Authentication required", DoasAsks},
		{"doas: Authorization required", DoasAsks},
		{"doas: a tty is required", DoasAsks},
		{"sudo: a password is required", SudoAsks},
		{"sudo: interactive authentication is required", SudoAsks},
		{"sudo: not found", SudoMissing},
		{"sudo: inaccessible or not found", SudoMissing},
		{"sudo: command not found", SudoMissing},
	}
}

// useSudo says how the user becomes root.
func (h *Host) useSudo(p *Password) {
	h.password, h.sudo = p, []string{"sudo", "-n", "--"}
	if p != nil {
		h.sudo = []string{"sudo", "--"}
	}
}

// sudoError reads why root's rights were refused.
func (h *Host) sudoError(said string) *SudoError {
	e := &SudoError{Reason: SudoOther, User: h.user, Said: said}
	for _, row := range sudoSays() {
		if strings.Contains(said, row.words) {
			e.Reason = row.reason
			break
		}
	}
	return e
}

// refused is why a command as root need not be tried: the host has refused the password before.
func (h *Host) refused(root bool) error {
	if !root || len(h.sudo) == 0 || h.password == nil {
		return nil
	}
	here, _ := h.password.refusedBy(h.name)
	return here
}

// asRoot is text for a shell that runs a command as root.
func (h *Host) asRoot(argv []string, g *gate) string {
	text := "export LC_ALL=C; set -- " + Quote(argv) + "; " + orDoas
	if h.password == nil {
		return text + notAsking
	}
	if here, anywhere := h.password.refusedBy(h.name); here != nil || anywhere != nil {
		return text + notAsking
	}
	return "set +euvxa; " + text + fmt.Sprintf(asking, g.prompt)
}

// answer tells sudo the password, the first time that it asks. The number is its process's.
func (h *Host) answer(ctx context.Context, x *execution, process string) {
	if x.attempt != nil {
		x.refusal = &SudoError{Reason: SudoWrong, User: h.user}
		x.attempt.refused(x.refusal, h.notTried())
		h.endSudo(ctx, x, process)
		return
	}
	x.late.Stop() // others' time is not this host's
	x.attempt, x.refusal = h.password.take(ctx, h.name)
	x.late.Reset(x.within)
	if x.refusal != nil {
		h.endSudo(ctx, x, process)
		return
	}
	_, _ = io.WriteString(x.process.Stdin(), h.password.text+"\n") // a sudo that has ended is noticed by Wait
}

// notTried is the error of other hosts that ask for a password that this one has refused.
func (h *Host) notTried() error {
	return &SudoError{Reason: SudoUntried, User: h.user, By: h.name}
}

// settle writes down what came of the password when the process has ended, or was given up.
func (h *Host) settle(x *execution, err error) {
	if x.attempt == nil {
		return
	}
	var why *SudoError
	switch {
	case x.gate.isOpen():
		x.attempt.passed()
	case !errors.As(err, &why):
		x.attempt.end() // nothing is known
	case why.Reason == SudoWrong:
		x.attempt.refused(why, h.notTried())
	default: // it would be the same the next time, and with a reason that is not known it may be the password
		x.attempt.refused(why, nil)
	}
}

// notStarted explains a process that ended before the command began: the output is sudo's or the login shell's.
func (h *Host) notStarted(root bool, x *execution) error {
	said := cmp.Or(x.said(), "it says nothing")
	switch {
	case x.refusal != nil:
		return x.refusal
	case !root || len(h.sudo) == 0:
		return &UserError{User: h.user, Err: fmt.Errorf("%w for %s: %s", ErrShell, h.user, said)}
	}
	err := h.sudoError(said)
	if err.Reason == SudoAsks && h.password != nil {
		if _, anywhere := h.password.refusedBy(h.name); anywhere != nil {
			return anywhere
		}
	}
	return err
}
