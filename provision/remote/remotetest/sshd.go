package remotetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
)

const sshdPath = "/usr/sbin/sshd"

// Server is a real sshd on a loopback port, with keys of its own, that lets the current user in.
type Server struct {
	Port     int
	Identity string // private key file that may log in
	HostKeys map[string]ssh.PublicKey
	Log      *Buffer

	config string
	mu     sync.Mutex // guards children
	child  map[*exec.Cmd]bool
	served int
}

// StartSSHD starts sshd with extra lines of configuration and stops it when the test ends. The port is taken here and
// each connection gets an sshd of its own, as inetd does it: so no other program can take the port first.
func StartSSHD(t testing.TB, extra ...string) *Server {
	t.Helper()
	if _, err := os.Stat(sshdPath); err != nil {
		t.Fatalf("%v: these tests need OpenSSH's server and its sftp-server: install openssh-server and openssh-sftp-server", err)
	}
	dir := t.TempDir()
	s := &Server{
		HostKeys: map[string]ssh.PublicKey{}, Log: &Buffer{}, Identity: filepath.Join(dir, "user"),
		config: filepath.Join(dir, "sshd_config"), child: map[*exec.Cmd]bool{},
	}
	s.HostKeys["ed25519"] = WriteKey(t, filepath.Join(dir, "host_ed25519"), NewEd25519(t), "")
	s.HostKeys["ecdsa"] = WriteKey(t, filepath.Join(dir, "host_ecdsa"), NewECDSA(t), "")
	public := WriteKey(t, s.Identity, NewEd25519(t), "")
	WriteText(t, filepath.Join(dir, "authorized"), string(ssh.MarshalAuthorizedKey(public)))
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd's privilege separation wants it
			t.Fatal(err)
		}
	}
	// sshd takes the first value that it reads of an option.
	config := append(extra,
		"HostKey "+filepath.Join(dir, "host_ed25519"), "HostKey "+filepath.Join(dir, "host_ecdsa"),
		"AuthorizedKeysFile "+filepath.Join(dir, "authorized"),
		"SetEnv HOME="+dir, // what the user's own shell start-up files do is no part of these tests
		"StrictModes no", "UsePAM no", "PidFile none", "PermitRootLogin yes", "LogLevel VERBOSE", "PasswordAuthentication no",
	)
	WriteText(t, s.config, strings.Join(config, "\n")+"\n")
	if out, err := exec.Command(sshdPath, "-t", "-f", s.config).CombinedOutput(); err != nil {
		t.Fatalf("sshd does not take its configuration: %v: %s", err, out)
	}
	s.listen(t)
	return s
}

func (s *Server) listen(t testing.TB) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				if err := s.serve(c.(*net.TCPConn)); err != nil {
					fmt.Fprintln(s.Log, err)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		s.signal(syscall.SIGKILL)
		s.child = nil
		s.mu.Unlock()
		serving.Wait()
	})
}

// Inetd is a command that serves one connection on its standard input and output, as ssh's ProxyCommand wants it.
func (s *Server) Inetd() []string { return []string{sshdPath, "-i", "-f", s.config} }

// serve has an sshd serve one connection.
func (s *Server) serve(c *net.TCPConn) error {
	socket, err := c.File()
	_ = c.Close() // the file is another descriptor of the same socket
	if err != nil {
		return err
	}
	defer socket.Close()
	cmd := exec.Command(sshdPath, "-i", "-e", "-f", s.config)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = socket, socket, s.Log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.mu.Lock()
	if s.child == nil {
		s.mu.Unlock()
		return nil
	}
	if err = cmd.Start(); err == nil {
		s.child[cmd] = true
		s.served++
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	_ = socket.Close() // sshd has it
	_ = cmd.Wait()     // sshd exits with what the connection's end was
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.child, cmd)
	return nil
}

// Signal sends a signal to the sshd of each connection, and to what it forked for that: SIGKILL cuts the connections off, with
// SIGSTOP nothing answers any more.
func (s *Server) Signal(signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signal(signal)
}

func (s *Server) signal(signal syscall.Signal) {
	for cmd := range s.child {
		_ = syscall.Kill(-cmd.Process.Pid, signal) // one that is over by now is none
	}
}

// Served is how many connections there were.
func (s *Server) Served() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served
}

// RefusingPort is a port of the loopback interface at which nobody listens for as long as the test lasts.
func RefusingPort(t testing.TB) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	address, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return address.(*syscall.SockaddrInet4).Port
}
