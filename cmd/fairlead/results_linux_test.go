package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// slowHost is an address of this machine where connections are taken and nothing is said until it is told to hang up.
func slowHost(t *testing.T) (address, port string, hangUp func()) {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() && ip.IP.To4() != nil {
			address = ip.IP.String()
		}
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = bufio.NewReader(conn).ReadString('\n') // unread, it would make the end a reset
				<-ctx.Done()
				conn.Close()
			}()
		}
	}()
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return address, port, cancel
}

// TestResultsStay has a host keep commands waiting until their moving lines were drawn: what they print then stays on the
// screen to the last line.
func TestResultsStay(t *testing.T) {
	folder := t.TempDir()
	if err := makeBundle(t.Context(), filepath.Join(folder, "bundle")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(folder, "key")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, command := range []string{"check", "plan", "plan --diff", "images verify", "up", "check --facts facts.json"} {
		t.Run(command, func(t *testing.T) {
			address, port, hangUp := slowHost(t)
			file := filepath.Join(folder, "cluster.yaml")
			write(t, file, fmt.Sprintf(`apiVersion: fairlead/v1
kind: Cluster
name: lab
kubernetes: {version: 1.37.2, bundle: ./bundle}
ssh: {user: someone, port: %s, identityFile: key}
controlPlane: {hosts: [{name: cp1, address: %s}]}
`, port, address), 0o600)
			shown := onTerminal(t, folder, "cp1", hangUp, strings.Fields(command)...)
			text := strings.NewReplacer(address+":"+port, "ADDRESS", address, "ADDRESS", "-p "+port, "-p PORT", folder, "FOLDER").Replace(shown)
			text = regexp.MustCompile("(?m)^  log: .*-").ReplaceAllString(text, "  log: ")
			text = regexp.MustCompile("(?m)(host is unreachable): .*").ReplaceAllString(text, "$1: REASON") // which may be its time
			text = regexp.MustCompile(` in [0-9.]+s\b`).ReplaceAllString(text, " in SECONDS")
			golden(t, "results-"+strings.NewReplacer(" --", "-", " ", "-").Replace(command)+".txt", []byte(text))
		})
	}
}

// wide is a terminal on which no line is broken: where that happens depends on the names of temporary folders.
const wide = 1000

// onTerminal runs fairlead on a terminal, calls drawn when a text was shown, and returns the screen at the end.
func onTerminal(t *testing.T, folder, text string, drawn func(), args ...string) string {
	t.Helper()
	keyboard, terminal := openTerminal(t)
	size := [4]uint16{50, wide}
	control(t, terminal, syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, executable, args...)
	cmd.Args[0], cmd.Dir = "fairlead", folder // TestMain runs the program of that name
	cmd.Env = []string{"HOME=" + t.TempDir(), "TERM=xterm", "NO_COLOR=1", "PATH=" + os.Getenv("PATH")}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	var shown bytes.Buffer
	over := make(chan struct{})
	go func() {
		defer close(over)
		buffer := make([]byte, 4096)
		for err == nil && !bytes.Contains(shown.Bytes(), []byte{0}) {
			var n int
			n, err = keyboard.Read(buffer)
			shown.Write(buffer[:n])
			if strings.Contains(shown.String(), text) {
				drawn()
			}
		}
	}()
	_ = cmd.Run()                                                   // its exit code is of no matter here
	if _, writing := terminal.WriteString("\x00"); writing != nil { // ends the reading
		t.Fatal(writing)
	}
	<-over
	if ctx.Err() != nil {
		t.Fatalf("it did not end; it showed:\n%s", shown.String())
	}
	s := screen{width: wide, height: 50}
	if err := s.write(strings.TrimSuffix(shown.String(), "\x00")); err != nil {
		t.Fatal(err)
	}
	return s.String()
}
