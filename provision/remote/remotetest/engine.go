package remotetest

import (
	_ "embed" // the script is part of the tests
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

//go:embed engine.sh
var engineScript string

// Engine stands in for a container engine: a client on a PATH of its own, that is strict about what it is asked, and whose containers
// are this machine.
type Engine struct {
	// Path is the PATH on which the client is found.
	Path string

	t   testing.TB
	dir string
}

// NewEngine makes an engine, whose contexts are named by a flag; the one that there is has the name lab. Commands in containers look
// for programs on path; empty means as the test does.
func NewEngine(t testing.TB, name, contextFlag, path string) *Engine {
	t.Helper()
	e := &Engine{t: t, dir: t.TempDir(), Path: t.TempDir()}
	if err := os.Mkdir(filepath.Join(e.dir, "containers"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("@DIR@", e.dir, "@PATH@", "'"+path+"'", "@CONTEXT@", contextFlag).Replace(engineScript)
	if err := os.WriteFile(filepath.Join(e.Path, name), []byte(text), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	t.Cleanup(func() {
		files, err := filepath.Glob(filepath.Join(e.dir, "containers", "*", "processes"))
		if err != nil {
			t.Error(err)
		}
		for _, file := range files {
			signalAll(t, file, syscall.SIGKILL)
		}
	})
	return e
}

// Run makes a container that runs, in the place of one of that name, with labels and addresses.
func (e *Engine) Run(name, id string, labels map[string]string, addresses ...string) {
	e.t.Helper()
	networks := map[string]any{}
	for i, address := range addresses {
		networks["net"+strconv.Itoa(i)] = map[string]string{"IPAddress": address}
	}
	inspect, err := json.Marshal(map[string]any{
		"Id": id, "Name": "/" + name,
		"State":           map[string]any{"Status": "@STATUS@", "Running": true, "Pid": 1, "StartedAt": id},
		"Config":          map[string]any{"Labels": labels},
		"NetworkSettings": map[string]any{"Networks": networks},
	})
	if err != nil {
		e.t.Fatal(err)
	}
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		lines = append(lines, key+"="+labels[key]+"\n")
	}
	e.write(name, "inspect", string(inspect))
	e.write(name, "labels", strings.Join(lines, ""))
	e.write(name, "id", id+"\n")
	e.write(name, "status", "running\n")
}

// Stop stops a container: its processes are killed.
func (e *Engine) Stop(name string) {
	e.t.Helper()
	e.write(name, "status", "exited\n")
	e.edit(name, `"Running":true`, `"Running":false`)
	e.Signal(name, syscall.SIGKILL)
}

// Restart stops a container and starts it again.
func (e *Engine) Restart(name string) {
	e.t.Helper()
	e.edit(name, `"Pid":1`, `"Pid":2`)
	e.Signal(name, syscall.SIGKILL)
}

// Pause has the engine say that a container is paused.
func (e *Engine) Pause(name string) {
	e.t.Helper()
	e.write(name, "status", "paused\n")
}

// Remove removes a container, and with an ID makes another one of that name.
func (e *Engine) Remove(name, id string) {
	e.t.Helper()
	gone := filepath.Join(e.t.TempDir(), name)
	if err := os.Rename(filepath.Join(e.dir, "containers", name), gone); err != nil {
		e.t.Fatal(err)
	}
	if id != "" {
		e.Run(name, id, nil)
	}
	signalAll(e.t, filepath.Join(gone, "processes"), syscall.SIGKILL)
}

// Signal sends a signal to all processes of a container.
func (e *Engine) Signal(name string, s syscall.Signal) int {
	e.t.Helper()
	return signalAll(e.t, filepath.Join(e.dir, "containers", name, "processes"), s)
}

// Hang has the client not come to an end.
func (e *Engine) Hang() { WriteText(e.t, filepath.Join(e.dir, "hangs"), "") }

// Break has the client fail, with what it says.
func (e *Engine) Break(says string) { WriteText(e.t, filepath.Join(e.dir, "broken"), says+"\n") }

// Calls are the first nine words of the command lines that the client was given.
func (e *Engine) Calls() []string {
	text, err := os.ReadFile(filepath.Join(e.dir, "calls"))
	if err != nil {
		return nil
	}
	var calls []string
	for line := range strings.Lines(string(text)) {
		calls = append(calls, strings.TrimSpace(line))
	}
	return calls
}

// signalAll sends a signal to the processes that a file names by their numbers and the times at which they began, with their groups. A number
// that is another process's by now is left alone. It returns how many there were.
func signalAll(t testing.TB, file string, s syscall.Signal) (living int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0 // none was started
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var pid int
		var begun string
		if _, err := fmt.Sscan(line, &pid, &begun); err != nil || pid < 2 {
			t.Fatalf("line %q of %s", line, file)
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if fields := strings.Fields(string(stat)); err == nil && len(fields) > beginField && fields[beginField] == begun {
			_ = syscall.Kill(-pid, s) // or it has ended just now
			living++
		}
	}
	return living
}

// beginField is the place of the time at which a process began, in proc_pid_stat(5).
const beginField = 21

func (e *Engine) write(name, file, text string) {
	e.t.Helper()
	folder := filepath.Join(e.dir, "containers", name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		e.t.Fatal(err)
	}
	WriteText(e.t, filepath.Join(folder, file), text)
}

// edit changes what the engine says of a container.
func (e *Engine) edit(name, from, to string) {
	e.t.Helper()
	text, err := os.ReadFile(filepath.Join(e.dir, "containers", name, "inspect"))
	if err != nil {
		e.t.Fatal(err)
	}
	e.write(name, "inspect", strings.Replace(string(text), from, to, 1))
}
