package event

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var reports []string
	p := &Throttle{now: func() time.Time { return now }, report: func(sent, total int64) { reports = append(reports, fmt.Sprint(sent, "/", total)) }}
	p.Flush() // there is nothing yet
	for i := range 100 {
		p.Add(int64(i), 99)
		now = now.Add(progressInterval / 10)
	}
	p.Flush()
	p.Flush() // told already
	want := []string{"0/99", "10/99", "20/99", "30/99", "40/99", "50/99", "60/99", "70/99", "80/99", "90/99", "99/99"}
	if !slices.Equal(reports, want) {
		t.Errorf("reports %v, want %v", reports, want)
	}
}
