// Command fairlead-approver approves the requests of kubelets for serving certificates, in a
// pod of the cluster, when they ask for exactly what the inventory gives their node. It never
// denies: what it leaves is for a person to decide.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"fairlead/provision/kube"

	"golang.org/x/sync/errgroup"
)

// stopTime is how long requests for the program's health may take to end.
const stopTime = 2 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "error: "+err.Error())
		os.Exit(1)
	}
}

// run works until the context ends, which is no error.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("fairlead-approver", flag.ContinueOnError)
	flags.SetOutput(out)
	nodes := flags.String("nodes", "/etc/fairlead/nodes.json", "`file` with the nodes, their names and addresses")
	listen := flags.String("listen", ":8080", "`address` for /healthz and /readyz")
	if err := flags.Parse(args); err != nil {
		return err
	}
	client, err := kube.NewInCluster()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	a := &approver{approve: client.ApproveServing, nodes: *nodes, log: slog.New(slog.NewJSONHandler(out, nil)), said: map[string]string{}}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveHealth(ctx, listener, &a.works) })
	group.Go(func() error { return client.FollowServing(ctx, a.decide, a.read) })
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// serveHealth answers /healthz always, and /readyz while the API server can be read.
func serveHealth(ctx context.Context, listener net.Listener, works *atomic.Bool) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !works.Load() {
			http.Error(w, "the API server cannot be read", http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: stopTime}
	stop := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		_ = server.Shutdown(ending) // the process ends anyway
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}
