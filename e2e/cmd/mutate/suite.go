package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// suite is a package and the tests that are run over each of its mutants.
type suite struct {
	name    string // from the module's root, without "./"
	folder  string // absolute
	root    string // of the module
	scratch string // mutants, and what tests leave behind that were ended early
	args    []string
	output  []byte // of the last run
}

func newSuite(folder string, o options) (*suite, error) {
	s := &suite{args: []string{"-vet", "off", "-short", "-count", "1", "-failfast", "-timeout", o.timeout.String()}}
	var err error
	if s.folder, err = filepath.Abs(folder); err != nil {
		return nil, err
	}
	if s.root, err = moduleRoot(s.folder); err != nil {
		return nil, err
	}
	if s.name, err = filepath.Rel(s.root, s.folder); err != nil {
		return nil, err
	}
	for _, tests := range append([]string{s.folder}, o.tests...) {
		if tests, err = filepath.Abs(tests); err != nil {
			return nil, err
		}
		if tests, err = filepath.Rel(s.root, tests); err != nil {
			return nil, err
		}
		s.args = append(s.args, "./"+tests)
	}
	s.scratch, err = os.MkdirTemp("", "mut")
	return s, err
}

func (s *suite) close() { os.RemoveAll(s.scratch) }

// moduleRoot is the nearest folder upwards that has a go.mod.
func moduleRoot(folder string) (string, error) {
	for at := folder; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find go.mod above %s: there is none", folder)
		}
	}
}

// draw finds all mutants of the package and shuffles them.
func (s *suite) draw(o options) ([]mutant, error) {
	files, err := build.ImportDir(s.folder, 0)
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, name := range files.GoFiles {
		if !o.files.MatchString(name) {
			continue
		}
		src, err := os.ReadFile(filepath.Join(s.folder, name))
		if err != nil {
			return nil, err
		}
		some, err := collect(name, src)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	rand.New(rand.NewPCG(o.seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all, nil
}

// try runs the tests over a mutant, or over the source as it is.
func (s *suite) try(ctx context.Context, m *mutant) (verdict, error) {
	args := []string{"test"}
	if m != nil {
		overlay, err := s.overlay(*m)
		if err != nil {
			return broken, err
		}
		args = append(args, "-overlay", overlay)
	}
	tests := exec.CommandContext(ctx, "go", append(args, s.args...)...)
	tests.Dir = s.root
	tests.Env = append(os.Environ(), "TMPDIR="+s.scratch)
	tests.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// The whole group ends with the run: a test that was ended early leaves children behind.
	tests.Cancel = func() error { return syscall.Kill(-tests.Process.Pid, syscall.SIGKILL) }
	tests.WaitDelay = 5 * time.Second
	out, err := tests.CombinedOutput()
	if tests.Process != nil {
		_ = syscall.Kill(-tests.Process.Pid, syscall.SIGKILL)
	}
	s.output = out
	return judge(ctx, out, err)
}

// overlay writes a mutant and the file that tells the go command to read it.
func (s *suite) overlay(m mutant) (string, error) {
	changed, list := filepath.Join(s.scratch, "mutant.go"), filepath.Join(s.scratch, "overlay.json")
	replace := map[string]map[string]string{"Replace": {filepath.Join(s.folder, m.file): changed}}
	content, err := json.Marshal(replace)
	if err != nil {
		return "", err
	}
	return list, errors.Join(os.WriteFile(changed, m.changed(), 0o600), os.WriteFile(list, content, 0o600))
}

// judge tells from the output of go test what became of the mutant.
func judge(ctx context.Context, out []byte, err error) (verdict, error) {
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return broken, ctx.Err()
	case err == nil || errors.Is(err, exec.ErrWaitDelay): // the latter: passed, and left a child behind
		return survived, nil
	case !errors.As(err, &exit):
		return broken, fmt.Errorf("run go test: %w", err)
	case regexp.MustCompile(`(?m)^FAIL\s+\S+ \[(build|setup) failed\]$`).Match(out):
		return broken, nil
	case !bytes.Contains(out, []byte("FAIL")):
		return broken, fmt.Errorf("run go test: %w: %s", err, out)
	}
	return noticed, nil
}

// limitMemory bounds what tests may take: a loop without an end that appends would eat the
// machine before its time is over.
func limitMemory() error {
	const most = 4 << 30
	var now syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_DATA, &now)
	if err == nil {
		now.Cur = min(now.Max, most)
		err = syscall.Setrlimit(syscall.RLIMIT_DATA, &now)
	}
	if err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	return nil
}
