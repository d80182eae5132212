// Command probe is the workload with which a cluster is tried: it serves a page that
// says which pod answered, and from inside a pod it resolves names and fetches pages.
// It exits with 1 when what was asked for failed and with 2 when it was asked wrongly.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const usage = `usage:
  probe serve [ADDRESS]   answer HTTP with the host name (default :8080); /burn?ms=N computes
                          for N milliseconds first
  probe resolve NAME      print the addresses of NAME
  probe get URL           print the body of URL
  probe load URL N        fetch URL N times at once, again and again, until SIGTERM
  probe sleep             wait for SIGTERM`

const (
	defaultAddress = ":8080"
	lookupTimeout  = 10 * time.Second
	readTimeout    = 10 * time.Second
)

var errUsage = errors.New(usage)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err := run(ctx, os.Args[1:])
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "serve":
		return serve(ctx, defaultAddress)
	case len(args) == 2 && args[0] == "serve":
		return serve(ctx, args[1])
	case len(args) == 2 && args[0] == "resolve":
		return resolve(ctx, args[1])
	case len(args) == 2 && args[0] == "get":
		return get(ctx, args[1])
	case len(args) == 3 && args[0] == "load":
		return load(ctx, args[1], args[2])
	case len(args) == 1 && args[0] == "sleep":
		<-ctx.Done()
		return nil
	}
	return errUsage
}

// serve answers every request with the host name, which in a pod is the pod's name.
func serve(ctx context.Context, address string) error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, name) })
	mux.HandleFunc("/burn", func(w http.ResponseWriter, r *http.Request) {
		if ms, err := strconv.Atoi(r.FormValue("ms")); err == nil {
			burn(r.Context(), time.Duration(ms)*time.Millisecond)
		}
		fmt.Fprintln(w, name)
	})
	server := &http.Server{Addr: address, Handler: mux, ReadTimeout: readTimeout}
	stopped := context.AfterFunc(ctx, func() { server.Close() })
	defer stopped()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// burn keeps a processor busy.
func burn(ctx context.Context, d time.Duration) {
	var sum [sha256.Size]byte
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil; {
		for range 1000 {
			sum = sha256.Sum256(sum[:])
		}
	}
}

// load does not mind failures: what it fetches may come and go.
func load(ctx context.Context, url, count string) error {
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		return errUsage
	}
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for ctx.Err() == nil {
				if err := get(ctx, url); err != nil {
					fmt.Fprintln(os.Stderr, err)
					pause(ctx, time.Second)
				}
			}
		})
	}
	group.Wait()
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}

func resolve(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, name)
	if err != nil {
		return err
	}
	for _, a := range addresses {
		fmt.Println(a)
	}
	return nil
}

func get(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	return nil
}
