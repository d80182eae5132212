package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// majorVersion is the last element of a module's path that names no program.
var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// compile builds all binaries of a set into dir and checks them.
func compile(ctx context.Context, s set, module, dir, arch string, log logger) error {
	argv := []string{"go", "build", "-trimpath"}
	if len(s.Tags) > 0 {
		argv = append(argv, "-tags", strings.Join(s.Tags, ","))
	}
	flags := append([]string{"-s", "-w"}, s.LDFlags...)
	argv = append(argv, "-ldflags", strings.Join(flags, " "), "-o", dir+string(filepath.Separator))
	for _, b := range s.Binaries {
		argv = append(argv, b.Package)
	}
	cgo := "0"
	if s.CGO {
		cgo = "1"
	}
	env := []string{
		"GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off",
		"GOOS=linux", "GOARCH=" + arch, "CGO_ENABLED=" + cgo,
	}
	if _, err := (command{argv: argv, dir: module, env: env, live: log.w}).run(ctx); err != nil {
		return err
	}
	for _, b := range s.Binaries {
		if err := rename(dir, programName(b.Package), b.Name); err != nil {
			return err
		}
	}
	return verifyBinaries(ctx, s, dir)
}

// programName is how the go command names the program of a main package.
func programName(pkg string) string {
	base := path.Base(pkg)
	if majorVersion.MatchString(base) {
		base = path.Base(path.Dir(pkg))
	}
	return base
}

func rename(dir, from, to string) error {
	if from == to {
		return nil
	}
	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
		return fmt.Errorf("rename binary: %w", err)
	}
	return nil
}

// verifyBinaries runs the checks of a set, so that no binary of another version than
// the recipe says comes into the cache.
func verifyBinaries(ctx context.Context, s set, dir string) error {
	var problems []error
	for _, c := range s.Checks {
		var output strings.Builder
		argv := append([]string{filepath.Join(dir, c.Binary)}, c.Args...)
		if _, err := (command{argv: argv, live: &output}).run(ctx); err != nil {
			problems = append(problems, err)
			continue
		}
		if !strings.Contains(output.String(), c.Want) {
			problems = append(problems, fmt.Errorf("check %s: it says %q, want %q", c.Binary, strings.TrimSpace(output.String()), c.Want))
		}
	}
	return errors.Join(problems...)
}
