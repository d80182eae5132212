// Command lab makes, lists and removes the hosts of a lab.
//
//	lab up [flags] HOST...
//	lab down [flags]
//	lab hosts [flags]
//	lab inventory [flags] --control-plane cp1 --worker w1 --bundle FILE
//	lab exec [flags] HOST COMMAND...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"fairlead/e2e/lab"
)

// errUsage marks errors of the command line.
var errUsage = errors.New("usage: lab up|down|hosts|inventory|exec [flags] [arguments]; lab up -h lists the flags")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	var exit *lab.ExitError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return
	case errors.As(err, &exit) && os.Args[1] == "exec":
		fmt.Fprintln(os.Stderr, exit.Stderr)
		os.Exit(exit.Code)
	}
	fmt.Fprintln(os.Stderr, "lab:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

// command is a command's arguments and where its result goes.
type command struct {
	options   lab.Options
	inventory lab.InventoryOptions
	args      []string
	stdout    io.Writer
}

// dispatch runs one command: flags, one call, print.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	commands := map[string]func(context.Context, command) error{
		"up": up, "down": down, "hosts": hosts, "inventory": inventory, "exec": execute,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		return errUsage
	}
	c := command{options: lab.Options{Log: stderr}, stdout: stdout}
	flags := flag.NewFlagSet("lab "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.options.Name, "name", lab.DefaultName, "name of the lab")
	flags.StringVar(&c.options.Dir, "dir", "", "folder of the key, known_hosts and hosts.json (default in the cache folder)")
	flags.StringVar(&c.options.Cache, "cache", "", "folder of the root file system and the daemon's log (default in the user's cache)")
	flags.StringVar(&c.options.Subnet, "subnet", lab.DefaultSubnet, "IPv4 network of the hosts, 24 bits")
	if args[0] == "inventory" {
		flags.Func("control-plane", "host of the control plane; may be repeated", appendTo(&c.inventory.ControlPlanes))
		flags.Func("worker", "worker; may be repeated", appendTo(&c.inventory.Workers))
		flags.StringVar(&c.inventory.Bundle, "bundle", "", "path of the bundle")
		flags.StringVar(&c.inventory.Version, "kubernetes", lab.DefaultVersion, "Kubernetes version")
		flags.BoolVar(&c.inventory.Schedulable, "schedulable", false, "let ordinary pods run on the control plane")
	}
	if err := flags.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return fmt.Errorf("%w\n%w", err, errUsage)
	}
	c.args = flags.Args()
	return commands[args[0]](ctx, c)
}

// up starts the hosts that are named and prints all hosts.
func up(ctx context.Context, c command) error {
	if len(c.args) == 0 {
		return errUsage
	}
	l, err := lab.Up(ctx, c.options, c.args)
	if err != nil {
		return err
	}
	return list(c.stdout, l)
}

// down removes the lab.
func down(ctx context.Context, c command) error {
	if len(c.args) > 0 {
		return errUsage
	}
	return lab.Down(ctx, c.options)
}

// hosts prints all hosts.
func hosts(ctx context.Context, c command) error {
	if len(c.args) > 0 {
		return errUsage
	}
	l, err := lab.Open(ctx, c.options)
	if err != nil {
		return err
	}
	return list(c.stdout, l)
}

// inventory prints an inventory of the hosts that the flags name.
func inventory(ctx context.Context, c command) error {
	if len(c.args) > 0 {
		return errUsage
	}
	l, err := lab.Open(ctx, c.options)
	if err != nil {
		return err
	}
	text, err := l.Inventory(c.inventory)
	if err != nil {
		return err
	}
	_, err = io.WriteString(c.stdout, text)
	return err
}

// execute runs a command in a host as root and prints its standard output.
func execute(ctx context.Context, c command) error {
	if len(c.args) < 2 {
		return errUsage
	}
	l, err := lab.Open(ctx, c.options)
	if err != nil {
		return err
	}
	text, err := l.Exec(ctx, c.args[0], c.args[1:]...)
	_, writeErr := io.WriteString(c.stdout, text)
	return errors.Join(err, writeErr)
}

// list prints a line for each host: name and address.
func list(stdout io.Writer, l *lab.Lab) error {
	for _, host := range l.Hosts() {
		if _, err := fmt.Fprintf(stdout, "%s\t%s\n", host.Name, host.Address); err != nil {
			return err
		}
	}
	return nil
}

// appendTo returns a flag function that collects its values.
func appendTo(values *[]string) func(string) error {
	return func(value string) error {
		*values = append(*values, value)
		return nil
	}
}
