// Command fileserver serves the files below a folder on ports 80 (HTTP) and 443 (HTTPS), as a
// mirror of package repositories does, and prints a line for each answered request: client
// address, method, path, status. It lists no folders and never writes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const headerTimeout = 10 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: fileserver FOLDER CERTIFICATE KEY")
		os.Exit(2)
	}
	if err := serve(ctx, os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "fileserver:", err)
		os.Exit(1)
	}
}

// serve answers until ctx ends or a port fails.
func serve(ctx context.Context, folder, certificate, key string) error {
	handler := logged(http.FileServerFS(files{os.DirFS(folder)}), log.New(os.Stdout, "", 0))
	quiet := log.New(io.Discard, "", 0) // a client that breaks off, or trusts another CA, asked for nothing
	plain := &http.Server{Addr: ":80", Handler: handler, ReadHeaderTimeout: headerTimeout, ErrorLog: quiet}
	secure := &http.Server{Addr: ":443", Handler: handler, ReadHeaderTimeout: headerTimeout, ErrorLog: quiet}
	ended := make(chan error, 2)
	go func() { ended <- plain.ListenAndServe() }()
	go func() { ended <- secure.ListenAndServeTLS(certificate, key) }()
	var failure error
	running := 2
	select {
	case <-ctx.Done():
	case failure = <-ended:
		running--
	}
	failure = errors.Join(failure, plain.Close(), secure.Close())
	for range running {
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			failure = errors.Join(failure, err)
		}
	}
	return failure
}

// files is a tree whose folders are not found.
type files struct{ fs.FS }

// Open implements fs.FS.
func (f files) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// logged prints what handler answered, after it has.
func logged(handler http.Handler, to *log.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			client = r.RemoteAddr
		}
		answer := &answer{ResponseWriter: w, status: http.StatusOK}
		// Deferred, because the handler panics when a client goes away in the middle.
		defer func() {
			to.Print(strings.Join([]string{client, r.Method, r.URL.EscapedPath(), fmt.Sprint(answer.status)}, " "))
		}()
		handler.ServeHTTP(answer, r)
	})
}

// answer remembers the status.
type answer struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}
