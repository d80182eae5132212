package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Server answers as all hosts of a fleet.
type Server struct {
	files    Files
	config   *ssh.ServerConfig
	noteOnce sync.Once
	noteErr  error // guarded by noteOnce
}

// NewServer reads the keys of the hosts and of who may log in.
func NewServer(files Files) (*Server, error) {
	hostKey, err := readSigner(files.hostKey())
	if err != nil {
		return nil, err
	}
	identity, err := readSigner(files.identity())
	if err != nil {
		return nil, err
	}
	may := identity.PublicKey().Marshal()
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !bytes.Equal(key.Marshal(), may) {
				return nil, errors.New("this key may not log in")
			}
			return &ssh.Permissions{}, nil
		},
	}
	config.AddHostKey(hostKey)
	return &Server{files: files, config: config}, nil
}

// Serve takes connections until ctx ends, and returns when the last of them is over.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	var connections sync.WaitGroup
	defer connections.Wait()
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("take a connection: %w", err)
		}
		connections.Go(func() {
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			defer conn.Close()
			s.connection(conn)
		})
	}
}

// connection serves one client. That the client goes away, or may not log in, is no error of
// this side.
func (s *Server) connection(conn net.Conn) {
	address, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return
	}
	client, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	defer client.Close()
	go ssh.DiscardRequests(requests) // ends with the connection
	for offered := range channels {
		if offered.ChannelType() != "session" {
			_ = offered.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		go s.session(channel, requests, address.Addr().Unmap()) // likewise
	}
}

// session runs the command of one channel.
func (s *Server) session(channel ssh.Channel, requests <-chan *ssh.Request, host netip.Addr) {
	defer channel.Close()
	for request := range requests {
		var exec struct{ Line string }
		if request.Type != "exec" || ssh.Unmarshal(request.Payload, &exec) != nil {
			_ = request.Reply(false, nil)
			continue
		}
		_ = request.Reply(true, nil)
		status := s.execute(channel, exec.Line, host)
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
		return
	}
}

// mark is the word by which fairlead finds where the output of its command begins: the line
// prints it on both outputs, with the number of a process group, before the command's own, and
// then waits to be told to begin.
var mark = regexp.MustCompile(`fairlead-start-[A-Z2-7]+`)

// execute does what a shell would do with the line, if that is the probe's: a script that
// follows on standard input, with a last line that says that it is whole.
func (s *Server) execute(channel ssh.Channel, line string, host netip.Addr) (status uint32) {
	word := mark.FindString(line)
	if word != "" {
		started := word + " 4242\n"
		_, _ = io.WriteString(channel, started)
		_, _ = io.WriteString(channel.Stderr(), started)
	}
	input, err := io.ReadAll(channel)
	if err != nil || !strings.Contains(line, `eval "$fl_s"`) || !bytes.HasPrefix(input, []byte("begin\n")) ||
		!bytes.HasSuffix(input, []byte("\nfact end\n\n#"+word+"\n")) {
		_, _ = io.WriteString(channel.Stderr(), "this host knows the probe only\n")
		return 127
	}
	if err := s.note(line, input); err != nil {
		_, _ = fmt.Fprintln(channel.Stderr(), err)
		return 1
	}
	_, _ = io.WriteString(channel, answerOf(host, time.Now()))
	return 0
}

// note keeps the first command, so that Ask can ask the very same.
func (s *Server) note(line string, input []byte) error {
	s.noteOnce.Do(func() {
		s.noteErr = errors.Join(
			os.WriteFile(s.files.line(), []byte(line), 0o600),
			os.WriteFile(s.files.input(), input, 0o600),
		)
	})
	return s.noteErr
}
