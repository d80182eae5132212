// Command fleet is the other side of the fleet that bench measures.
//
//	fleet serve -dir DIR                        answers as every host of the network namespace it runs in
//	fleet ask -dir DIR -hosts N [-at-once M]    asks the first N hosts with nothing but SSH
//
// The folder is made by bench. The server prints a line when it takes connections, and ends with
// its standard input: so it does not survive who has started it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"fairlead/e2e/fleet"
)

// errUsage marks errors of the command line.
var errUsage = errors.New("usage: fleet serve -dir DIR, or fleet ask -dir DIR -hosts N [-at-once M]")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	flags := flag.NewFlagSet("fleet "+args[0], flag.ContinueOnError)
	dir := flags.String("dir", "", "folder of keys and known_hosts")
	hosts := flags.Int("hosts", 0, "how many hosts to ask")
	atOnce := flags.Int("at-once", 0, "how many hosts to ask at once (default all)")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "serve":
		return serve(ctx, fleet.Files(*dir))
	case "ask":
		if *atOnce < 1 {
			*atOnce = *hosts
		}
		return fleet.Ask(ctx, fleet.Files(*dir), *hosts, *atOnce)
	}
	return errUsage
}

// serve answers until ctx or standard input ends.
func serve(ctx context.Context, files fleet.Files) error {
	server, err := fleet.NewServer(files)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp4", "0.0.0.0:22")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // for as long as the process lives
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	fmt.Println("ready")
	return server.Serve(ctx, listener)
}
