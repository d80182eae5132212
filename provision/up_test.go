package provision

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fairlead/provision/engine"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/remote"
	"fairlead/templates"
)

// withoutSysctls takes a setting of the kernel from a host, and gives it back when the script that sets it has run.
func withoutSysctls(f *fleet, name string) {
	file := templates.SysctlFile(false)
	set := func(h *facts.Host, value func(templates.Sysctl) string) {
		for _, s := range templates.Sysctls(false) {
			h.Sysctls[s.Key] = value(s)
		}
	}
	f.change(name, func(h *facts.Host) {
		delete(h.Files, file.Path)
		delete(h.Contents, file.Path)
		set(h, func(templates.Sysctl) string { return "0" })
	})
	f.perform = func(_ context.Context, host string, script templates.Script) string {
		if host == name && script == templates.ScriptSetSysctls {
			f.change(name, func(h *facts.Host) {
				world.Written(h, file.Path, file.Mode, file.Content)
				set(h, func(s templates.Sysctl) string { return s.Value })
			})
		}
		return ""
	}
}

// A cluster that is as the inventory wants it is looked at once, and nothing else.
func TestUpOfWhatIsThere(t *testing.T) {
	f := converged(t, nil)
	steps, err := f.Up(t.Context())
	if steps != 0 || err != nil || len(f.scripts) != 0 || len(f.probes["w1"]) != 1 {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
	if got := f.told(event.Finished); !slices.Equal(got, []string{"0 steps"}) || f.events[len(f.events)-1].Kind != event.Finished {
		t.Errorf("finished %q", got)
	}
	plan, seen, err := f.Plan(t.Context())
	if err != nil || !plan.Empty() || len(seen.Hosts) != 3 || seen.API.Via != "cp1" {
		t.Errorf("%+v, %+v, %v", plan, seen.API, err)
	}
}

// What differs is changed on the host that it differs on, after the host's ledger has it; then all is looked at again.
func TestUpChangesWhatDiffers(t *testing.T) {
	f := converged(t, nil)
	withoutSysctls(f, "w1")
	steps, err := f.Up(t.Context())
	if steps != 1 || err != nil || !slices.Equal(f.scripts, []string{"w1/record", "w1/sysctls"}) {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
	file := templates.SysctlFile(false)
	if want := map[string]string{file.Path: string(file.Content)}; !reflect.DeepEqual(f.lines["w1"].Files(), want) || len(f.lines["w2"].Files()) != 0 {
		t.Errorf("w1 has %v, w2 %v", f.lines["w1"].Files(), f.lines["w2"].Files())
	}
	if len(f.probes["w1"]) != 3 || len(f.probes["w2"]) != 3 { // before and after the lock is taken, and at the end
		t.Errorf("looked %d times", len(f.probes["w1"]))
	}
	finished := f.events[len(f.events)-1]
	if !slices.Equal(f.told(event.Finished), []string{"1 step"}) || finished.Seconds <= 0 || finished.Seconds > 60 {
		t.Errorf("finished %+v", finished)
	}
	planned := f.events[slices.IndexFunc(f.events, func(e event.Event) bool { return e.Kind == event.Planned })]
	if planned.Host != "w1" || !strings.HasPrefix(planned.Step, "w1/") || planned.Title == "" || len(planned.Reasons) == 0 {
		t.Errorf("planned %+v", planned)
	}
}

// What a host's ledger has already is not recorded again.
func TestUpKnowsTheLedgers(t *testing.T) {
	f := converged(t, nil)
	withoutSysctls(f, "w1")
	var touched []ledger.Touch
	plan, _, _ := f.Plan(t.Context())
	for _, step := range plan.Steps {
		touched = append(touched, step.Touches()...)
	}
	f.change("w1", func(h *facts.Host) {
		for _, touch := range touched {
			h.Ledger = append(h.Ledger, ledger.Entry{Kind: touch.Kind, Key: touch.Key, Was: "absent"})
		}
	})
	if steps, err := f.Up(t.Context()); steps != 1 || err != nil || len(touched) == 0 || !slices.Equal(f.scripts, []string{"w1/sysctls"}) {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
}

// Findings stop a run before anything changes, on any host.
func TestUpStopsOnFindings(t *testing.T) {
	f := converged(t, nil)
	withoutSysctls(f, "w1")
	f.change("w2", func(h *facts.Host) { h.MachineID = "w1" })
	f.lose("cp1")
	steps, err := f.Up(t.Context())
	var unreachable *UnreachableError
	if steps != 0 || !errors.Is(err, engine.ErrPreflight) || !errors.As(err, &unreachable) || len(f.scripts) != 0 || len(f.lines["w1"].Files()) != 0 {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
	if found := f.told(event.Found); !slices.Contains(found, "w2 MachineID w1 is also that of w1") {
		t.Errorf("found %q", found)
	}
	for _, e := range f.events {
		if e.Kind == event.Found && (e.Finding == nil || e.Finding.Host != e.Host) {
			t.Errorf("%+v", e)
		}
	}
	if got := f.told(event.Finished); len(got) != 1 || !strings.Contains(got[0], "preflight checks failed") {
		t.Errorf("finished %q", got)
	}
}

// saying has a host's answer hold a line more, before all others.
func saying(name, line string) func(host, answer string) string {
	return func(host, answer string) string {
		if host == name {
			return line + "\n" + answer
		}
		return answer
	}
}

// Facts that cannot be read are never taken for a host on which nothing is there: the run ends before it changes anything, on any
// host, and says which they are.
func TestUpStopsOnWhatItDoesNotUnderstand(t *testing.T) {
	for line, want := range map[string]string{
		"file\t/etc/fstab\t9x9\t0\t0\t1":            "w1 the file /etc/fstab cannot be read, it is \"9x9 0 0 1\": mode: it is no number",
		"certificate\t/etc/kubernetes/pki/ca.crt\t": "w1 the certificate /etc/kubernetes/pki/ca.crt, which says to which cluster the host belongs, cannot be read: no PEM certificate in it",
		"\x1b[2Jport\t22":                           `w1 a line of the host's answer cannot be read, it is "\x1b[2Jport\t22": this fairlead knows no such fact`,
	} {
		f := converged(t, nil)
		withoutSysctls(f, "w1")
		withoutSysctls(f, "w2")
		f.garble = saying("w1", line)
		steps, err := f.Up(t.Context())
		if steps != 0 || !errors.Is(err, engine.ErrPreflight) || len(f.scripts) != 0 {
			t.Errorf("%q: %d steps, %v, %v", line, steps, err, f.scripts)
		}
		if found := f.told(event.Found); !slices.Equal(found, []string{want}) {
			t.Errorf("%q: found %q", line, found)
		}
		if blocked := f.told(event.BlockedStep); len(blocked) == 0 || !strings.HasPrefix(blocked[0], "w1 ") || !strings.HasSuffix(blocked[0], "the host has facts that cannot be read") {
			t.Errorf("%q: blocked %q", line, blocked)
		}
	}
}

// An answer whose end is missing is none, whatever else it holds.
func TestUpWithoutTheEndOfAnAnswer(t *testing.T) {
	f := converged(t, nil)
	f.garble = func(host, answer string) string {
		return strings.TrimSuffix(answer, map[string]string{"w1": "end\n"}[host])
	}
	steps, err := f.Up(t.Context())
	var unreachable *UnreachableError
	if problem := new(facts.Problem); steps != 0 || !errors.As(err, &unreachable) || !slices.Equal(unreachable.Hosts, []string{"w1"}) ||
		!errors.As(err, &problem) || problem.Kind != facts.HostNoAnswer || !strings.Contains(err.Error(), "w1: read the probe's answer: ") {
		t.Errorf("%d steps, %v", steps, err)
	}
}

// Hosts that are not reached hold nobody up, and are the run's error, in the inventory's order.
func TestUpWithoutSomeHosts(t *testing.T) {
	f := converged(t, nil)
	f.lose("w2", "cp1")
	plan, seen, err := f.Plan(t.Context())
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || !slices.Equal(unreachable.Hosts, []string{"cp1", "w2"}) || !errors.Is(err, remote.ErrUnreachable) {
		t.Errorf("%v", err)
	}
	if want := "cp1: host is unreachable\nw2: host is unreachable"; err.Error() != want {
		t.Errorf("it says %q, want %q", err, want)
	}
	if len(plan.Blocked) == 0 || len(seen.Hosts) != 3 {
		t.Errorf("%+v", plan)
	}
	f = converged(t, nil)
	withoutSysctls(f, "w1")
	f.lose("w2")
	if steps, err := f.Up(t.Context()); steps != 1 || !errors.As(err, &unreachable) || !slices.Equal(unreachable.Hosts, []string{"w2"}) {
		t.Errorf("%d steps, %v", steps, err)
	}
}

// A run whose steps are done and which still finds something to do has not converged, and does not go on for ever.
func TestUpThatDoesNotConverge(t *testing.T) {
	f := converged(t, nil)
	withoutSysctls(f, "w1")
	f.perform = nil
	steps, err := f.Up(t.Context())
	var open *engine.NotConvergedError
	if steps != 1 || !errors.As(err, &open) || len(open.Plan.Steps) != 1 || open.Plan.Steps[0].Host != "w1" || len(f.scripts) != 2 {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
}

// A step that fails ends the run with its host, its title, and what the host said.
func TestUpThatFails(t *testing.T) {
	f := converged(t, nil)
	withoutSysctls(f, "w1")
	f.perform = func(_ context.Context, _ string, script templates.Script) string {
		return map[templates.Script]string{templates.ScriptSetSysctls: "sysctl: permission denied"}[script]
	}
	steps, err := f.Up(t.Context())
	var step *event.StepError
	if steps != 0 || !errors.As(err, &step) || step.Host != "w1" || !strings.Contains(err.Error(), "sysctl: permission denied") {
		t.Errorf("%d steps, %v", steps, err)
	}
	if got := f.told(event.Finished); len(got) != 1 || !strings.HasSuffix(got[0], err.Error()) || len(f.probes["w1"]) != 2 {
		t.Errorf("finished %q", got)
	}
}

// A run ends with its context: while hosts are looked at, and while a step runs.
func TestUpThatIsStopped(t *testing.T) {
	f := converged(t, nil)
	withoutSysctls(f, "w1")
	ctx, cancel := context.WithCancel(t.Context())
	f.perform = func(running context.Context, _ string, _ templates.Script) string {
		cancel()
		<-running.Done() // the command on the host was ended
		return ""
	}
	if steps, err := f.Up(ctx); steps != 0 || !errors.Is(err, context.Canceled) || len(f.probes["w1"]) != 2 || len(f.scripts) != 1 {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
	f = converged(t, nil)
	withoutSysctls(f, "w1")
	if steps, err := f.Up(ctx); steps != 0 || !errors.Is(err, context.Canceled) || len(f.scripts) != 0 {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
	if _, _, err := f.Plan(ctx); !errors.Is(err, context.Canceled) || len(f.told(event.Planned)) != 0 {
		t.Errorf("planned %v, %v", f.told(event.Planned), err)
	}
}
