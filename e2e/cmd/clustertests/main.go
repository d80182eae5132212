// Command clustertests runs the tests that need labs, on several labs side by side.
//
//	clustertests [-run regexp] [-labs 2] [-beside command] -fairlead FILE
//
// It is called in the folder e2e. The tests are compiled once and put into groups by the table groups.txt; each lab takes the
// next group when it is through with one. What a group prints comes whole, in the form of "go test -v". The first Ctrl-C ends all
// tests and takes the labs down, the second one ends at once. The exit code is 0 only if every test passed.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"fairlead/e2e/bundle"
	"fairlead/e2e/lab"
)

//go:embed groups.txt
var table string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal is nobody's
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return
	case !errors.Is(err, errFailed):
		fmt.Fprintln(os.Stderr, "clustertests:", err)
	}
	os.Exit(1)
}

// options are the flags.
type options struct {
	run, fairlead string
	places        []place
	timeout       time.Duration
	beside        []string
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	kib, err := memory()
	if err != nil {
		return o, err
	}
	flags := flag.NewFlagSet("clustertests", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.run, "run", ".", "`regexp` of the tests, as go test takes it")
	flags.StringVar(&o.fairlead, "fairlead", "../bin/fairlead", "path of the `binary` to test")
	flags.DurationVar(&o.timeout, "timeout", 80*time.Minute, "for all tests together")
	labs := flags.Int("labs", suits(runtime.NumCPU(), kib), "number of labs")
	name := flags.String("lab", "fairlead-e2e", "`name` of the first lab; the others have it with -2, -3, … at its end")
	subnet := flags.String("subnet", "10.89.1.0/24", "IPv4 network of the first lab's hosts, 24 bits; the others have those that follow")
	beside := flags.String("beside", "", "`command` to run at the same time, words with spaces between them; its failure is one of the tests")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 || *labs < 1 {
		return o, errors.New("want flags alone, and at least one lab; clustertests -h lists the flags")
	}
	o.beside = strings.Fields(*beside)
	if o.fairlead, err = filepath.Abs(o.fairlead); err != nil {
		return o, err
	}
	if _, err := os.Stat(o.fairlead); err != nil {
		return o, fmt.Errorf("find fairlead (build it, or give -fairlead): %w", err)
	}
	o.places, err = places(*labs, *name, *subnet)
	return o, err
}

// run compiles, shares out and runs.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	deadline := time.Now()
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	deadline = deadline.Add(o.timeout)
	groups, err := parseTable(table)
	if err != nil {
		return fmt.Errorf("read table of groups: %w", err)
	}
	module, err := os.Getwd()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "clustertests-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	var suites []*suite
	for _, s := range []struct {
		name   string
		pinned bool
	}{{"cluster", false}, {"lab", true}} {
		made, err := compile(ctx, module, s.name, filepath.Join(folder, s.name+".test"), stderr)
		if err != nil {
			return err
		}
		made.pinned = s.pinned
		suites = append(suites, &made)
	}
	all, err := jobs(ctx, suites, o.run, groups)
	if err != nil {
		return err
	}
	// Each lab would wait for it; so its progress is seen.
	if _, err := bundle.Build(ctx, bundle.Options{Log: stderr}); err != nil {
		return err
	}
	outputs := filepath.Join(folder, "output")
	if err := os.Mkdir(outputs, 0o755); err != nil {
		return err
	}
	r := &runner{
		places: o.places, fairlead: o.fairlead, deadline: deadline, beside: o.beside, folder: outputs, stdout: stdout, stderr: stderr,
		down: func(ctx context.Context, p place) error {
			return lab.Down(ctx, lab.Options{Name: p.name, Subnet: p.subnet.String(), Log: stderr})
		},
	}
	return r.run(ctx, all)
}

// memory is the machine's, in KiB.
func memory() (int, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	var kib int
	if _, err := fmt.Fscanf(bytes.NewReader(text), "MemTotal: %d kB", &kib); err != nil {
		return 0, fmt.Errorf("read /proc/meminfo: %w", err)
	}
	return kib, nil
}
