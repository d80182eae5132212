// Command mutate asks whether the tests of a package would notice a fault. It makes small
// changes (mutants), one at a time, runs the tests over each and prints those that survive.
//
//	mutate [-n 60] [-seed 1] [-timeout 60s] [-files regexp] [-tests folder,folder] FOLDER...
//
// The source files are never touched: go test reads the changed one through an overlay. But
// the changed code is run, with the rights of whoever calls; look at what a package deletes
// before it is mutated.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// errUsage marks errors of the command line.
var errUsage = errors.New("usage: mutate [flags] FOLDER...; mutate -h lists the flags")

// options are the flags.
type options struct {
	count   int
	seed    uint64
	timeout time.Duration
	files   *regexp.Regexp
	tests   []string // folders whose tests are run too
	folders []string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := limitMemory()
	if err == nil {
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	stop()
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "mutate:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

// run mutates one package after the other.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	for _, folder := range o.folders {
		if err := mutate(ctx, folder, o, stdout); err != nil {
			return fmt.Errorf("mutate %s: %w", folder, err)
		}
	}
	return nil
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.count, "n", 60, "mutants of each package that are tried, those not counted that do not compile")
	flags.Uint64Var(&o.seed, "seed", 1, "which ones: the same seed draws the same mutants from the same source")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "how long the tests of one mutant may take; longer counts as noticed")
	files := flags.String("files", "", "mutate only files whose name matches this regular expression")
	tests := flags.String("tests", "", "folders whose tests are run too, with commas between them")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.folders = flags.Args(); len(o.folders) == 0 {
		return o, errUsage
	}
	if *tests != "" {
		o.tests = strings.Split(*tests, ",")
	}
	var err error
	if o.files, err = regexp.Compile(*files); err != nil {
		return o, fmt.Errorf("read -files: %w", err)
	}
	return o, nil
}

// mutate tries the mutants of one package and prints the survivors and the sum.
func mutate(ctx context.Context, folder string, o options, stdout io.Writer) error {
	s, err := newSuite(folder, o)
	if err != nil {
		return err
	}
	defer s.close()
	mutants, err := s.draw(o)
	if err != nil {
		return err
	}
	if v, err := s.try(ctx, nil); err != nil {
		return err
	} else if v != survived {
		return fmt.Errorf("the tests fail without any change:\n%s", s.output)
	}
	var of score
	for i := 0; i < len(mutants) && of.tried() < o.count; i++ {
		m := mutants[i]
		v, err := s.try(ctx, &m)
		if err != nil {
			return err
		}
		of[v]++
		if v == survived {
			fmt.Fprintf(stdout, "%s/%s\n", s.name, m)
		}
	}
	fmt.Fprintf(stdout, "%s: %s\n", s.name, of)
	return nil
}

// verdict is what became of a mutant.
type verdict int

const (
	survived verdict = iota
	noticed
	broken // does not compile: nobody could commit it
	verdicts
)

// score counts mutants by verdict.
type score [verdicts]int

func (s score) tried() int { return s[survived] + s[noticed] }

func (s score) String() string {
	percent := 0
	if s.tried() > 0 {
		percent = (200*s[noticed] + s.tried()) / (2 * s.tried()) // rounded
	}
	return fmt.Sprintf("%d of %d noticed (%d %%), %d did not compile", s[noticed], s.tried(), percent, s[broken])
}
