package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"fairlead/provision/event"
)

// jsonRenderer writes one JSON object per event. The last one is always of the kind
// "finished"; commands that only look do not have such an event of their own.
type jsonRenderer struct {
	encoder  *json.Encoder
	notes    io.Writer
	finished bool
	errs     []error
}

func newJSONRenderer(out, notes io.Writer) *jsonRenderer {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return &jsonRenderer{encoder: encoder, notes: notes}
}

func (r *jsonRenderer) event(e event.Event) {
	r.finished = r.finished || e.Kind == event.Finished
	if err := r.encoder.Encode(e); err != nil && len(r.errs) == 0 {
		r.errs = append(r.errs, fmt.Errorf("write events: %w", err))
	}
}

func (r *jsonRenderer) note(text string) { _, _ = fmt.Fprintln(r.notes, printable(text)) }

func (*jsonRenderer) settle() {} // nothing moves

func (*jsonRenderer) resume() {}

func (r *jsonRenderer) close(outcome error) error {
	if !r.finished {
		e := event.Event{Time: time.Now(), Kind: event.Finished}
		if outcome != nil {
			e.Error = outcome.Error()
		}
		r.event(e)
	}
	return errors.Join(r.errs...)
}
