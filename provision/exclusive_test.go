package provision

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/lock"
	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// quick is a clock by which a second of looking passes at once, and the time for the next renewal does not come.
type quick struct {
	mu  sync.Mutex
	now time.Time
}

func (c *quick) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *quick) After(d time.Duration) <-chan time.Time {
	if d > time.Second {
		return nil
	}
	to := make(chan time.Time, 1)
	to <- c.pass(d)
	return to
}

// pass is the time after a while.
func (c *quick) pass(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// changing is a fleet on which something is to be done, and the clock of its run.
func changing(t *testing.T) (*fleet, *quick) {
	t.Helper()
	f, clock := converged(t, nil), &quick{now: time.Now()}
	withoutSysctls(f, "w1")
	f.Session = f.session("1a2b3c4d", Options{Holder: "ann@laptop", clock: clock})
	return f, clock
}

// record is that of another run.
func record(t *testing.T, run string, renewed int) string {
	t.Helper()
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	text, err := json.Marshal(lock.Record{Holder: "bob@desk", Run: run, Since: at, Renewed: at.Add(time.Duration(renewed) * time.Second), Life: lock.Life})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func leaseOf(holder string) map[string]any {
	return map[string]any{"holderIdentity": holder, "leaseDurationSeconds": int64(15), "acquireTime": "2026-11-30T12:00:00.000000Z"}
}

// While a run changes something it holds the lock on the first control plane and in the cluster; before and after it does not.
func TestUpHoldsTheLock(t *testing.T) {
	f, _ := changing(t)
	done, held := f.perform, 0
	f.perform = func(ctx context.Context, host string, script templates.Script) string {
		f.mu.Lock()
		mine := strings.Contains(f.records["cp1"], `"holder":"ann@laptop","run":"1a2b3c4d"`) && len(f.records) == 1
		f.mu.Unlock()
		if lease := f.api.Lease("fairlead"); mine && lease != nil && lease["spec"].(map[string]any)["holderIdentity"] == "ann@laptop/1a2b3c4d" {
			held++
		}
		return done(ctx, host, script)
	}
	if steps, err := f.Up(t.Context()); steps != 1 || err != nil || held != 2 {
		t.Errorf("%d steps, %v, held during %d of 2 scripts", steps, err, held)
	}
	if lease := f.api.Lease("fairlead"); lease != nil || len(f.records) > 0 {
		t.Errorf("left %v, %v", lease, f.records)
	}
	if steps, err := f.Up(t.Context()); steps != 0 || err != nil || f.api.Lease("fairlead") != nil {
		t.Errorf("again: %d steps, %v", steps, err)
	}
}

// A run does not begin beside another one that lives, and says who that is. Whoever only looks is not kept from it.
func TestTwoRunsAtOnce(t *testing.T) {
	for name, spoil := range map[string]func(*fleet){
		"on the host": func(f *fleet) {
			renewed := 0
			f.looked = func(host string) { renewed++; f.records[host] = record(t, "other", renewed) }
		},
		"in the cluster": func(f *fleet) {
			f.api.PutLease("fairlead", leaseOf("bob@desk/other"))
			f.api.OnLease(func() { f.api.PutLease("fairlead", leaseOf("bob@desk/other")) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := changing(t)
			spoil(f)
			steps, err := f.Up(t.Context())
			var held *lock.HeldError
			if steps != 0 || !errors.As(err, &held) || held.Record.Holder != "bob@desk" || held.Record.Run != "other" || len(f.scripts) != 0 {
				t.Fatalf("%d steps, %v, %v", steps, err, f.scripts)
			}
			if plan, _, err := f.Plan(t.Context()); err != nil || len(plan.Steps) != 1 {
				t.Errorf("plan: %+v, %v", plan, err)
			}
			for host := range f.records {
				if name == "on the host" {
					delete(f.records, host)
				}
			}
		})
	}
}

// The lock of a run that gives no sign of life is taken over, which is said.
func TestUpTakesOver(t *testing.T) {
	f, _ := changing(t)
	f.records["cp1"] = record(t, "other", 0)
	f.api.PutLease("fairlead", leaseOf("bob@desk/other"))
	if steps, err := f.Up(t.Context()); steps != 1 || err != nil {
		t.Fatalf("%d steps, %v", steps, err)
	}
	told := f.told(event.Lock)
	if len(told) != 4 || !strings.HasPrefix(told[1], "took the lock over from bob@desk since 2026-11-30 12:00:00 UTC, run other") || !strings.HasSuffix(told[3], "(Lease kube-system/fairlead)") {
		t.Errorf("told %q", told)
	}
}

// A run that loses the lock stops before its next change, with that reason, and says it once.
func TestUpThatLosesTheLock(t *testing.T) {
	f, clock := changing(t)
	done := f.perform
	f.perform = func(ctx context.Context, host string, script templates.Script) string {
		if script == templates.ScriptRecord {
			f.mu.Lock()
			f.records["cp1"] = record(t, "other", 0)
			f.mu.Unlock()
			clock.pass(lock.Life)
		}
		return done(ctx, host, script)
	}
	steps, err := f.Up(t.Context())
	var lost *lock.LostError
	if steps != 0 || !errors.As(err, &lost) || lost.Record.Run != "other" || !slices.Equal(f.scripts, []string{"w1/record"}) || len(f.lines["w1"].Files()) != 0 {
		t.Errorf("%d steps, %v, %v", steps, err, f.scripts)
	}
	if f.records["cp1"] != record(t, "other", 0) || f.api.Lease("fairlead") != nil {
		t.Errorf("left %v, %v", f.records, f.api.Lease("fairlead"))
	}
	delete(f.records, "cp1")
	other := errors.New("another")
	if errs := saidOnce([]error{lost, other, fmt.Errorf("again: %w", lost)}); len(errs) != 2 || !errors.Is(errs[1], other) {
		t.Errorf("said %v", errs)
	}
}

// What a run that is over has left is taken away, when its lock was taken over, and when that is all there is to do; the token of a
// run that lives is not touched, and keeps nobody from finding that nothing is to be done.
func TestTokensOfOtherRuns(t *testing.T) {
	encoded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, living := range map[string]bool{"dead": false, "living": true} {
		t.Run(name, func(t *testing.T) {
			f := converged(t, nil)
			f.Session = f.session("1a2b3c4d", Options{Holder: "ann@laptop", clock: &quick{now: time.Now()}})
			secret := object.System("v1", "Secret", "bootstrap-token-aaaaaa")
			secret["type"] = "bootstrap.kubernetes.io/token"
			secret["data"] = map[string]any{
				"description": encoded("fairlead join, run other"), "expiration": encoded(time.Now().Add(time.Hour).UTC().Format(time.RFC3339)),
			}
			f.api.Put(secret)
			f.records["cp1"] = record(t, "other", 0)
			if living {
				renewed := 0
				f.looked = func(host string) { renewed++; f.records[host] = record(t, "other", renewed) }
			}
			made, _, err := f.planned(t.Context())
			if err != nil || len(made.Steps) != map[bool]int{true: 0, false: 1}[living] {
				t.Fatalf("%+v, %v", made.Steps, err)
			}
			if !living && !slices.ContainsFunc(made.Steps[0].Actions, func(a plan.Action) bool {
				tokens, is := a.(plan.DeleteTokens)
				return is && slices.Equal(tokens.IDs, []string{"aaaaaa"})
			}) {
				t.Errorf("planned %+v", made.Steps)
			}
			f.release(t.Context())
			delete(f.records, "cp1")
		})
	}
}

// Where there is no API server the lock is on the host alone; as soon as kubeadm init has made one it is there, too.
func TestLockOfTheFirstInit(t *testing.T) {
	f := converged(t, nil)
	seen, err := f.Observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen.API = facts.API{Err: facts.NoCluster()}
	if err := f.take(t.Context(), seen); err != nil || len(f.records) != 1 || f.api.Lease("fairlead") != nil {
		t.Fatalf("%v, %v", err, f.records)
	}
	nothing := func(context.Context, plan.Step) error { return nil }
	for _, c := range []struct {
		actions []plan.Action
		does    func(context.Context, plan.Step) error
		lease   bool
	}{
		{[]plan.Action{plan.RecordCluster{}}, nothing, false},
		{[]plan.Action{plan.KubeadmInit{}}, func(context.Context, plan.Step) error { return errors.New("no") }, false},
		{[]plan.Action{plan.RecordCluster{}, plan.KubeadmInit{}}, nothing, true},
	} {
		_ = f.Session.perform(c.does)(t.Context(), plan.Step{Actions: c.actions})
		if is := f.api.Lease("fairlead") != nil; is != c.lease {
			t.Errorf("after %T the lock is in the cluster: %v", c.actions, is)
		}
	}
	f.release(t.Context())
	if len(f.records) > 0 || f.api.Lease("fairlead") != nil {
		t.Errorf("left %v", f.records)
	}
	// A control plane that is away leaves it to the next host; init that has not finished has no place for a Lease yet.
	seen.Hosts["cp1"] = facts.Host{Unreachable: &facts.Problem{Kind: facts.HostUnreachable}}
	seen.API = facts.API{Via: "cp1", Missing: []string{"DaemonSet b"}}
	if err := f.take(t.Context(), seen); err != nil || f.records["w1"] == "" || f.api.Lease("fairlead") != nil {
		t.Errorf("%v, %v", err, f.records)
	}
	f.release(t.Context())
}
