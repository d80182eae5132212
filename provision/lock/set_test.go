package lock

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func (c *hands) set(t *testing.T, run string, heard *said) *Set {
	t.Helper()
	s := NewSet("ann@laptop", run, c, heard.say)
	t.Cleanup(func() {
		if err := s.Release(context.WithoutCancel(t.Context())); err != nil && !errors.Is(err, errBroken) {
			t.Error(err)
		}
	})
	return s
}

var errBroken = errors.New("no answer") //nolint:gochecknoglobals // an error

// other is the record of another run.
func other() *Record {
	return &Record{Holder: "bob@desk", Run: "other", Since: time.Date(2026, 11, 30, 11, 59, 0, 0, time.UTC), Life: Life}
}

// What is free is taken, in the order of the places, and given back at the end.
func TestTakeAndRelease(t *testing.T) {
	host, cluster, heard, clock := &memory{name: "host"}, &memory{name: "cluster"}, &said{}, newClock()
	s := clock.set(t, "mine", heard)
	if s.Held() || s.Check(t.Context()) == nil {
		t.Error("a run that holds no lock may change something")
	}
	for range 2 { // what is held is not taken twice
		if err := s.Take(t.Context(), host); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Take(t.Context(), host, cluster); err != nil {
		t.Fatal(err)
	}
	if host.holder() != "mine" || cluster.holder() != "mine" || host.version != 1 || !s.Held() || s.Check(t.Context()) != nil {
		t.Errorf("held by %q and %q", host.holder(), cluster.holder())
	}
	if is := *host.record; is.Holder != "ann@laptop" || is.Life != Life || !is.Since.Equal(clock.Now()) || !is.Renewed.Equal(clock.Now()) {
		t.Errorf("the record is %+v", is)
	}
	if !s.Owns("mine") || s.Owns("other") {
		t.Error("it owns what it does not")
	}
	if err := s.Release(t.Context()); err != nil || !host.released || !cluster.released || s.Held() {
		t.Errorf("%v; released %v, %v", err, host.released, cluster.released)
	}
	if texts := heard.all(); len(texts) > 0 {
		t.Errorf("said %q", texts)
	}
}

// A run that lives is seen to renew its record, and keeps the lock.
func TestAnotherRunIsAtWork(t *testing.T) {
	clock, heard := newClock(), &said{}
	reads := 0
	host := &memory{name: "host", record: other(), version: 7, onRead: func(m *memory) {
		if reads++; reads == 6 {
			m.version++
		}
	}}
	s := clock.set(t, "mine", heard)
	err := s.Take(t.Context(), host)
	var held *HeldError
	if !errors.As(err, &held) || held.Record.Holder != "bob@desk" || host.holder() != "other" || s.Held() {
		t.Fatalf("%v, held by %s", err, host.holder())
	}
	if want := "take the lock: another run changes this cluster: bob@desk since 2026-11-30 11:59:00 UTC, run other (host)"; err.Error() != want {
		t.Errorf("it says %q", err)
	}
	if passed := clock.Now().Sub(newClock().Now()); passed != 5*watch {
		t.Errorf("it took %v", passed)
	}
	if texts := heard.all(); !slices.Equal(texts, []string{"look for 15s at most whether another run is still at work: bob@desk since 2026-11-30 11:59:00 UTC, run other (host)"}) {
		t.Errorf("said %q", texts)
	}
}

// A record that does not change for its life is taken over, with a word that says so; what its run has left is this run's. The
// clock of the other machine is of no matter.
func TestTakeOver(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Record)
		life   time.Duration
	}{
		"as it is":                  {func(*Record) {}, Life},
		"of a clock in the future":  {func(r *Record) { r.Renewed = r.Renewed.Add(1000 * time.Hour) }, Life},
		"of a run with a long life": {func(r *Record) { r.Life = time.Minute }, time.Minute},
		"of somebody without one":   {func(r *Record) { r.Life = 0 }, Life},
		"of an endless one":         {func(r *Record) { r.Life = 1 << 60 }, Life},
	} {
		t.Run(name, func(t *testing.T) {
			clock, heard, record := newClock(), &said{}, other()
			c.change(record)
			host := &memory{name: "host", record: record, version: 7}
			s := clock.set(t, "mine", heard)
			if err := s.Take(t.Context(), host); err != nil || host.holder() != "mine" || !s.Owns("other") {
				t.Fatalf("%v, held by %s", err, host.holder())
			}
			if passed := clock.Now().Sub(newClock().Now()); passed != c.life {
				t.Errorf("it took %v, want %v", passed, c.life)
			}
			texts := heard.all()
			if want := "took the lock over from bob@desk since 2026-11-30 11:59:00 UTC, run other, which has given no sign of life for " + c.life.String() + " (host)"; texts[len(texts)-1] != want {
				t.Errorf("said %q, want %q", texts, want)
			}
		})
	}
}

// Of two that want to take over, or to take what is free, one gets it: the other one sees that.
func TestOnlyOneTakesIt(t *testing.T) {
	for name, record := range map[string]*Record{"stale": other(), "free": nil} {
		third := other()
		third.Run = "third"
		host := &memory{name: "host", record: record, version: 7}
		s := newClock().set(t, "mine", &said{})
		err := s.Take(t.Context(), &racing{memory: host, third: third})
		var held *HeldError
		if !errors.As(err, &held) || held.Record.Run != "third" || host.holder() != "third" || s.Held() {
			t.Errorf("%s: %v, held by %s", name, err, host.holder())
		}
	}
}

// racing has somebody else, who lives from then on, be faster at the first write.
type racing struct {
	*memory
	third *Record
}

func (r *racing) Write(ctx context.Context, record *Record, version string) (string, error) {
	if r.third != nil {
		r.change(func(m *memory) {
			m.put(r.third)
			m.onRead = func(m *memory) { m.version++ }
		})
		r.third = nil
	}
	return r.memory.Write(ctx, record, version)
}

// A lock that was given back while somebody looked at it is taken.
func TestGivenBackMeanwhile(t *testing.T) {
	clock, reads := newClock(), 0
	host := &memory{name: "host", record: other(), version: 7, onRead: func(m *memory) {
		if reads++; reads == 3 {
			m.put(nil)
		}
	}}
	heard := &said{}
	s := clock.set(t, "mine", heard)
	if err := s.Take(t.Context(), host); err != nil || host.holder() != "mine" || s.Owns("other") || len(heard.all()) != 1 {
		t.Errorf("%v, held by %s, said %q", err, host.holder(), heard.all())
	}
}

// A record is renewed as long as the run goes on, also after Ctrl-C, and no longer.
func TestKeep(t *testing.T) {
	host, clock := &memory{name: "host"}, newClock()
	s := clock.set(t, "mine", &said{})
	ctx, cancel := context.WithCancel(t.Context())
	if err := s.Take(ctx, host); err != nil {
		t.Fatal(err)
	}
	cancel()
	for want := range 3 {
		clock.beats(t)
		if _, version, _ := host.Read(t.Context()); version != []string{"1", "2", "3"}[want] {
			t.Errorf("after %d beats the version is %s", want, version)
		}
		clock.pass(beat)
	}
	clock.beats(t)
	if err := s.Release(t.Context()); err != nil || !host.released {
		t.Fatal(err)
	}
	version := host.version
	clock.pass(10 * beat)
	if host.version != version {
		t.Error("it is renewed after its end")
	}
}

// A run whose lock was taken over changes nothing more, and says who has it; it does not take the other one's record away.
func TestLost(t *testing.T) {
	host, cluster, clock := &memory{name: "host"}, &memory{name: "cluster"}, newClock()
	s := clock.set(t, "mine", &said{})
	if err := s.Take(t.Context(), host, cluster); err != nil {
		t.Fatal(err)
	}
	cluster.change(func(m *memory) { m.put(other()) })
	clock.beats(t)
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("before anybody can know of it: %v", err)
	}
	clock.pass(beat)
	clock.beats(t)
	err := s.Check(t.Context())
	var lost *LostError
	if !errors.As(err, &lost) || lost.Record.Run != "other" || err.Error() != "the lock is lost, so nothing more is changed: it was taken over by bob@desk since 2026-11-30 11:59:00 UTC, run other (cluster)" {
		t.Fatalf("%v", err)
	}
	if err := s.Release(t.Context()); err != nil || cluster.holder() != "other" || !host.released {
		t.Errorf("%v; it is held by %q", err, cluster.holder())
	}
}

// Who could not renew for so long that somebody may have taken over asks before the next change.
func TestCheckAsksWhenItHasSlept(t *testing.T) {
	host, clock := &memory{name: "host"}, newClock()
	s := clock.set(t, "mine", &said{})
	if err := s.Take(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	clock.beats(t)
	clock.mu.Lock()
	clock.now = clock.now.Add(Life) // a laptop that slept: its timers have not fired yet
	clock.mu.Unlock()
	host.change(func(m *memory) { m.put(other()) })
	var lost *LostError
	if err := s.Check(t.Context()); !errors.As(err, &lost) {
		t.Errorf("%v", err)
	}
}

// One place is enough to prove that the run is the only one. When none can be asked the run waits, and then gives up.
func TestCheckWaitsForAPlace(t *testing.T) {
	host, cluster, clock := &memory{name: "host"}, &memory{name: "cluster"}, newClock()
	s := clock.set(t, "mine", &said{})
	if err := s.Take(t.Context(), host, cluster); err != nil {
		t.Fatal(err)
	}
	clock.beats(t)
	sleep := func() {
		clock.mu.Lock()
		defer clock.mu.Unlock()
		clock.now = clock.now.Add(Life)
	}
	cluster.change(func(m *memory) { m.broken = errBroken })
	sleep()
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("with one place: %v", err)
	}
	host.change(func(m *memory) { m.broken = errBroken })
	sleep()
	begin := clock.Now()
	if err := s.Check(t.Context()); !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), "the lock cannot be renewed, so nothing more is changed: ") {
		t.Errorf("without a place: %v", err)
	}
	if waited := clock.Now().Sub(begin); waited < patience || waited > patience+2*watch {
		t.Errorf("it waited for %v", waited)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	clock.alone = false
	if err := s.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	clock.alone = true
	host.change(func(m *memory) { m.broken = nil })
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("when it is there again: %v", err)
	}
	if err := s.Release(t.Context()); !errors.Is(err, errBroken) || !host.released {
		t.Errorf("released: %v", err)
	}
}

// A record that is gone, as its host was restarted, is written again; an answer that was lost makes no foreign record.
func TestRenewAnew(t *testing.T) {
	for name, spoil := range map[string]func(*memory){
		"gone":     func(m *memory) { m.put(nil) },
		"answered": func(m *memory) { m.forgets = true },
	} {
		host, clock := &memory{name: "host"}, newClock()
		s := clock.set(t, "mine", &said{})
		if err := s.Take(t.Context(), host); err != nil {
			t.Fatal(err)
		}
		host.change(spoil)
		for range 3 {
			clock.beats(t)
			clock.pass(beat)
		}
		clock.beats(t)
		if err := s.Check(t.Context()); err != nil || host.holder() != "mine" {
			t.Errorf("%s: %v, held by %q", name, err, host.holder())
		}
		host.change(spoil)
		if err := s.Release(t.Context()); (err != nil) != (name == "answered") || host.holder() != "" {
			t.Errorf("%s: released: %v, held by %q", name, err, host.holder())
		}
	}
}

// What cannot be asked is an error, and a run that is stopped waits for nobody.
func TestTakeFails(t *testing.T) {
	clock := newClock()
	s := clock.set(t, "mine", &said{})
	if err := s.Take(t.Context(), &memory{name: "host", broken: errBroken}); !errors.Is(err, errBroken) || err.Error() != "take the lock: read host: no answer" {
		t.Errorf("%v", err)
	}
	host := &memory{name: "host"}
	host.onRead = func(m *memory) { m.broken = nil }
	if err := s.Take(t.Context(), &unwritable{host}); !errors.Is(err, errBroken) || err.Error() != "take the lock: write host: no answer" {
		t.Errorf("%v", err)
	}
	clock.alone = false
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errBroken)
	if err := s.Take(ctx, &memory{name: "host", record: other()}); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}

type unwritable struct{ *memory }

func (unwritable) Write(context.Context, *Record, string) (string, error) { return "", errBroken }
