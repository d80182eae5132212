package lab

import (
	"io"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestStartDaemon: a daemon that is started holds nothing that this process has from its caller.
func TestStartDaemon(t *testing.T) {
	folder := t.TempDir()
	for name, script := range map[string]string{
		"dockerd": "#!/bin/sh\necho $$ >$FOLDER/pid\nls -l /proc/$$/fd >$FOLDER/open\nexec sleep 60\n",
		"docker":  "#!/bin/sh\n[ -s $FOLDER/open ]\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("FOLDER", folder)
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	lock, err := os.Create(filepath.Join(folder, "callers.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	inherited, err := syscall.Dup(int(lock.Fd())) // as a shell leaves it open
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	m := &machine{client: "docker", cache: folder, log: log.New(io.Discard, "", 0)}
	if err := m.startDaemon(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid, err := os.ReadFile(filepath.Join(folder, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	if number, err := strconv.Atoi(strings.TrimSpace(string(pid))); err != nil || syscall.Kill(number, syscall.SIGKILL) != nil {
		t.Errorf("kill %q: %v", pid, err)
	}
	open, err := os.ReadFile(filepath.Join(folder, "open"))
	if err != nil || !strings.Contains(string(open), "dockerd.log") || strings.Contains(string(open), "callers.lock") {
		t.Errorf("it has open, %v:\n%s", err, open)
	}
}
