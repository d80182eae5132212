package registry

import (
	"bytes"
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

// transport makes errors of the answers that do not come from a registry's logic, and ends
// requests that have stopped in the middle.
type transport struct{ base *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := guarded(t.base, request, silence)
	if err != nil {
		return nil, err
	}
	if slices.Contains(passing(), response.StatusCode) {
		defer response.Body.Close()
		return nil, busy(response)
	}
	if request.URL.Scheme == "http" && response.StatusCode == http.StatusBadRequest {
		return refusesHTTP(response)
	}
	return response, nil
}

// CloseIdleConnections is what http.Client calls.
func (t *transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// refusesHTTP makes an error of the answer of a server that wants TLS. Registries, and what
// keeps their blobs, answer with the same status for reasons of their own: only the words tell.
func refusesHTTP(response *http.Response) (*http.Response, error) {
	begin, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	if err != nil {
		response.Body.Close()
		return nil, err
	}
	text := strings.ToLower(string(begin))
	for _, words := range wantTLS() {
		if strings.Contains(text, words) {
			response.Body.Close()
			return nil, fmt.Errorf("%w: %s to HTTP", ErrScheme, response.Status)
		}
	}
	response.Body = &whole{io.MultiReader(bytes.NewReader(begin), response.Body), response.Body}
	return response, nil
}

// wantTLS are the words of servers that got HTTP in place of TLS: Go, nginx, Apache, Tomcat and
// Jetty, in small letters.
func wantTLS() []string {
	return []string{"to an https server", "to https port", "speaking plain http", "requires tls"}
}

// whole is a body of which a part was read and put before the rest.
type whole struct {
	io.Reader
	io.Closer
}

// busy reads an answer that says to come again later.
func busy(response *http.Response) *busyError {
	e := &busyError{status: response.StatusCode, after: retryAfter(response.Header)}
	var body struct {
		Errors errcode.Errors `json:"errors"`
	}
	// A body that is not a registry's says less than the status.
	if json.NewDecoder(io.LimitReader(response.Body, maxErrorBody)).Decode(&body) == nil {
		e.errors = body.Errors
	}
	return e
}

// retryAfter is how long an answer asks to wait: seconds, or the time from its own date to
// another one, so that clocks need not agree (RFC 9110 section 10.2.3). 0: it does not say.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestAsked)
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(until.Sub(now), 0), longestAsked)
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
