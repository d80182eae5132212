package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// silence is how long the next byte of a request or of an answer may take. It counts from the
// last byte, so that a slow way is no failure and one that has ended is.
const silence = time.Minute

// stalledError says that a request or its answer stopped in the middle.
type stalledError struct{ limit time.Duration }

// Error implements error.
func (e *stalledError) Error() string {
	return fmt.Sprintf("it stopped in the middle: no byte for %s", e.limit)
}

// watch ends a request when the time limit that it was given last is over.
type watch struct {
	end context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
	over  bool // nothing is waited for any more
}

// expect starts the time anew.
func (w *watch) expect(limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	w.timer = time.AfterFunc(limit, func() { w.end(&stalledError{limit}) })
}

// rest stops the time.
func (w *watch) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

// stop stops the time for good.
func (w *watch) stop() {
	w.rest()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

// outgoing is the body of a request. Its time runs while the connection is busy with the bytes
// that it took, not while it is read: that is the source's time.
type outgoing struct {
	io.ReadCloser
	watch *watch
	limit time.Duration
}

// Read implements io.Reader.
func (o *outgoing) Read(p []byte) (int, error) {
	o.watch.rest()
	n, err := o.ReadCloser.Read(p)
	if err != nil {
		// All is on its way. How long the answer takes, the transport knows by itself.
		o.watch.expect(o.limit + answerTimeout)
	} else {
		o.watch.expect(o.limit)
	}
	return n, err
}

// incoming is the body of an answer. Its time runs while a read waits.
type incoming struct {
	io.ReadCloser
	ctx   context.Context //nolint:containedctx // that of the request, which lives as long as the body
	watch *watch
	limit time.Duration
	done  context.CancelCauseFunc
}

// Read implements io.Reader.
func (i *incoming) Read(p []byte) (int, error) {
	i.watch.expect(i.limit)
	n, err := i.ReadCloser.Read(p)
	i.watch.rest()
	if err != nil && !errors.Is(err, io.EOF) {
		err = ended(i.ctx, err)
	}
	return n, err
}

// Close implements io.Closer.
func (i *incoming) Close() error {
	i.watch.stop()
	err := i.ReadCloser.Close()
	i.done(nil)
	return err
}

// ended is why a request ended: its own error, or that it was ended for its silence.
func ended(ctx context.Context, err error) error {
	var stalled *stalledError
	if errors.As(context.Cause(ctx), &stalled) {
		return stalled
	}
	return err
}

// guarded makes a request that does not wait for bytes without end.
func guarded(base http.RoundTripper, request *http.Request, limit time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	request = request.WithContext(ctx)
	sending := &watch{end: cancel}
	if request.Body != nil && request.Body != http.NoBody {
		request.Body = &outgoing{ReadCloser: request.Body, watch: sending, limit: limit}
	}
	response, err := base.RoundTrip(request)
	sending.stop()
	if err != nil {
		err = ended(ctx, err)
		cancel(nil)
		return nil, err
	}
	response.Body = &incoming{ReadCloser: response.Body, ctx: ctx, watch: &watch{end: cancel}, limit: limit, done: cancel}
	return response, nil
}
