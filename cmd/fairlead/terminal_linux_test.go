package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// openTerminal makes a pseudo-terminal: what is typed is written to keyboard, from which is
// read what is shown as well.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var number, locked int32
	control(t, keyboard, syscall.TIOCGPTN, unsafe.Pointer(&number))
	control(t, keyboard, syscall.TIOCSPTLCK, unsafe.Pointer(&locked))
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close(); keyboard.Close() })
	return keyboard, terminal
}

func control(t *testing.T, file *os.File, request uintptr, argument unsafe.Pointer) {
	t.Helper()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), request, uintptr(argument)); errno != 0 {
		t.Error(errno)
	}
}

func settingsOf(t *testing.T, terminal *os.File) (settings syscall.Termios) {
	t.Helper()
	control(t, terminal, syscall.TCGETS, unsafe.Pointer(&settings))
	return settings
}

// promptLab is a registry that wants a password, and a cluster file by which it is asked for.
func promptLab(t *testing.T, folder, password string) (r *imageRegistry, address, file string) {
	t.Helper()
	r = &imageRegistry{
		user: "puller", password: password,
		blobs: map[string][]byte{}, manifests: map[string][]byte{}, types: map[string]string{},
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	address, file = server.Listener.Addr().String(), filepath.Join(folder, "cluster.yaml")
	write(t, file, strings.ReplaceAll(`apiVersion: fairlead/v1
kind: Cluster
name: lab
kubernetes: {version: 1.37.2, bundle: ./bundle}
controlPlane: {hosts: [{name: cp1, address: 0.0.0.2}]}
images:
  rewrite: [{from: registry.k8s.io, to: "REGISTRY/k8s"}]
  registries: [{host: "REGISTRY", plainHTTP: true, user: puller, password: prompt}]
`, "REGISTRY", address), 0o600)
	return r, address, file
}

func TestPasswordPrompt(t *testing.T) {
	const password = "s3cret-word"
	folder := t.TempDir()
	if err := makeBundle(t.Context(), filepath.Join(folder, "bundle")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		typed string
		code  int
		shown string
	}{
		"right":   {password + "\n", exitDone, "sent 2 MiB in 15 blobs"},
		"wrong":   {"other-s3cret-word\n", exitFailed, "registry denies access"},
		"nothing": {"\n", exitFailed, "the password of puller is empty"},
		"Ctrl-C":  {"\x03", exitFailed, "stopped after 0 steps"},
	} {
		t.Run(name, func(t *testing.T) {
			r, address, file := promptLab(t, folder, password)
			keyboard, terminal := openTerminal(t)
			before := settingsOf(t, terminal)
			screen, code := answer(t, keyboard, terminal, "Password of puller on "+address+": ", c.typed,
				"images", "mirror", "--to", address, "-f", file)
			if code != c.code || !strings.Contains(screen, c.shown) {
				t.Errorf("exit code %d, want %d, and %q in:\n%s", code, c.code, c.shown, screen)
			}
			if strings.Contains(screen, "s3cret-word") {
				t.Errorf("the password is on the screen:\n%s", screen)
			}
			if holds := strings.Contains(r.show(), "k8s/pause:"); holds != (c.code == exitDone) {
				t.Errorf("the registry holds images: %v", holds)
			}
			if after := settingsOf(t, terminal); after != before {
				t.Errorf("the terminal's settings are %v, want %v", after, before)
			}
		})
	}
}

// TestSudoPrompt asks once for all hosts, before anything else is on the screen, and not where nobody becomes root.
func TestSudoPrompt(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "cluster.yaml")
	write(t, file, `apiVersion: fairlead/v1
kind: Cluster
name: lab
kubernetes: {version: 1.37.2}
ssh: {user: ann, knownHosts: none, sudo: {password: prompt}}
controlPlane: {hosts: [{name: cp1, address: 0.0.0.2}]}
workers: {hosts: [{name: w1, address: 0.0.0.3}, {name: w2, address: 0.0.0.4, ssh: {user: root}}]}
`, 0o600)
	const question = "Password of ann for sudo on 2 hosts: "
	for name, c := range map[string]struct {
		args         []string
		typed, shown string
	}{
		"check":     {[]string{"check"}, "s3cret-word\n", "cp1, w1: login refused"},
		"JSON":      {[]string{"check", "-o", "json"}, "s3cret-word\n", `{"time"`},
		"document":  {[]string{"kubeconfig"}, "s3cret-word\n", "cp1: read the kubeconfig: "},
		"nothing":   {[]string{"check"}, "\n", "ssh.sudo.password of cp1: the password of ann is empty"},
		"Ctrl-C":    {[]string{"check"}, "\x03", "stopped after 0 steps"},
		"not asked": {[]string{"images", "list"}, "", "registry.k8s.io/pause"},
	} {
		t.Run(name, func(t *testing.T) {
			keyboard, terminal := openTerminal(t)
			screen, _ := answer(t, keyboard, terminal, question, c.typed, append(c.args, "-f", file)...)
			asked, want := strings.Count(screen, question), 1
			if c.typed == "" {
				want = 0
			}
			if asked != want || asked > 0 && !strings.HasPrefix(screen, question) || !strings.Contains(screen, c.shown) || strings.Contains(screen, "s3cret-word") {
				t.Errorf("asked %d times, want %d, and %q on the screen:\n%s", asked, want, c.shown, screen)
			}
		})
	}
}

// answer runs fairlead on a terminal, types an answer that is not shown once it has asked, and returns all that was on the screen.
func answer(t *testing.T, keyboard, terminal *os.File, question, typed string, args ...string) (screen string, code int) {
	t.Helper()
	return converse(t, keyboard, terminal, question, typed, true, args...)
}

// converse is answer; hidden says that the answer is not shown.
func converse(t *testing.T, keyboard, terminal *os.File, question, typed string, hidden bool, args ...string) (screen string, code int) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, executable, args...)
	cmd.Args[0] = "fairlead" // TestMain runs the program of that name
	cmd.Env = []string{"HOME=" + t.TempDir(), "TERM=xterm", "PATH=" + os.Getenv("PATH")}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	var shown bytes.Buffer
	over := make(chan struct{})
	go func() {
		defer close(over)
		buffer := make([]byte, 4096)
		for {
			n, err := keyboard.Read(buffer)
			asked := strings.Contains(shown.String(), question)
			shown.Write(buffer[:n])
			if !asked && strings.Contains(shown.String(), question) {
				for hidden && settingsOf(t, terminal).Lflag&syscall.ECHO != 0 && ctx.Err() == nil {
					runtime.Gosched() // people are slower than that
				}
				_, err = io.WriteString(keyboard, typed)
			}
			if err != nil || strings.Contains(shown.String(), "\x00") {
				return
			}
		}
	}()
	err = cmd.Run()
	code = cmd.ProcessState.ExitCode()
	if _, writing := io.WriteString(terminal, "\x00"); writing != nil { // ends the reading
		t.Fatal(writing)
	}
	<-over
	if ctx.Err() != nil {
		t.Fatalf("it did not end: %v; it showed:\n%s", err, shown.String())
	}
	return shown.String(), code
}
