package apply_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"fairlead/provision/bundle"
	"fairlead/provision/event"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/templates"

	"github.com/opencontainers/go-digest"
)

// big is more than any buffer on the way takes at once.
var big = strings.Repeat("0123456789abcdef", 1<<16)

// progressed checks that bytes were reported, that each report had the total, and that the last one was of all.
func (w *world) progressed(total int64) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Kind != event.Progress || e.Total != total {
			w.t.Errorf("event %+v, want progress of %d", e, total)
		}
	}
	if n := len(w.events); n == 0 || w.events[n-1].Bytes != total {
		w.t.Errorf("%d events, the last does not say that all was sent", n)
	}
}

// TestInstallLayers sends layers in one stream and in their order, and names the files that must come.
func TestInstallLayers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l := &layout{t: t, dir: t.TempDir()}
		first, second := l.layer(big, "/usr/bin/a", "/usr/bin/b"), l.layer("second", "/usr/bin/c")
		w.applier.Bundle = l.open()
		var got []byte
		w.cp1.answer(answer{}, templates.ScriptRecord)
		w.cp1.answer(answer{do: func(_ []string, input []byte) { got = input }}, templates.ScriptInstallLayers)
		w.well(w.do(plan.InstallLayers{Layers: []bundle.Layer{first, second}}))
		sum := func(path string) string { return " " + digest.FromString(path).Encoded() + ":" + path }
		w.did("cp1: record file:/usr/bin/a file:/usr/bin/b file:/usr/bin/c", "cp1: install-layers"+sum("/usr/bin/a")+sum("/usr/bin/b")+sum("/usr/bin/c"))
		if string(got) != big+"second" {
			t.Errorf("%d bytes were sent", len(got))
		}
		w.progressed(int64(len(big + "second")))
	})
}

// TestInstallLayersFails has the host and the bundle each be at fault: the error is the one of who is.
func TestInstallLayersFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		damage bool
		says   func(error) bool
	}{
		"host, all read":     {answer{code: 1, stderr: "tar: broken\n"}, false, isExit},
		"host, nothing read": {answer{code: 1, stderr: "tar: broken\n", deaf: true}, false, isExit},
		"bundle":             {answer{}, true, func(err error) bool { return errors.Is(err, bundle.ErrCorrupt) }},
		"host and bundle":    {answer{code: 1, stderr: "gzip: unexpected end\n"}, true, func(err error) bool { return errors.Is(err, bundle.ErrCorrupt) }},
		"nobody":             {answer{deaf: true}, false, func(err error) bool { return err == nil }},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				l := &layout{t: t, dir: t.TempDir()}
				layer := l.layer(big)
				w.applier.Bundle = l.open()
				if c.damage {
					l.write(blobPath(layer.Digest), []byte(strings.Replace(big, "0", "1", 1)))
				}
				w.cp1.answer(c.answer, templates.ScriptInstallLayers)
				err := w.perform(t.Context(), step("cp1", plan.InstallLayers{Layers: []bundle.Layer{layer}}))
				if !c.says(err) || err != nil && !strings.HasPrefix(err.Error(), "install files from the bundle: ") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// isExit tells the error of a command that failed on the host, which nothing else is said of.
func isExit(err error) bool {
	var exit *remote.ExitError
	return errors.As(err, &exit) && errors.Unwrap(err) == error(exit) //nolint:errorlint // it must be the very next
}

// TestLayerIsMissing has the bundle not hold what its manifest promises.
func TestLayerIsMissing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.applier.Bundle = (&layout{t: t, dir: t.TempDir()}).open()
		w.cp1.answer(answer{}, templates.ScriptInstallLayers)
		lost := bundle.Layer{Digest: digest.FromString("lost"), Size: 4}
		if said := w.do(plan.InstallLayers{Layers: []bundle.Layer{lost}}); !strings.HasPrefix(said, "install files from the bundle: open blob "+lost.Digest.String()) {
			t.Errorf("said %q", said)
		}
	})
}

// TestStreamIsStopped ends the run while a stream goes on: the command is ended, too, and the error says that it was stopped.
func TestStreamIsStopped(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l := &layout{t: t, dir: t.TempDir()}
		layer := l.layer(big)
		w.applier.Bundle = l.open()
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("interrupted")
		w.cp1.answer(answer{deaf: true, hangs: true, do: func([]string, []byte) { cancel(why) }}, templates.ScriptInstallLayers)
		if err := w.perform(ctx, step("cp1", plan.InstallLayers{Layers: []bundle.Layer{layer}})); !errors.Is(err, why) || errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v", err)
		}
	})
}

// TestImportImages sends images without the blobs that the host has already.
func TestImportImages(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l := &layout{t: t, dir: t.TempDir()}
		images := []bundle.Image{l.image("example.test/a:1", "base", "of a"), l.image("example.test/b:2", "base", "of b")}
		l.image("example.test/c:3", "of c")
		w.applier.Bundle = l.open()
		var got []byte
		w.cp1.answer(answer{stdout: digest.FromString("base").String() + "\n" + digest.FromString("of b").String() + "\n"}, templates.ScriptListBlobs)
		w.cp1.answer(answer{do: func(_ []string, input []byte) { got = input }}, templates.ScriptImportImages)
		w.well(w.do(plan.ImportImages{Images: images}))
		w.did("cp1: list-blobs", "cp1: import-images")
		names := tarNames(t, got)
		want := []string{"oci-layout", blobPath(images[0].Digest), blobPath(digest.FromString(`{"for":"example.test/a:1"}`)), blobPath(digest.FromString("of a")),
			blobPath(images[1].Digest), blobPath(digest.FromString(`{"for":"example.test/b:2"}`)), "index.json"}
		if !slices.Equal(names, want) {
			t.Errorf("sent was %q, want %q", names, want)
		}
		if last := w.events[len(w.events)-1]; last.Bytes != int64(len(got)) || last.Total != max(last.Bytes, images[0].Size+images[1].Size) {
			t.Errorf("%+v of %d bytes", last, len(got))
		}
	})
}

// tarNames are the names of the files in a tar.
func tarNames(t *testing.T, data []byte) []string {
	t.Helper()
	var names []string
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
	}
}

// TestImportImagesAgain has an import fail that relied on blobs of the host: it is tried once more with all, and only once.
func TestImportImagesAgain(t *testing.T) {
	for name, c := range map[string]struct {
		there []string // contents of blobs that the host has
		fails int      // how many imports
		runs  int
		well  bool
	}{
		"a blob was collected":    {there: []string{"base"}, fails: 1, runs: 2, well: true},
		"it fails again":          {there: []string{"base"}, fails: 2, runs: 2},
		"nothing was left out":    {fails: 1, runs: 1},
		"nothing of use is there": {there: []string{"other"}, fails: 1, runs: 1},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				l := &layout{t: t, dir: t.TempDir()}
				images := []bundle.Image{l.image("example.test/a:1", "base", "of a")}
				w.applier.Bundle = l.open()
				var listed strings.Builder
				for _, content := range c.there {
					listed.WriteString(digest.FromString(content).String() + "\n")
				}
				w.cp1.answer(answer{stdout: listed.String()}, templates.ScriptListBlobs)
				var sent [][]string
				keep := func(_ []string, input []byte) {
					if sent = append(sent, tarNames(t, input)); len(sent) == c.fails {
						w.cp1.answer(answer{do: func(_ []string, input []byte) { sent = append(sent, tarNames(t, input)) }}, templates.ScriptImportImages)
					}
				}
				w.cp1.answer(answer{code: 1, stderr: "ctr: content digest sha256:1: not found\n", do: keep}, templates.ScriptImportImages)
				err := w.perform(t.Context(), step("cp1", plan.ImportImages{Images: images}))
				if (err == nil) != c.well || len(sent) != c.runs {
					t.Errorf("got %v after %d imports", err, len(sent))
				}
				if base := blobPath(digest.FromString("base")); c.runs == 2 && (slices.Contains(sent[0], base) || !slices.Contains(sent[1], base)) {
					t.Errorf("sent %q", sent)
				}
				said := slices.ContainsFunc(w.events, func(e event.Event) bool {
					return e.Kind == event.Output && strings.Contains(e.Message, "not found; once more with all of them")
				})
				if said != (c.runs == 2) {
					t.Errorf("the reason was said: %v", said)
				}
			})
		})
	}
}

// TestImportImagesFails has what comes before the import fail, and the import itself.
func TestImportImagesFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l := &layout{t: t, dir: t.TempDir()}
		action := plan.ImportImages{Images: []bundle.Image{l.image("example.test/a:1", big)}}
		w.applier.Bundle = l.open()
		w.cp1.answer(answer{code: 1, stderr: "ctr: no containerd\n"}, templates.ScriptListBlobs)
		if said := w.do(action); !strings.HasPrefix(said, "list the blobs that the host has: ") || !strings.HasSuffix(said, "ctr: no containerd") {
			t.Errorf("said %q", said)
		}
		w.did("cp1: list-blobs")
		w.cp1.answer(answer{}, templates.ScriptListBlobs)
		w.cp1.answer(answer{code: 1, stderr: "ctr: no space left\n", deaf: true}, templates.ScriptImportImages)
		err := w.perform(t.Context(), step("cp1", action))
		if !isExit(err) || err.Error() != "import images: exit 1: ctr: no space left" {
			t.Errorf("got %v", err)
		}
		w.cp1.answer(answer{}, templates.ScriptImportImages)
		lost := plan.ImportImages{Images: []bundle.Image{{Name: "example.test/lost:1"}}}
		if said := w.do(lost); !strings.HasPrefix(said, "import images: find image example.test/lost:1 in the bundle: ") {
			t.Errorf("said %q", said)
		}
	})
}
