package registry

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// spoken answers the requests on a connection one after another, until answer says to stop.
func spoken(answer func(*http.Request, net.Conn) bool) DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			from := bufio.NewReader(theirs)
			for {
				request, err := http.ReadRequest(from)
				if err != nil || !answer(request, theirs) {
					io.Copy(io.Discard, theirs) // until the client ends it
					return
				}
			}
		}()
		return ours, nil
	}
}

// A source that stops in the middle is waited for from its last byte on, so that a slow one is no
// failure.
func TestSourceStopsInTheMiddle(t *testing.T) {
	const size, pause = 10, 50 * time.Second
	data := strings.Repeat("x", size)
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.FromString(data), Size: size}
	for bytes, want := range map[int]time.Duration{size: size * pause, 4: 4*pause + silence} {
		synctest.Test(t, func(t *testing.T) {
			dial := spoken(func(_ *http.Request, conn net.Conn) bool {
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
				for i := range bytes {
					<-time.After(pause)
					io.WriteString(conn, data[i:i+1])
				}
				return bytes == size
			})
			c := connect(t, Endpoint{Host: "registry.example", PlainHTTP: true}, dial)
			repo, err := c.registry.Repository(t.Context(), "lib/a")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			opened, err := c.fetch(t.Context(), repo, "lib/a", desc)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(opened)
			opened.Close()
			if took := time.Since(began); len(got) != bytes || (err != nil) != (bytes < size) || took != want {
				t.Errorf("read %d bytes, %v after %v, want %d after %v", len(got), err, took, bytes, want)
			}
			if bytes < size && (!transient(err) || !strings.Contains(c.explain("read", "x", err).Error(), "it stopped in the middle: no byte for 1m0s")) {
				t.Errorf("the error is %v", c.explain("read", "x", err))
			}
		})
	}
}

// A target that takes no more bytes is left as well; one that is slow is not.
func TestTargetStopsInTheMiddle(t *testing.T) {
	const size = 1 << 20
	for title, c := range map[string]struct {
		pause time.Duration
		stops bool
	}{"it stops": {0, true}, "it is slow": {50 * time.Second, false}} {
		synctest.Test(t, func(t *testing.T) {
			dial := spoken(func(request *http.Request, conn net.Conn) bool {
				part := make([]byte, size/4)
				for range 4 {
					<-time.After(c.pause)
					if _, err := io.ReadFull(request.Body, part); err != nil {
						return false
					}
				}
				io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
				return true
			})
			if c.stops {
				dial = halfRead(size / 4)
			}
			client := connect(t, Endpoint{Host: "registry.example", PlainHTTP: true}, dial)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://registry.example/v2/x", io.LimitReader(zeros{}, size))
			if err != nil {
				t.Fatal(err)
			}
			request.ContentLength = size
			began := time.Now()
			response, err := client.http.Do(request)
			if err == nil {
				response.Body.Close()
			}
			var stalled *stalledError
			if took := time.Since(began); errors.As(err, &stalled) != c.stops || (err != nil) != c.stops || c.stops && took != silence {
				t.Errorf("%s: %v after %v", title, err, took)
			}
		})
	}
}

// halfRead is the way to a server that takes so many bytes and then no more.
func halfRead(bytes int64) DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go io.CopyN(io.Discard, theirs, bytes)
		return ours, nil
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
