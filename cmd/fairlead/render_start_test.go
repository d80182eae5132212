package main

import (
	"bytes"
	"testing"

	"fairlead/provision/event"

	"github.com/vbauerster/mpb/v8"
)

// A password is asked for before anything happens: lines that are drawn by then would wipe
// the question out.
func TestLiveLinesWaitForTheFirstEvent(t *testing.T) {
	var out bytes.Buffer
	quiet := newLiveRenderer(&out, named("cp1"), false, false, mpb.WithAutoRefresh())
	if err := quiet.close(nil); err != nil || out.Len() > 0 {
		t.Errorf("without events there is %q, %v", out.String(), err)
	}
	busy := newLiveRenderer(&out, named("cp1"), false, false, mpb.WithAutoRefresh())
	busy.event(event.Event{Kind: event.Done, Host: "cp1", Title: "join", Seconds: 1})
	if err := busy.close(nil); err != nil || !bytes.Contains(out.Bytes(), []byte("join")) {
		t.Errorf("with an event there is %q, %v", out.String(), err)
	}
}
