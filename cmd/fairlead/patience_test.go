package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairlead/provision/event"
)

// TestTimeout ends a run by its time, in a way that whoever looks for a Ctrl-C finds one.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var after duration
		if err := after.Set("30m"); err != nil {
			t.Fatal(err)
		}
		ctx, over := limited(t.Context(), after)
		defer over()
		time.Sleep(30*time.Minute - 1) // of the bubble's clock
		synctest.Wait()
		if ctx.Err() != nil || outOfTime(ctx) != nil {
			t.Errorf("it is over too early: %v", context.Cause(ctx))
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if err := outOfTime(ctx); !errors.Is(ctx.Err(), context.Canceled) || !errors.Is(err, context.Canceled) || err.Error() != "--timeout 30m is over" {
			t.Errorf("at the end: %v, %v", ctx.Err(), err)
		}
		if text := stopping(ctx); !strings.Contains(text, "--timeout 30m is over") {
			t.Errorf("the view says %q", text)
		}
	})
}

// TestNoTimeout has no end but that of the context around it, and the end of the run is none of time.
func TestNoTimeout(t *testing.T) {
	around, cancel := context.WithCancel(t.Context())
	ctx, over := limited(around, duration{})
	cancel()
	<-ctx.Done()
	if outOfTime(ctx) != nil || strings.Contains(stopping(ctx), "timeout") {
		t.Errorf("it ended by %v", context.Cause(ctx))
	}
	over()
	ctx, over = limited(t.Context(), duration{time.Hour, "1h"})
	over()
	if outOfTime(ctx) != nil {
		t.Error("a run that is over is out of time")
	}
}

func TestDuration(t *testing.T) {
	for text, right := range map[string]bool{"10m": true, "90s": true, "1h30m": true, "10": false, "": false, "0s": false, "-5m": false, "soon": false} {
		var d duration
		if err := d.Set(text); (err == nil) != right || right && d.String() != text {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestWaitingAmongMany shows why hosts are waited for, where not all have a line of their own.
func TestWaitingAmongMany(t *testing.T) {
	hosts := newLiveHosts([]string{"w1", "w2"})
	hosts.advance(event.Event{Kind: event.Observing})
	hosts.advance(event.Event{Kind: event.Waiting, Host: "w2", Message: "connection refused", Seconds: 8, Limit: 600})
	if got := hosts.lines["w2"].outcome(); got != "waiting: connection refused (8 s of 10 min)" {
		t.Errorf("w2 shows %q", got)
	}
	if got := hosts.lines["w1"].outcome(); got != "looking" {
		t.Errorf("w1 shows %q", got)
	}
}

// TestWaitingLinesAreFew has a line where the reason changes, and each minute.
func TestWaitingLinesAreFew(t *testing.T) {
	var out strings.Builder
	r := newPlainRenderer(&out, named("w1", "w2"), false)
	for seconds := range 130 {
		for _, host := range []string{"w1", "w2"} {
			r.event(event.Event{Kind: event.Waiting, Host: host, Message: "connection refused", Seconds: float64(seconds), Limit: 600})
		}
	}
	if n := strings.Count(out.String(), "waiting: connection refused"); n != 6 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
}
