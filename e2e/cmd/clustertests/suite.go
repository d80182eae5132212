package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"fairlead/e2e/child"
)

// endTime is how long tests that were asked to end may take to take their lab down.
const endTime = 3 * time.Minute

// pinnedTime is what tests with labs of their own take.
const pinnedTime = 15 * time.Second

// suite is a package of tests that need labs, compiled.
type suite struct {
	name   string // its import path
	folder string // where its tests run
	binary string
	pinned bool // its tests have labs of their own: they get no flags, and are one group
	names  []string
}

// compile makes the suite of a package of this module.
func compile(ctx context.Context, module, name, binary string, stderr io.Writer) (suite, error) {
	cmd := child.Command(ctx, "go", "test", "-c", "-tags", "cluster", "-o", binary, "./"+name)
	cmd.Dir, cmd.Stdout, cmd.Stderr = module, stderr, stderr
	if err := cmd.Run(); err != nil {
		return suite{}, fmt.Errorf("compile tests of %s: %w", name, errors.Join(err, ctx.Err()))
	}
	return suite{name: "fairlead/e2e/" + name, folder: filepath.Join(module, name), binary: binary}, nil
}

// list asks the suite for its tests that a pattern chooses, and for all of them.
func (s *suite) list(ctx context.Context, pattern string) (chosen []string, err error) {
	ask := func(pattern string) ([]string, error) {
		cmd := child.Command(ctx, s.binary, "-test.list", pattern)
		cmd.Dir = s.folder
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("list tests of %s: %w: %s", s.name, err, strings.TrimSpace(stderr.String()))
		}
		isTest := regexp.MustCompile(`^Test\S*$`)
		return slices.DeleteFunc(strings.Fields(string(out)), func(word string) bool { return !isTest.MatchString(word) }), nil
	}
	if s.names, err = ask("."); err != nil {
		return nil, err
	}
	return ask(topLevel(pattern))
}

// job is a group of a suite.
type job struct {
	group
	suite   *suite
	pattern string // of go test -run
}

// command runs the job on a lab within a time. All else that the pattern chooses is skipped, so that the pattern may name
// subtests, too. When ctx ends it is asked to end: it takes its lab down then.
func (j job) command(ctx context.Context, place place, limit time.Duration, fairlead string) *exec.Cmd {
	args := []string{"-test.v", "-test.paniconexit0", "-test.timeout", limit.String(), "-test.run", j.pattern}
	others := slices.DeleteFunc(slices.Clone(j.suite.names), func(name string) bool { return slices.Contains(j.tests, name) })
	if len(others) > 0 {
		args = append(args, "-test.skip", "^("+strings.Join(others, "|")+")$")
	}
	if !j.suite.pinned {
		args = append(args, "-fairlead", fairlead, "-lab", place.name, "-subnet", place.subnet.String())
	}
	cmd := exec.CommandContext(ctx, j.suite.binary, args...)
	cmd.Dir = j.suite.folder
	asked(cmd)
	return cmd
}

// asked has a program be asked to end, it alone and once, and be killed only long after.
func asked(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = endTime
}

// jobs are those of all suites, in the order in which they are to begin.
func jobs(ctx context.Context, suites []*suite, pattern string, table []group) ([]job, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	var all []job
	for _, s := range suites {
		chosen, err := s.list(ctx, pattern)
		if err != nil {
			return nil, err
		}
		groups := share(chosen, table)
		if s.pinned && len(chosen) > 0 {
			groups = []group{{tests: chosen, took: pinnedTime}}
		}
		for _, g := range groups {
			all = append(all, job{g, s, pattern})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("-run %s: no test has such a name", pattern)
	}
	return all, nil
}
