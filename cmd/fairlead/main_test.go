package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the goldens and the scripts' expected files anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fairlead": main,
		"mkbundle": makeBundleCommand,
		"kubectl":  standInKubectl,
	})
}

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			env.Setenv("SSH_AUTH_SOCK", "")
			env.Values[testKey{}] = env.T()
			env.Values[registriesKey{}] = map[string]*imageRegistry{}
			return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "symlinked": symlinked, "mode": checkMode,
			"registry": registryCommand, "website": websiteCommand, "sshd": sshdCommand, "envsubst": envsubst,
		},
	})
}

// exits runs a program and compares its exit code: exits CODE PROGRAM ARGS…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want := args[0]; fmt.Sprint(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// symlinked checks that a path is still a symbolic link.
func symlinked(ts *testscript.TestScript, neg bool, args []string) {
	_, err := os.Readlink(ts.MkAbs(args[0]))
	if (err == nil) == neg {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// checkMode compares a file's permissions: mode OCTAL FILE.
func checkMode(ts *testscript.TestScript, _ bool, args []string) {
	matches, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(matches) == 0 {
		ts.Fatalf("no file matches %s", args[1])
	}
	for _, path := range matches {
		info, err := os.Stat(path)
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s, want %s", path, got, args[0])
		}
	}
}
