// Command demo makes a cluster of three lab hosts with the fairlead binary, shows that it
// works, and says how to use it. Run again it converges; what it made, "down" removes.
//
//	demo up -fairlead FILE -dir DIR
//	demo down -dir DIR
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"fairlead/e2e/lab"
)

// errUsage marks errors of the command line.
var errUsage = errors.New("usage: demo up -fairlead FILE -dir DIR, or: demo down -dir DIR")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:])
	stop()
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "demo:", err)
	os.Exit(1)
}

// dispatch runs one command: flags, one call.
func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] != "up" && args[0] != "down" {
		return errUsage
	}
	d := demo{lab: lab.Options{Log: os.Stderr}, stdout: os.Stdout, stderr: os.Stderr}
	flags := flag.NewFlagSet("demo "+args[0], flag.ContinueOnError)
	flags.StringVar(&d.fairlead, "fairlead", "", "the fairlead binary")
	flags.StringVar(&d.dir, "dir", "", "folder of cluster.yaml, kubeconfig and the hosts' SSH key")
	flags.StringVar(&d.lab.Name, "name", "fairlead-demo", "name of the lab")
	flags.StringVar(&d.lab.Subnet, "subnet", "10.89.3.0/24", "IPv4 network of the hosts, 24 bits")
	if err := flags.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return fmt.Errorf("%w\n%w", err, errUsage)
	}
	if flags.NArg() > 0 || d.dir == "" || args[0] == "up" && d.fairlead == "" {
		return errUsage
	}
	var err error
	if d.dir, err = filepath.Abs(d.dir); err != nil {
		return err
	}
	d.lab.Dir = filepath.Join(d.dir, "ssh")
	if args[0] == "down" {
		return d.down(ctx)
	}
	return d.up(ctx)
}
