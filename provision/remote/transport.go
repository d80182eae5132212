package remote

import (
	"context"
	"fmt"
	"io"
	"net"
)

// Transport is a way to one machine. Starting a process is the one thing that it must be able to do for most of what a
// Host does: root's rights, files and the end of a cancelled command all stand on that. Its methods may be called from
// several goroutines.
//
// When the way is gone, everything that waits on it fails with an error that wraps ErrLost, and Wait returns.
type Transport interface {
	// Start starts one process. ctx bounds the start and not the process.
	Start(ctx context.Context, e Exec) (Process, error)
	// Dial opens a connection from the machine to an address. It need not support deadlines.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	// Wait waits until the way is gone, and says why.
	Wait() error
	// Close ends the way and waits until everything that it started on this side is over.
	Close() error
}

// Exec is a process to start.
type Exec struct {
	// Line is a simple command, in printable ASCII, that means the same to every shell a user may have.
	Line string
	// Stdout and Stderr get the output as it comes. One that fails gets no more, and the process need not be read from.
	Stdout, Stderr io.Writer
}

// Process is a started process.
type Process interface {
	// Stdin is the process's standard input; closing it is the end of the input.
	Stdin() io.WriteCloser
	// Wait waits until the process has ended and its output was written. The error is an *Exit when the process failed,
	// and another when it is not known how it ended. It may be called once.
	Wait() error
	// Close gives the process up: Wait returns soon, whatever becomes of the process. After Wait it does nothing.
	Close() error
}

// Exit is how a process ended that did not end with code 0.
type Exit struct {
	// Code is the exit code; when a signal ended the process, 128 or more.
	Code int
	// Signal is the name without SIG when a signal ended the process, else empty.
	Signal string
}

// Error names the signal or the code.
func (e *Exit) Error() string {
	if e.Signal != "" {
		return "killed by SIG" + e.Signal
	}
	return fmt.Sprintf("exit %d", e.Code)
}
