package registry

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"oras.land/oras-go/v2/registry/remote/errcode"
)

const (
	// longestAsked is how long a registry can make the client wait before the next attempt.
	longestAsked = 30 * time.Second
	// maxErrorBody is how much of an error's body is read, in bytes.
	maxErrorBody = 8 << 10
)

// busyError is an answer that says nothing about the request: the same one may work later.
type busyError struct {
	status int
	after  time.Duration // how long the registry asks to wait; 0: it does not say
	errors errcode.Errors
}

// Error implements error.
func (e *busyError) Error() string { return answer(e.status, e.errors) }

// passing are the status codes that a later attempt may not meet.
func passing() []int {
	return []int{
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}
}

// transport makes errors of the answers that do not come from a registry's logic.
type transport struct{ base *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.base.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if slices.Contains(passing(), response.StatusCode) {
		defer response.Body.Close()
		return nil, busy(response)
	}
	if request.URL.Scheme == "http" && response.StatusCode == http.StatusBadRequest &&
		!strings.Contains(response.Header.Get("Content-Type"), "json") {
		// Registries explain a bad request in JSON. TLS servers answer in their own ways to HTTP.
		response.Body.Close()
		return nil, fmt.Errorf("%w: %s to HTTP", ErrScheme, response.Status)
	}
	return response, nil
}

// CloseIdleConnections is what http.Client calls.
func (t *transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

func busy(response *http.Response) *busyError {
	e := &busyError{status: response.StatusCode}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.after = min(time.Duration(seconds)*time.Second, longestAsked)
	}
	var body struct {
		Errors errcode.Errors `json:"errors"`
	}
	// A body that is not a registry's says less than the status.
	if json.NewDecoder(io.LimitReader(response.Body, maxErrorBody)).Decode(&body) == nil {
		e.errors = body.Errors
	}
	return e
}

// answer is the text for a refusing answer.
func answer(status int, reasons errcode.Errors) string {
	text := fmt.Sprintf("status %d", status)
	if len(reasons) > 0 {
		return text + ": " + reasons.Error()
	}
	if name := http.StatusText(status); name != "" {
		text += " " + name
	}
	return text
}
