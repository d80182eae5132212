package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"fairlead/provision/bundle"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"
	"oras.land/oras-go/v2/content/oci"
)

var update = flag.Bool("update", false, "write the goldens and the scripts' expected files anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fairlead": main,
		"mkbundle": makeBundleCommand,
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
			return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "symlinked": symlinked, "mode": checkMode,
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

// makeBundleCommand makes a bundle that holds the needed components without files:
// mkbundle FOLDER.
func makeBundleCommand() {
	if err := makeBundle(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func makeBundle(ctx context.Context, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	store, err := oci.New(folder)
	if err != nil {
		return err
	}
	manifest := bundle.Manifest{SchemaVersion: 1, KubernetesVersion: "1.37.2", Architecture: "amd64"}
	for _, name := range []string{bundle.Kubernetes, bundle.Containerd, bundle.Runc, bundle.CNIPlugins} {
		manifest.Components = append(manifest.Components, bundle.Component{Name: name, Version: "1.0.0"})
	}
	for _, name := range []string{"pause", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd", "coredns", "flannel"} {
		manifest.Images = append(manifest.Images, bundle.Image{
			Name: "registry.k8s.io/" + name + ":v1.37.2", Digest: digest.FromString(name),
			Roles: []string{bundle.RoleControlPlane, bundle.RoleWorker},
		})
	}
	layer, err := pushJSON(ctx, store, bundle.ManifestMediaType, manifest)
	if err != nil {
		return err
	}
	config, err := pushJSON(ctx, store, ocispec.MediaTypeEmptyJSON, struct{}{})
	if err != nil {
		return err
	}
	top := ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest, ArtifactType: bundle.ManifestArtifactType,
		Config: config, Layers: []ocispec.Descriptor{layer},
	}
	top.SchemaVersion = 2
	tagged, err := pushJSON(ctx, store, ocispec.MediaTypeImageManifest, top)
	if err != nil {
		return err
	}
	return store.Tag(ctx, tagged, bundle.ManifestRef)
}

func pushJSON(ctx context.Context, store *oci.Store, mediaType string, value any) (ocispec.Descriptor, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	return desc, store.Push(ctx, desc, bytes.NewReader(data))
}
