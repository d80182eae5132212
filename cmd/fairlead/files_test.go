package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const newKubeconfig = `apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster: {server: "https://192.0.2.11:6443", certificate-authority-data: Q0E=}
users:
- name: cluster-admin
  user: {client-certificate-data: Q0VSVA==, client-key-data: c2VjcmV0}
contexts:
- name: lab
  context: {cluster: lab, user: cluster-admin}
current-context: lab
`

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func onlyFiles(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s holds %v, want %v", folder, got, want)
	}
}

func TestMergeIntoNewFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), ".kube")
	path := filepath.Join(folder, "config")
	if err := mergeInto(path, []byte(newKubeconfig), "lab"); err != nil {
		t.Fatal(err)
	}
	if text := read(t, path); !strings.Contains(text, "current-context: lab") {
		t.Errorf("kubeconfig is %s", text)
	}
	for name, want := range map[string]os.FileMode{folder: 0o700, path: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want mode %o", name, info.Mode(), err, want)
		}
	}
	onlyFiles(t, folder, "config")
}

func TestMergeIntoFollowsLinksAndKeepsTheRest(t *testing.T) {
	folder := t.TempDir()
	real, link := filepath.Join(folder, "real"), filepath.Join(folder, "config")
	write(t, real, "apiVersion: v1\nkind: Config\n# mine\nclusters:\n- name: home\n  cluster: {server: https://home}\n", 0o644)
	if err := os.Symlink("real", link); err != nil {
		t.Fatal(err)
	}
	if err := mergeInto(link, []byte(newKubeconfig), "lab"); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != "real" {
		t.Errorf("the link is %q, %v", target, err)
	}
	for _, part := range []string{"# mine", "https://home", "https://192.0.2.11:6443"} {
		if !strings.Contains(read(t, real), part) {
			t.Errorf("%q is missing in %s", part, read(t, real))
		}
	}
	info, err := os.Stat(real)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, %v: it holds a private key now", info.Mode(), err)
	}
	if err := mergeInto(link, []byte(newKubeconfig), "lab"); err != nil {
		t.Fatal(err)
	}
	again, err := os.Stat(real)
	if err != nil || !os.SameFile(info, again) {
		t.Error("a merge that changes nothing replaced the file")
	}
	onlyFiles(t, folder, "config", "real")
}

func TestMergeIntoRefuses(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "config")
	write(t, path, "clusters: 5\n", 0o600)
	if err := mergeInto(path, []byte(newKubeconfig), "lab"); err == nil {
		t.Error("a broken kubeconfig was accepted")
	}
	if read(t, path) != "clusters: 5\n" {
		t.Error("a broken kubeconfig was changed")
	}
	write(t, filepath.Join(folder, "file"), "", 0o600)
	if err := mergeInto(filepath.Join(folder, "file", "config"), []byte(newKubeconfig), "lab"); err == nil {
		t.Error("a file is no folder")
	}
	onlyFiles(t, folder, "config", "file")
}

func TestReplaceFileThroughDanglingLink(t *testing.T) {
	folder := t.TempDir()
	link := filepath.Join(folder, "link")
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(link, []byte("x"), 0o640); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(filepath.Join(folder, "target"))
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("the target is %v, %v", info, err)
	}
	loop := filepath.Join(folder, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(loop, []byte("x"), 0o640); err == nil {
		t.Error("a link to itself was followed to an end")
	}
}

func TestKubeconfigPath(t *testing.T) {
	t.Setenv("HOME", "/home/ann")
	for value, want := range map[string]string{
		"":                                     "/home/ann/.kube/config",
		"/a":                                   "/a",
		"/a:/b":                                "/a",
		":/b":                                  "/b",
		string([]byte{filepath.ListSeparator}): "/home/ann/.kube/config",
	} {
		p := &program{env: func(name string) string { return map[string]string{"KUBECONFIG": value}[name] }}
		if got, err := p.kubeconfigPath(); got != want || err != nil {
			t.Errorf("KUBECONFIG=%q: %q, %v, want %q", value, got, err, want)
		}
	}
}

func TestDebugLog(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	folder := filepath.Join(cache, "fairlead", "log")
	var last *debugLog
	for i := range keptLogs + 3 {
		log, err := openLog("up", clock(0).Add(time.Duration(i)*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("number", "i", i)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		last = log
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != keptLogs {
		t.Fatalf("%d logs are kept, %v, want %d", len(entries), err, keptLogs)
	}
	if got := entries[0].Name(); got != "20261122T100000.003Z-up.log" {
		t.Errorf("the oldest log is %s", got)
	}
	info, err := os.Stat(last.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log is %v, %v", info.Mode(), err)
	}
	if text := read(t, last.path); !strings.Contains(text, `"msg":"number","i":22`) {
		t.Errorf("the log says %s", text)
	}
}

func TestDebugLogWithoutFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "", 0o600)
	t.Setenv("XDG_CACHE_HOME", file)
	log, err := openLog("up", clock(0))
	if err == nil || log == nil || log.path != "" {
		t.Fatalf("log %v, error %v", log, err)
	}
	log.Info("goes nowhere")
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}

func TestAsk(t *testing.T) {
	for answer, want := range map[string]error{"lab\n": nil, " LAB \n": nil, "lab": nil, "yes\n": errDeclined, "l\n": errDeclined, "\n": errDeclined, "": errDeclined} {
		var out bytes.Buffer
		p := &program{stdin: strings.NewReader(answer), stderr: &out}
		if err := p.ask(t.Context(), "Really? ", "lab"); err != want { //nolint:errorlint // the very error
			t.Errorf("%q: %v, want %v", answer, err, want)
		}
		if out.String() != "Really? " {
			t.Errorf("asked %q", out.String())
		}
	}
}
