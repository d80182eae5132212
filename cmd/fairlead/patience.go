package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"
)

const (
	flagWait    = "wait"
	flagTimeout = "timeout"
)

// duration is the value of a flag: a time that is longer than none.
type duration struct {
	time.Duration
	text string // as it was typed
}

// Set implements flag.Value.
func (d *duration) Set(text string) error {
	value, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return errors.New("must be a time with its unit, such as 90s, 10m or 1h30m")
	case value <= 0:
		return errors.New("must be more than 0: leave the flag out instead")
	}
	d.Duration, d.text = value, text
	return nil
}

// String implements flag.Value.
func (d *duration) String() string { return d.text }

// waitFlags are those of commands that reach hosts for the first time.
func waitFlags() []cli.Flag {
	return append([]cli.Flag{&cli.GenericFlag{
		Name: flagWait, Value: &duration{}, DefaultText: "try once",
		Usage: "wait up to `TIME` (10m) for hosts that cannot be reached yet",
	}}, timeoutFlags()...)
}

// timeoutFlags are those of commands that work on hosts.
func timeoutFlags() []cli.Flag {
	return []cli.Flag{&cli.GenericFlag{
		Name: flagTimeout, Value: &duration{}, DefaultText: "none",
		Usage: "end the whole run after `TIME` (30m), as Ctrl-C does",
	}}
}

// given is the value of such a flag; one of none where it was not given, or the command does not have it.
func given(c *cli.Context, name string) duration {
	if d, ok := c.Generic(name).(*duration); ok {
		return *d
	}
	return duration{}
}

// timeoutError says that the time of a run is over. It ends the run as Ctrl-C does, and so counts as a context.Canceled.
type timeoutError struct{ after duration }

// Error implements error.
func (e *timeoutError) Error() string { return "--" + flagTimeout + " " + e.after.text + " is over" }

// Is makes errors.Is(err, context.Canceled) hold.
func (e *timeoutError) Is(target error) bool { return target == context.Canceled }

// limited is a context that ends when the time of the run is over. The function says that the run is.
func limited(ctx context.Context, after duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if after.Duration == 0 {
		return ctx, func() { cancel(nil) }
	}
	timer := time.AfterFunc(after.Duration, func() { cancel(&timeoutError{after}) })
	return ctx, func() { timer.Stop(); cancel(nil) }
}

// outOfTime is the cause of a context's end, where that is that the time is over; else nil.
func outOfTime(ctx context.Context) error {
	var over *timeoutError
	if errors.As(context.Cause(ctx), &over) {
		return over
	}
	return nil
}

// stopping says how a run ends that is stopped.
func stopping(ctx context.Context) string {
	if over := outOfTime(ctx); over != nil {
		return "stopping: " + over.Error() + ": no new steps are started"
	}
	return "stopping: no new steps are started; press Ctrl-C again to leave at once"
}
