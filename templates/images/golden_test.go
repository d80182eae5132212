package images

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file in testdata, or writes it there.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update rewrites it)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func testOptions(t testing.TB) Options {
	t.Helper()
	return Options{
		Rules: testRules(t),
		Known: []string{"docker.io/library/nginx:1.27", "quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0"},
	}
}

// inputs are the manifests in testdata.
func inputs(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.in.*")
	if err != nil || len(paths) == 0 {
		t.Fatal("no manifests:", err)
	}
	return paths
}

func TestRewriteStreamGolden(t *testing.T) {
	for _, path := range inputs(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			result, err := RewriteStream(text, testOptions(t))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.Replace(path, ".in.", ".out.", 1), result.Text)
			golden(t, strings.TrimSuffix(path, ".in"+filepath.Ext(path))+".report", report(result))
			onlyImages(t, text, result)
			again, err := RewriteStream(result.Text, testOptions(t))
			if err != nil || !bytes.Equal(again.Text, result.Text) {
				t.Errorf("a second time changes more: %v\n%s", err, again.Text)
			}
		})
	}
}

func report(r Result) []byte {
	var b bytes.Buffer
	for _, i := range r.Images {
		fmt.Fprintf(&b, "%d: %s: %s: %s\n\t-> %s\n", i.Line, i.Object, i.Path, i.From, i.To)
	}
	for _, s := range r.Suspects {
		fmt.Fprintf(&b, "%d: %s: %s: suspect %s\n", s.Line, s.Object, s.Path, s.Value)
	}
	return b.Bytes()
}

// onlyImages checks line by line, without the parser, that images are all that
// differs.
func onlyImages(t *testing.T, before []byte, r Result) {
	t.Helper()
	old, now := strings.SplitAfter(string(before), "\n"), strings.SplitAfter(string(r.Text), "\n")
	if len(old) != len(now) {
		t.Fatalf("%d lines became %d", len(old), len(now))
	}
	for i := range old {
		if old[i] != now[i] && !explained(old[i], now[i], r.Images) {
			t.Errorf("line %d: %q became %q", i+1, old[i], now[i])
		}
	}
}

// explained says that one image makes the difference of two lines.
func explained(old, now string, images []Image) bool {
	for _, i := range images {
		// An image in escapes, and one that needs quotes now, is written anew.
		escaped := strings.NewReplacer(`nginx\x3A3`, "nginx:3", `.io\/`, ".io/", `.io\x2F`, ".io/").Replace(old)
		for _, from := range []string{old, escaped} {
			if strings.Replace(from, i.From, i.To, 1) == now || strings.Replace(from, i.From, `"`+i.To+`"`, 1) == now {
				return true
			}
		}
	}
	return false
}
