//go:build cluster

package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// agentTime is how long an agent of the laptop may take to start.
const agentTime = 30 * time.Second

// openTerminal makes a pseudo-terminal: what is typed is written to keyboard, from which is read what is shown as well.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var number, locked int32
	for request, argument := range map[uintptr]unsafe.Pointer{syscall.TIOCGPTN: unsafe.Pointer(&number), syscall.TIOCSPTLCK: unsafe.Pointer(&locked)} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, keyboard.Fd(), request, uintptr(argument)); errno != 0 {
			t.Fatal(errno)
		}
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	return keyboard, terminal
}

// onTerminal runs fairlead on a terminal, types an answer once it has asked, and returns all that was on the screen.
func (s *site) onTerminal(question, typed string, args ...string) (screen string, code int) {
	s.t.Helper()
	screen, code = s.converse(s.command(args...), map[string]string{question: typed})
	s.t.Logf("fairlead %s on a terminal: exit %d", strings.Join(args, " "), code)
	return screen, code
}

// converse runs a command on a terminal, types the answer to each question each time that it is asked, and returns all that was on the screen.
func (s *site) converse(cmd *exec.Cmd, answers map[string]string) (screen string, code int) {
	s.t.Helper()
	keyboard, terminal := openTerminal(s.t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := errors.Join(cmd.Start(), terminal.Close()); err != nil {
		s.t.Fatal(err)
	}
	var shown bytes.Buffer
	buffer := make([]byte, 4096)
	for answered := 0; ; {
		n, err := keyboard.Read(buffer)
		if err != nil { // nobody has the terminal open any more
			break
		}
		shown.Write(buffer[:n])
		for question, typed := range answers {
			if !strings.Contains(shown.String()[answered:], question) {
				continue
			}
			answered = shown.Len()
			if _, err := io.WriteString(keyboard, typed); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return shown.String(), cmd.ProcessState.ExitCode()
}
