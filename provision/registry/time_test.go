package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// mute is a registry that takes connections and requests and never says a word. The pipes are
// closed by the client.
func mute(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go io.Copy(io.Discard, theirs)
	return ours, nil
}

func TestClientWaitsForSoLong(t *testing.T) {
	for _, c := range []struct {
		title    string
		endpoint Endpoint
		dial     DialFunc
		want     time.Duration
	}{
		{"no connection", Endpoint{Host: "registry.example"}, func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, 10 * time.Second},
		{"no handshake", Endpoint{Host: "registry.example"}, mute, 10 * time.Second},
		{"no answer", Endpoint{Host: "registry.example", PlainHTTP: true}, mute, 2 * time.Minute},
	} {
		t.Run(c.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := connect(t, c.endpoint, c.dial).Ping(t.Context())
				if took := time.Since(began); !errors.Is(err, ErrUnreachable) || took != c.want {
					t.Errorf("%v after %v, want %v after %v", err, took, ErrUnreachable, c.want)
				}
			})
		})
	}
}

func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, Endpoint{Host: "registry.example", PlainHTTP: true}, mute)
		began := time.Now()
		late, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := c.Ping(late); !errors.Is(err, ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("at the deadline: %v", err)
		}
		canceled, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		if err := c.Ping(canceled); errors.Is(err, ErrUnreachable) || !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
		if took := time.Since(began); took != 2*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

func TestWaitReadyGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var dials []time.Duration
		// It takes so long that the time is over in a pause.
		const refusal = 30 * time.Millisecond
		c := connect(t, Endpoint{Host: "registry.example"}, func(ctx context.Context, _, _ string) (net.Conn, error) {
			dials = append(dials, time.Since(began))
			if err := wait(ctx, refusal); err != nil {
				return nil, err
			}
			return nil, errors.New("connection refused")
		})
		err := c.WaitReady(t.Context())
		if took := time.Since(began); !errors.Is(err, ErrUnreachable) || took != readyLimit {
			t.Errorf("%v after %v", err, took)
		}
		if want := []time.Duration{0, refusal + readyInterval, 2 * (refusal + readyInterval)}; !slices.Equal(dials[:3], want) {
			t.Errorf("dialed at %v, want %v", dials[:3], want)
		}
	})
}

func TestTry(t *testing.T) {
	busyFor := func(after time.Duration) error {
		return &busyError{status: http.StatusServiceUnavailable, after: after}
	}
	refused := errors.New("refused")
	for _, c := range []struct {
		title   string
		answers []error // the last one again and again
		limit   time.Duration
		want    error
		at      []time.Duration // of the attempts, in seconds
	}{
		{"at once", []error{nil}, time.Hour, nil, []time.Duration{0}},
		{"at the second attempt", []error{io.EOF, nil}, time.Hour, nil, []time.Duration{0, 1}},
		{"never", []error{io.EOF}, time.Hour, io.EOF, []time.Duration{0, 1, 3, 6, 10}},
		{"what is permanent", []error{io.EOF, refused}, time.Hour, refused, []time.Duration{0, 1}},
		{"it asks for patience", []error{busyFor(5 * time.Second), nil}, time.Hour, nil, []time.Duration{0, 5}},
		{"it asks for less than usual", []error{busyFor(time.Second), busyFor(time.Second), nil}, time.Hour, nil, []time.Duration{0, 1, 3}},
		{"the end is first", []error{io.EOF}, 2 * time.Second, io.EOF, []time.Duration{0, 1}},
		{"the end is there", []error{io.EOF}, 0, io.EOF, []time.Duration{0}},
	} {
		t.Run(c.title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				client := &Client{pause: func(attempt int) time.Duration { return time.Duration(attempt+1) * time.Second }}
				began := time.Now()
				var at []time.Duration
				err := client.try(ctx, func(context.Context) error {
					at = append(at, time.Since(began)/time.Second)
					return c.answers[min(len(at), len(c.answers))-1]
				})
				if !errors.Is(err, c.want) || !slices.Equal(at, c.at) {
					t.Errorf("%v with attempts at %v, want %v at %v", err, at, c.want, c.at)
				}
			})
		})
	}
}

func TestPausesGrow(t *testing.T) {
	c, err := NewClient(Endpoint{Host: "registry.example"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for attempt, want := range []time.Duration{250, 500, 1000, 2000} {
		want *= time.Millisecond
		for range 100 {
			if got := c.pause(attempt); got < want*89/100 || got > want*111/100 {
				t.Fatalf("pause %d is %v, want about %v", attempt, got, want)
			}
		}
	}
}
