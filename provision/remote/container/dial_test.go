package container

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/provision/remote"
	"fairlead/provision/remote/remotetest"
)

// toolbox is a folder with the programs that a container has: those that scripts need, and those of the test.
func toolbox(t *testing.T, programs ...string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range append([]string{"sh", "cat", "env", "setsid"}, programs...) {
		program, err := exec.LookPath(name)
		if name == "python3" { // which may be a script that chooses one
			var out []byte
			out, err = exec.Command(name, "-c", "import sys; print(sys.executable)").Output() //nolint:noctx // at once
			program = strings.TrimSpace(string(out))
		}
		if err == nil {
			program, err = filepath.EvalSymlinks(program)
		}
		if err == nil {
			err = os.Symlink(program, filepath.Join(folder, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// script puts a program of the test's own into a toolbox.
func script(t *testing.T, folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+text), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
}

// opened opens cp1, in which programs are those of a folder.
func opened(t *testing.T, folder string) (*remote.Host, *remotetest.Engine) {
	t.Helper()
	e := remotetest.NewEngine(t, Docker, flags[Docker], folder)
	e.Run("cp1", ids[0], nil)
	return dialWith(t, NewDialer(Options{Path: e.Path})), e
}

// Each program by itself copies in both directions at once, and ends with either side; who listens to nobody is told so.
func TestPipers(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, folder string){
		"bash":    nil,
		"perl":    nil,
		"python3": nil,
		// Neither of these is on every machine that tests: the ways to call them are tried with what the test brings.
		"nc":    func(t *testing.T, folder string) { script(t, folder, "nc", ncOfBash) },
		"socat": func(t *testing.T, folder string) { script(t, folder, "socat", socatOfBash) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := ""
			if prepare == nil {
				folder = toolbox(t, name)
			} else {
				folder = toolbox(t)
				prepare(t, folder)
			}
			h, e := opened(t, folder)
			echoes(t, h)
			endsWithPeer(t, h)
			endsWithUs(t, h, e)
			_, err := h.DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", "1"))
			if err == nil || errors.Is(err, remote.ErrForwarding) || errors.Is(err, remote.ErrLost) {
				t.Errorf("a closed port: %v", err)
			}
			if name != "nc" && !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("a closed port: %v", err)
			}
		})
	}
}

// echoes sends much to a server that sends it back, while it reads.
func echoes(t *testing.T, h *remote.Host) {
	t.Helper()
	l := listen(t)
	go func() {
		if far, err := accept(l); err == nil {
			_, _ = far.Write([]byte{'x'}) // which accept has taken
			_, _ = io.Copy(far, far)
		}
	}()
	conn, err := h.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	want := "x" + strings.Repeat("0123456789\x00\n\xff", 100_000)
	go func() { _, _ = io.WriteString(conn, want) }()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Errorf("what comes back differs: %v", err)
	}
}

// endsWithPeer has the other side close: what it has sent before comes, and then the end.
func endsWithPeer(t *testing.T, h *remote.Host) {
	t.Helper()
	l := listen(t)
	go func() {
		if far, err := accept(l); err == nil {
			_, _ = io.WriteString(far, "that is all")
			_ = far.Close()
		}
	}()
	conn, err := h.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "that is all" {
		t.Errorf("got %q, %v", got, err)
	}
}

// accept is the first connection that is not only a look whether somebody listens. It takes a byte of it.
func accept(l net.Listener) (net.Conn, error) {
	for {
		far, err := l.Accept()
		if err != nil {
			return nil, err
		}
		if err := far.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			return nil, err
		}
		if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			return far, far.SetReadDeadline(time.Time{})
		}
		_ = far.Close()
	}
}

// endsWithUs closes this side: the other one learns of it, and nothing is left in the container.
func endsWithUs(t *testing.T, h *remote.Host, e *remotetest.Engine) {
	t.Helper()
	l := listen(t)
	closed := make(chan bool, 1)
	go func() {
		if far, err := accept(l); err == nil {
			_, _ = far.Write([]byte{'y'})
			_, _ = io.Copy(io.Discard, far)
		}
		closed <- true
	}()
	conn, err := h.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	// What watches the container is there.
	remotetest.Eventually(t, 20*time.Second, "nothing is left in the container", func() bool { return e.Signal("cp1", 0) == 1 })
	<-closed
}

// ncOfBash is what is used of nc.
const ncOfBash = `[ "$1" = -z ] && { shift; exec /bin/bash -c 'exec 3<>"/dev/tcp/$1/$2"' nc "$1" "$2" 2>/dev/null; }
exec /bin/bash -c 'exec 4<&0 3<>"/dev/tcp/$1/$2"; /bin/cat <&4 >&3 & /bin/cat <&3' nc "$1" "$2"
`

// socatOfBash is what is used of socat.
const socatOfBash = `case $1 in
-u) address=${3#TCP:} word='' ;;
*) address=${2#TCP:} word='{ /bin/cat <&4 >&3; kill 0; } & /bin/cat <&3; kill 0' ;;
esac
exec /bin/bash -c 'exec 4<&0; exec 3<>"/dev/tcp/$1/$2" || exit 1; '"$word" socat "${address%:*}" "${address##*:}"
`

// Where a program is there and cannot do it, the next one is taken.
func TestNextPiper(t *testing.T) {
	folder := toolbox(t, "perl")
	script(t, folder, "bash", "echo 'bash: /dev/tcp/127.0.0.1/0: No such file or directory' >&2\nexit 1\n")
	h, _ := opened(t, folder)
	echoes(t, h)
}

// Where nothing is there, the caller is told to go another way.
func TestNoPiper(t *testing.T) {
	h, _ := opened(t, toolbox(t))
	_, err := h.DialContext(t.Context(), "tcp", listen(t).Addr().String())
	if !errors.Is(err, remote.ErrForwarding) || !strings.HasSuffix(err.Error(), "docker container cp1 has none of bash, perl, python3, socat, nc to do it with") {
		t.Errorf("got %v", err)
	}
}

// A connection ends with its container, and says so.
func TestConnectionIsLost(t *testing.T) {
	h, e := opened(t, "")
	l := listen(t)
	conn, err := h.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	e.Stop("cp1")
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, remote.ErrLost) {
		t.Errorf("got %v", err)
	}
}

// TestDialIsGivenUp gives up a connection that does not come: what was started for it ends.
// A program in the container that does not come to an end by itself stays there when its client is given up; whoever waits does not.
func TestDialIsGivenUp(t *testing.T) {
	folder := toolbox(t)
	script(t, folder, "bash", "exec /bin/sleep 1000\n")
	h, _ := opened(t, folder)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(50*time.Millisecond, func() { cancel(enough) })
	if _, err := h.DialContext(ctx, "tcp", "127.0.0.1:1"); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	if _, err := h.DialContext(t.Context(), "udp", "127.0.0.1:1"); err == nil {
		t.Error("dialled by UDP")
	}
}
