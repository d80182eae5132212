package apply_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fairlead/provision/event"
	"fairlead/provision/ledger"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/templates"
)

// TestLedgerComesFirst has a step whose actions touch things: the host's ledger is told of all of them before the first
// action, but not of those that it holds already.
func TestLedgerComesFirst(t *testing.T) {
	inWorld(t, func(_ *testing.T, w *world) {
		w.cp1.answer(answer{}, templates.ScriptRecord, templates.ScriptLoadModules)
		w.steps = w.applier.Perform(map[string][]ledger.Entry{
			"cp1": {{Kind: ledger.File, Key: "/etc/a"}},
			"w1":  {{Kind: ledger.File, Key: "/etc/b"}},
		})
		changes := []plan.Action{
			plan.PutFile{Path: "/etc/a", Mode: 0o644}, plan.PutFile{Path: "/etc/b", Mode: 0o600}, plan.LoadModules([]string{"overlay"}),
		}
		w.well(w.do(changes...))
		w.did("cp1: record file:/etc/b module:overlay", "cp1: write /etc/a 644", "cp1: write /etc/b 600", "cp1: modules overlay")

		w.well(w.do(changes[0]))
		w.did() // all that it touches is recorded, and the file is as it should be
	})
}

// TestNothingWithoutLedger has the ledger not be writable: then nothing is changed.
func TestNothingWithoutLedger(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cp1.answer(answer{code: 1, stderr: "no space left on device\n"}, templates.ScriptRecord)
		said := w.do(plan.PutFile{Path: "/etc/a"})
		if !strings.HasPrefix(said, "record the former state in /var/lib/fairlead/ledger: ") || !strings.HasSuffix(said, "exit 1: no space left on device") {
			t.Errorf("said %q", said)
		}
		w.did("cp1: record file:/etc/a")
	})
}

// TestStepEndsWithItsFirstFailure has the second of three actions fail.
func TestStepEndsWithItsFirstFailure(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cp1.answer(answer{}, templates.ScriptStopUnit, templates.ScriptRecord)
		w.cp1.answer(answer{code: 5, stderr: "Job failed\n"}, templates.ScriptRestartUnit)
		stop := plan.Script{Title: "stop", Name: templates.ScriptStopUnit}
		err := w.perform(t.Context(), step("cp1", stop, plan.RestartUnit("a.service"), plan.RemoveFiles([]string{"/etc/a"})))
		var exit *remote.ExitError
		if !errors.As(err, &exit) || exit.Host != "cp1" || exit.Code != 5 || string(exit.Stderr) != "Job failed\n" {
			t.Errorf("got %v", err)
		}
		if got := said(err); got != "systemctl restart a.service: exit 5: Job failed" {
			t.Errorf("said %q", got)
		}
		w.did("cp1: record file:/etc/a", "cp1: stop-unit", "cp1: restart-unit a.service")
	})
}

// TestStepsGoToTheirHost has a step on each host, one on the API server, and one on a host that cannot be reached.
func TestStepsGoToTheirHost(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.w1.answer(answer{}, templates.ScriptRestartUnit)
		w.cp1.answer(answer{}, templates.ScriptRestartUnit)
		w.well(w.doOn("w1", plan.RestartUnit("a")))
		w.well(w.doOn("cp1", plan.RestartUnit("b")))
		w.well(w.doOn("", plan.DeleteNode{Name: "w1"}))
		w.did("w1: restart-unit a", "cp1: restart-unit b", "api: DELETE /api/v1/nodes/w1")
		if said := w.doOn("w2", plan.RestartUnit("a")); said != "no host w2" {
			t.Errorf("said %q", said)
		}
	})
}

// strange is a kind of action that nobody knows.
type strange struct{}

func (strange) Describe() string { return "something strange" }

// TestUnknownKind has an action that is not of the closed set: it is not taken for done.
func TestUnknownKind(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if said := w.do(strange{}); said != "unknown kind of action apply_test.strange" {
			t.Errorf("said %q", said)
		}
	})
}

// TestEventsNameTheirStep looks at an event as a whole: whoever shows it must know where it comes from.
func TestEventsNameTheirStep(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.w1.answer(answer{stdout: "starts\nruns", stderr: "warning\n"}, templates.ScriptRestartUnit)
		w.well(w.doOn("w1", plan.RestartUnit("a")))
		want := event.Event{Time: time.Now(), Kind: event.Output, Host: "w1", Step: "w1/step", Title: "do it", Message: "starts"}
		if len(w.events) != 3 || w.events[0].Time != want.Time || w.events[0].Message != want.Message ||
			w.events[0].Kind != want.Kind || w.events[0].Host != want.Host || w.events[0].Step != want.Step || w.events[0].Title != want.Title {
			t.Errorf("events %+v, want first %+v", w.events, want)
		}
		w.told("output starts", "output warning", "output runs")
	})
}

// TestPutFile writes files with their modes, and says where that failed.
func TestPutFile(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cp1.answer(answer{}, templates.ScriptRecord)
		w.well(w.do(plan.PutFile{Path: "/etc/a", Mode: 0o640, Content: []byte("text\n"), Before: []byte("before")}))
		if got := w.cp1.file("/etc/a"); got != "640 text\n" {
			t.Errorf("the file is %q", got)
		}
		w.cp1.fails("write /etc/b", "Read-only file system")
		if said := w.do(plan.PutFile{Path: "/etc/b", Mode: 0o640}); said != "write /etc/b: /etc/b: Read-only file system" {
			t.Errorf("said %q", said)
		}
		w.did("cp1: record file:/etc/a", "cp1: write /etc/a 640", "cp1: record file:/etc/b", "cp1: write /etc/b 640")
	})
}

// TestScriptGetsItsArguments has arguments that a shell would like to change.
func TestScriptGetsItsArguments(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var got []string
		w.cp1.answer(answer{do: func(args []string, _ []byte) { got = args }}, templates.ScriptRemoveFiles)
		want := []string{"/a b", "$(reboot)", "it's", `back\slash`, "", "line\nbreak", "ü"}
		w.well(w.do(plan.Script{Title: "remove", Name: templates.ScriptRemoveFiles, Args: want}))
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("arguments %q, want %q", got, want)
		}
	})
}
