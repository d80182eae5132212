package apply_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/provision/plan"
	"fairlead/templates"

	"github.com/opencontainers/go-digest"
)

// undials is the journal without connections, of which there may be any number.
func (w *world) undials() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal = slices.DeleteFunc(w.journal, func(entry string) bool { return entry == "cp1: dial 127.0.0.1:15000" })
}

// wroteSafely checks that the registry was written to as it should be: the password was there before the writer came and went after
// it, and nothing is left of either.
func (w *world) wroteSafely() {
	w.t.Helper()
	w.undials()
	w.did("cp1: write "+passwords+" 600", startWriter, stopWriter, "cp1: remove-files "+passwords)
	if got := w.cp1.file(passwords); got != "absent" {
		w.t.Errorf("the file of passwords is %s", got)
	}
	if conn, err := w.cp1.dial("127.0.0.1:15000"); err == nil {
		conn.Close()
		w.t.Error("the writer runs")
	}
}

// TestFillRegistry uploads images of the bundle under their new names by a writer that is there for this alone, with a password
// that is new each time.
func TestFillRegistry(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l := &layout{t: t, dir: t.TempDir()}
		image := l.image("example.test/a:1", "layer of a")
		w.applier.Bundle = l.open()
		registry := w.addWriter()
		fill := plan.FillRegistry{Items: []plan.Upload{{From: image.Name, Repository: "mirror/a", Tag: "one", Digest: image.Digest}}}
		w.well(w.do(fill))
		w.wroteSafely()
		layer := "/v2/mirror/a/blobs/" + digest.FromString("layer of a").String()
		if !registry.has(layer) || !registry.has("/v2/mirror/a/manifests/one") {
			t.Errorf("the registry holds %v", registry.stored)
		}
		if last, all := w.events[len(w.events)-1], int64(len("layer of a")+len(`{"for":"example.test/a:1"}`)); last.Bytes != all || last.Total != all {
			t.Errorf("last was told %+v, want %d bytes", last, all)
		}
		first := registry.used(t)

		w.well(w.do(fill))
		w.wroteSafely()
		if registry.used(t) == first {
			t.Error("the password is the one of the run before")
		}
		fill.Items[0].Digest = digest.FromString("another")
		if said := w.do(fill); !strings.HasPrefix(said, "read image example.test/a:1: the source holds ") {
			t.Errorf("said %q", said)
		}
		w.wroteSafely()
	})
}

// TestDeleteImage takes one image out of the registry, and says when there is none.
func TestDeleteImage(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		registry := w.addWriter()
		path := "/v2/mirror/a/manifests/" + digest.FromString("{}").String()
		registry.stored["/v2/mirror/a/manifests/one"], registry.stored[path], registry.stored["/v2/mirror/b/manifests/one"] = "{}", "{}", "{}"
		w.well(w.do(plan.DeleteImage{Repository: "mirror/a", Tag: "one"}))
		w.wroteSafely()
		if registry.has(path) || !registry.has("/v2/mirror/b/manifests/one") {
			t.Errorf("the registry holds %v", registry.stored)
		}
		if said := w.do(plan.DeleteImage{Repository: "mirror/a", Tag: "two"}); !strings.Contains(said, "mirror/a:two") {
			t.Errorf("said %q", said)
		}
		w.wroteSafely()
		registry.used(t)
	})
}

// TestWriterFails has each part of the way to the registry's writer fail. What was started is stopped, and the password goes.
func TestWriterFails(t *testing.T) {
	write, start, stop, forget := "cp1: write "+passwords+" 600", startWriter, stopWriter, "cp1: remove-files "+passwords
	fails := answer{code: 1, stderr: "no\n"}
	for name, c := range map[string]struct {
		spoil func(w *world)
		says  []string
		done  []string
	}{
		"password": {func(w *world) { w.cp1.fails("write "+passwords, "No space left on device") }, []string{"write " + passwords + ": "}, []string{write}},
		"start": {func(w *world) { w.cp1.answer(fails, templates.ScriptRestartUnit) },
			[]string{"start the registry's writer: exit 1: no"}, []string{write, start, stop, forget}},
		"answers": {func(w *world) { w.cp1.dial = nil }, []string{"wait for registry 127.0.0.1:15000: ", "registry is unreachable"}, []string{write, start, stop, forget}},
		"stop": {func(w *world) { w.cp1.answer(fails, templates.ScriptStopUnit) },
			[]string{"stop the registry's writer: exit 1: no"}, []string{write, start, stop, forget}},
		"forget": {func(w *world) { w.cp1.answer(fails, templates.ScriptRemoveFiles) },
			[]string{"remove " + passwords + ": exit 1: no"}, []string{write, start, stop, forget}},
		"all": {func(w *world) {
			w.cp1.answer(fails, templates.ScriptRestartUnit, templates.ScriptStopUnit, templates.ScriptRemoveFiles)
		},
			[]string{"start the registry's writer: exit 1: no", "\nstop the registry's writer: exit 1: no", "\nremove " + passwords + ": exit 1: no"}, []string{write, start, stop, forget}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				registry := w.addWriter()
				registry.stored["/v2/a/manifests/one"] = "{}"
				c.spoil(w)
				said := w.do(plan.DeleteImage{Repository: "a", Tag: "one"})
				for _, want := range c.says {
					if !strings.Contains(said, want) {
						t.Errorf("said %q, want %q in it", said, want)
					}
				}
				w.undials()
				w.did(c.done...)
			})
		})
	}
}

// TestWriterIsStopped ends the run while the writer is waited for: it is stopped all the same, and its password goes. When the host does
// not do that either, the run ends in spite of it.
func TestWriterIsStopped(t *testing.T) {
	for name, hangs := range map[string]bool{"stops": false, "hangs": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.addWriter()
				ctx, cancel := context.WithCancelCause(t.Context())
				why := errors.New("interrupted")
				w.cp1.answer(answer{do: func([]string, []byte) { cancel(why) }}, templates.ScriptRestartUnit)
				w.cp1.answer(answer{hangs: hangs}, templates.ScriptStopUnit)
				start := time.Now()
				err := w.perform(ctx, step("cp1", plan.DeleteImage{Repository: "a", Tag: "one"}))
				if !errors.Is(err, why) && !errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) != hangs {
					t.Errorf("got %v", err)
				}
				if took := time.Since(start).Round(time.Second); hangs && took != 10*time.Second || !hangs && took != 0 {
					t.Errorf("ended after %s", took)
				}
				if !hangs {
					w.wroteSafely()
				}
			})
		})
	}
}
