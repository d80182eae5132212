package apply_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"sync"

	"fairlead/provision/remote"
)

// killed is the exit code of a process that was ended from outside.
const killed = 128 + 15

// process is a process on a machine.
type process struct {
	input  *io.PipeReader
	stdin  *io.PipeWriter
	once   sync.Once
	killed chan struct{}
	code   chan int
}

func newProcess() *process {
	p := &process{killed: make(chan struct{}), code: make(chan int, 1)}
	p.input, p.stdin = io.Pipe()
	return p
}

// kill ends what the process does.
func (p *process) kill() {
	p.once.Do(func() { close(p.killed) })
	p.input.CloseWithError(io.ErrUnexpectedEOF)
}

// end says how the process has ended.
func (p *process) end(code int) {
	p.input.Close()
	p.code <- code
}

// Stdin implements remote.Process.
func (p *process) Stdin() io.WriteCloser { return p.stdin }

// Wait implements remote.Process.
func (p *process) Wait() error {
	switch code := <-p.code; code {
	case 0:
		return nil
	case killed:
		return &remote.Exit{Code: code, Signal: "TERM"}
	default:
		return &remote.Exit{Code: code}
	}
}

// Close implements remote.Process.
func (p *process) Close() error {
	p.kill()
	return nil
}

// fileScript is one of the scripts by which package remote reads and writes files.
func (m *machine) fileScript(name string, args []string, input io.Reader, stdout, stderr io.Writer) int {
	path := args[0]
	verb := map[string]string{"read-file": "read", "write-file": "write", "stat-file": "stat"}[name]
	if verb != "stat" {
		entry := verb + " " + path
		if verb == "write" {
			entry += " " + args[1]
		}
		m.note(entry)
	}
	content, err := io.ReadAll(input)
	if err != nil {
		return killed
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if complaint := m.broken[verb+" "+path]; complaint != "" {
		fmt.Fprintf(stderr, "%s: %s\n", path, complaint)
		return 1
	}
	f, exists := m.files[path]
	switch {
	case verb == "write":
		if args[2] != "0:0" || args[3] != strconv.Itoa(len(content)) {
			m.t.Errorf("%s is written with arguments %q and %d bytes", path, args, len(content))
		}
		m.files[path] = file{mode: args[1], content: content}
	case !exists:
		fmt.Fprintf(stderr, "stat: cannot statx '%s': No such file or directory\n", path)
		return 1
	case verb == "read":
		stdout.Write(f.content)
	case verb == "stat":
		sum := sha256.Sum256(f.content)
		fmt.Fprintf(stdout, "%s 0 0 %d regular file\n%s  -\n", f.mode, len(f.content), hex.EncodeToString(sum[:]))
	default:
		m.t.Errorf("unexpected file script %q", name)
	}
	return 0
}
