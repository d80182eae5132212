package apply_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"fairlead/provision/remote"
	"fairlead/templates"
)

// machine is a way to a host that exists only in the test. It notes what is started there, keeps the
// files that are written, and answers scripts as the test has said; any other command is a mistake.
type machine struct {
	t    *testing.T
	note func(entry string) // takes "read PATH", "write PATH MODE" and "SCRIPT ARGUMENT…"
	dial func(address string) (net.Conn, error)

	mu       sync.Mutex
	files    map[string]file
	broken   map[string]string // complaints of what fails, by "read PATH" and "write PATH"
	answers  map[templates.Script]answer
	commands []string // what a list of the host's processes would have shown
	running  map[*process]bool
	closed   chan struct{}
	lost     chan error // why the way to it broke
}

// file is a file of root's on a machine.
type file struct {
	mode    string // octal
	content []byte
}

// answer is how a script ends.
type answer struct {
	stdout, stderr string
	code           int
	// do is called once the script has its input, which is empty for one that gets no data.
	do func(args []string, input []byte)
	// deaf has the script read no data, hangs has it run until it is ended from outside.
	deaf, hangs bool
}

func newMachine(t *testing.T, note func(string)) *machine {
	m := &machine{
		t: t, note: note, files: map[string]file{}, broken: map[string]string{}, answers: map[templates.Script]answer{},
		running: map[*process]bool{}, closed: make(chan struct{}), lost: make(chan error, 1),
	}
	m.answer(answer{hangs: true}, templates.ScriptWatchKubelet)
	m.answer(answer{stdout: "kubelet.service is active\n"}, templates.ScriptLastWords)
	m.answer(answer{do: func(args []string, _ []byte) { m.remove(args) }}, templates.ScriptRemoveFiles)
	return m
}

// answer says how scripts end; the zero answer is well and without a word.
func (m *machine) answer(a answer, names ...templates.Script) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range names {
		m.answers[name] = a
	}
}

// put makes a file, as if it had been there before.
func (m *machine) put(path, mode, content string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[path] = file{mode, []byte(content)}
}

func (m *machine) remove(paths []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.files, func(path string, _ file) bool { return slices.Contains(paths, path) })
}

// fails has reading or writing a file fail: what is "read PATH" or "write PATH".
func (m *machine) fails(what, complaint string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken[what] = complaint
}

// file is the file at a path as "MODE CONTENT", or "absent".
func (m *machine) file(path string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, exists := m.files[path]
	if !exists {
		return "absent"
	}
	return f.mode + " " + string(f.content)
}

// Dial implements remote.Transport.
func (m *machine) Dial(_ context.Context, _, address string) (net.Conn, error) {
	m.note("dial " + address)
	if m.dial == nil {
		return nil, errors.New("connection refused")
	}
	return m.dial(address)
}

// Wait implements remote.Transport.
func (m *machine) Wait() error {
	select {
	case err := <-m.lost:
		m.killAll()
		return err
	case <-m.closed:
		return net.ErrClosed
	}
}

// Close implements remote.Transport.
func (m *machine) Close() error {
	m.killAll()
	close(m.closed)
	return nil
}

func (m *machine) killAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for p := range m.running {
		p.kill()
	}
}

// Start implements remote.Transport.
func (m *machine) Start(_ context.Context, e remote.Exec) (remote.Process, error) {
	w := unwire(m.t, e.Line)
	p := newProcess()
	m.mu.Lock()
	m.commands = append(m.commands, strings.Join(w.argv, " "))
	m.running[p] = true
	m.mu.Unlock()
	if !w.root {
		m.t.Errorf("not as root: %q", w.argv)
	}
	go func() {
		if w.mark != "" {
			fmt.Fprintln(e.Stdout, w.mark, 42)
			fmt.Fprintln(e.Stderr, w.mark, 42)
			if word := make([]byte, len("begin\n")); !begins(p, word) {
				m.t.Errorf("the command begins with %q", word)
			}
		}
		code := m.run(p, w, e.Stdout, e.Stderr)
		m.mu.Lock()
		delete(m.running, p)
		m.mu.Unlock()
		p.end(code)
	}()
	return p, nil
}

// begins waits until a process is told to begin, or is given up.
func begins(p *process, word []byte) bool {
	_, err := io.ReadFull(p.input, word)
	return err != nil || string(word) == "begin\n"
}

// run is what a process does until its end.
func (m *machine) run(p *process, w wired, stdout, stderr io.Writer) int {
	argv := w.argv
	switch {
	case w.script:
		text, err := io.ReadAll(p.input)
		if err != nil {
			return killed
		}
		script, _ := strings.CutSuffix(string(text), "\n#"+w.mark+"\n")
		return m.script(p, script, argv, nil, stdout, stderr)
	case len(argv) < 2 || argv[0] != "/bin/sh":
	case slices.ContainsFunc(argv, func(arg string) bool { return strings.HasSuffix(arg, "/sftp-server") }):
		return 127 // there is none: files go by scripts
	case strings.Contains(argv[2], "kill -s TERM"):
		m.killAll()
		return 0
	case argv[3] == "sh":
		return m.script(p, argv[2], argv[4:], p.input, stdout, stderr)
	default:
		return m.fileScript(argv[3], argv[4:], p.input, stdout, stderr)
	}
	m.t.Errorf("unexpected command %q", argv)
	return 126
}

// script is a script of fairlead's. input is nil when the script itself came on standard input.
func (m *machine) script(p *process, text string, args []string, input io.Reader, stdout, stderr io.Writer) int {
	name := nameOf(text)
	m.note(strings.Join(append([]string{string(name)}, args...), " "))
	m.mu.Lock()
	a, expected := m.answers[name]
	m.mu.Unlock()
	if !expected {
		m.t.Errorf("unexpected script %q with arguments %q", name, args)
		return 126
	}
	var data []byte
	if input != nil && !a.deaf {
		var err error
		if data, err = io.ReadAll(input); err != nil {
			return killed
		}
	}
	if a.do != nil {
		a.do(args, data)
	}
	if a.hangs {
		<-p.killed
		return killed
	}
	io.WriteString(stdout, a.stdout)
	io.WriteString(stderr, a.stderr)
	return a.code
}

// nameOf is the name of the script that has the text.
func nameOf(text string) templates.Script {
	for _, name := range []templates.Script{
		templates.ScriptRecord, templates.ScriptKubeadm, templates.ScriptLoadModules, templates.ScriptStopUnit, templates.ScriptRestartUnit,
		templates.ScriptRemoveFiles, templates.ScriptInstallLayers, templates.ScriptImportImages, templates.ScriptListBlobs,
		templates.ScriptWatchKubelet, templates.ScriptLastWords, templates.ScriptRecoverEtcd,
	} {
		if name.Text() == text {
			return name
		}
	}
	return ""
}
