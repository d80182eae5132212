package remotetest

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"reflect"
	"testing"

	"fairlead/provision/remote"
)

// Commands come to the function as they were given to the host, whatever is in them.
func TestPretendGetsCommands(t *testing.T) {
	odd := []string{"it's", "", `a\b $HOME "x" !`, "ünïx\nline\t", "--", ">&2; exec rm"}
	for _, c := range []struct {
		command remote.Command
		want    Call
	}{
		{remote.Command{Argv: odd}, Call{Argv: odd}},
		{remote.Command{Argv: odd, Root: true}, Call{Argv: odd, Root: true}},
		{remote.Command{Script: "echo it's\n", Argv: odd, Root: true}, Call{Script: "echo it's\n", Argv: odd, Root: true}},
		{remote.Command{Script: "exit 3"}, Call{Script: "exit 3", Argv: []string{}}},
	} {
		p := NewPretend(t, func(context.Context, Call) Reply { return Reply{Stdout: "out", Stderr: "err\n", Code: 3} })
		result, err := p.Host("cp1").Run(t.Context(), c.command)
		if got := p.Calls(); len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
			t.Errorf("%+v came as %+v", c.want, got)
		}
		var exit *remote.ExitError
		if !errors.As(err, &exit) || exit.Code != 3 || string(result.Stdout) != "out" || string(result.Stderr) != "err\n" {
			t.Errorf("%+v, %v", result, err)
		}
	}
}

// Files are read and written as on a machine without an sftp-server; none is there until it was put.
func TestPretendHasFiles(t *testing.T) {
	p := NewPretend(t, nil)
	h := p.Host("cp1")
	if _, err := h.ReadFile(t.Context(), "/etc/one"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	p.PutFile("/etc/one", "first")
	if text, err := h.ReadFile(t.Context(), "/etc/one"); err != nil || string(text) != "first" {
		t.Errorf("%q, %v", text, err)
	}
	for _, path := range []string{"/etc/one", "/etc/two"} {
		if changed, err := h.WriteFile(t.Context(), remote.File{Path: path, Mode: 0o644, Content: []byte("it's new")}); err != nil || !changed {
			t.Errorf("write %s: %v, %v", path, changed, err)
		}
	}
	if want := map[string]string{"/etc/one": "it's new", "/etc/two": "it's new"}; !reflect.DeepEqual(p.Files(), want) || len(p.Calls()) != 0 {
		t.Errorf("%v, %v", p.Files(), p.Calls())
	}
}

// A command is over when its context ends, when the way is lost, and when the host is closed.
func TestPretendEndsCommands(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*Pretend, *remote.Host, context.CancelFunc)
		want error
	}{
		{"cancelled", func(_ *Pretend, _ *remote.Host, cancel context.CancelFunc) { cancel() }, context.Canceled},
		{"lost", func(p *Pretend, _ *remote.Host, _ context.CancelFunc) { p.Lose() }, remote.ErrLost},
		{"closed", func(_ *Pretend, h *remote.Host, _ context.CancelFunc) { _ = h.Close() }, net.ErrClosed},
	} {
		begun := make(chan bool)
		p := NewPretend(t, func(ctx context.Context, _ Call) Reply {
			close(begun)
			<-ctx.Done()
			return Reply{}
		})
		h := p.Host("cp1")
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error)
		go func() { _, err := h.Run(ctx, remote.Command{Argv: []string{"sleep"}, Root: true}); over <- err }()
		<-begun
		c.end(p, h, cancel)
		if err := <-over; !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		cancel()
		if p.Closed() != (c.name != "cancelled") {
			t.Errorf("%s: the way is gone: %v", c.name, p.Closed())
		}
	}
}
