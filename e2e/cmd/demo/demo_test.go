package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnnotatedExplainsAndChangesNothing(t *testing.T) {
	plain, err := os.ReadFile("../../lab/testdata/cgroup-v1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := annotated(string(plain))
	var rest strings.Builder
	comments := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			comments++
			continue
		}
		rest.WriteString(line)
	}
	if rest.String() != string(plain) || comments != 5 {
		t.Errorf("%d comments in:\n%s", comments, text)
	}
}

func TestManifestsNameEachNode(t *testing.T) {
	text := manifests([]string{"w1", "w2"})
	if strings.Contains(text, "@") || strings.Count(text, "kind: ") != 6 || strings.Count(text, "\n---\n") != 5 {
		t.Errorf("got:\n%s", text)
	}
	for _, node := range []string{"w1", "w2"} {
		if !strings.Contains(text, "kubernetes.io/hostname: "+node+"\n") {
			t.Errorf("no pod for %s", node)
		}
	}
}

func TestShown(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(root, "demo"): "demo",
		"/elsewhere/demo":           "/elsewhere/demo",
	} {
		if got := shown(path); got != want {
			t.Errorf("shown(%q) = %q, want %q", path, got, want)
		}
	}
}
