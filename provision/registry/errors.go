package registry

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"unicode"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// The kinds of failure. Each stands in the error's chain.
var (
	// ErrUnreachable says that there was no connection, none in time, or none that lasted.
	ErrUnreachable = errors.New("registry is unreachable")
	// ErrCertificate says that the registry's certificate does not verify.
	ErrCertificate = errors.New("registry's certificate is not trusted")
	// ErrScheme says that the registry speaks HTTP where HTTPS is expected, or the reverse.
	ErrScheme = errors.New("registry speaks the other of HTTP and HTTPS")
	// ErrCredentials says that user and password are wrong, are missing, or may not do this.
	ErrCredentials = errors.New("registry denies access")
	// ErrMissing says that the registry answered and does not have it.
	ErrMissing = errors.New("not in the registry")
	// ErrDisabled says that the registry is set up not to do this, for example to delete.
	ErrDisabled = errors.New("registry does not do this")
	// ErrCorrupt says that content is not what its digest says.
	ErrCorrupt = errors.New("the source's content is corrupt")
	// ErrServer says that the registry itself is in trouble or overloaded.
	ErrServer = errors.New("registry has an error")
)

// longestReason bounds, in characters, what is passed on of a registry's words.
const longestReason = 400

// failure is an error that a user can act on.
type failure struct {
	doing  string // what was done to which registry, repository and tag
	kind   error  // one of the package's errors, or nil
	reason string // the cause in words, without secrets
	mend   string
	cause  error
}

// Error implements error.
func (f *failure) Error() string {
	text := f.doing
	if f.kind != nil && f.kind.Error() != f.reason {
		text += ": " + f.kind.Error()
	}
	text += ": " + f.reason
	if f.mend != "" {
		text += " (" + f.mend + ")"
	}
	return text
}

// Unwrap returns the kind and the cause.
func (f *failure) Unwrap() []error {
	if f.kind == nil {
		return []error{f.cause}
	}
	return []error{f.kind, f.cause}
}

// dialError marks what a dial function returns, whatever its type.
type dialError struct{ cause error }

// Error implements error.
func (e *dialError) Error() string { return e.cause.Error() }

// Unwrap returns the dial function's error.
func (e *dialError) Unwrap() error { return e.cause }

// rule tells one kind of failure.
type rule struct {
	kind error
	is   func(error) bool
	mend string
}

// rules are tried in this order; the first that fits names the failure.
func rules() []rule {
	return []rule{
		{nil, func(err error) bool { return errors.Is(err, context.Canceled) }, ""},
		{ErrCertificate, as[*tls.CertificateVerificationError], "name the CA that signed it"},
		{ErrScheme, func(err error) bool {
			return errors.Is(err, ErrScheme) || errors.Is(err, http.ErrSchemeMismatch) || as[tls.RecordHeaderError](err)
		}, "choose plain HTTP if and only if it has no TLS"},
		{ErrUnreachable, as[*dialError], "check address, port and firewall"},
		{ErrCredentials, status(http.StatusUnauthorized, http.StatusForbidden), "check user, password and their rights"},
		{ErrCredentials, func(err error) bool { return errors.Is(err, auth.ErrBasicCredentialNotFound) }, "it wants user and password"},
		{ErrMissing, func(err error) bool { return errors.Is(err, errdef.ErrNotFound) }, "check repository and tag"},
		{ErrMissing, status(http.StatusNotFound), "check repository and tag"},
		{ErrDisabled, status(http.StatusMethodNotAllowed), "allow it in the registry's configuration"},
		{ErrServer, as[*busyError], "try again later, or look into the registry's log"},
		{ErrServer, func(err error) bool {
			var e *errcode.ErrorResponse
			return errors.As(err, &e) && e.StatusCode >= http.StatusInternalServerError
		}, "look into the registry's log"},
		{ErrUnreachable, func(err error) bool {
			return as[*url.Error](err) || as[net.Error](err) || broken(err) || as[*stalledError](err)
		},
			"check the network between, and that a registry listens there"},
	}
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

func status(codes ...int) func(error) bool {
	return func(err error) bool {
		var e *errcode.ErrorResponse
		if !errors.As(err, &e) {
			return false
		}
		for _, code := range codes {
			if e.StatusCode == code {
				return true
			}
		}
		return false
	}
}

// broken says that a connection ended in the middle.
func broken(err error) bool {
	for _, end := range []error{
		syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// transient says that the same request may work in a moment. What was explained already was
// tried as often as it deserves; a connection that cannot be opened is not tried again.
func transient(err error) bool {
	if as[*failure](err) || as[*dialError](err) || as[*tls.CertificateVerificationError](err) {
		return false
	}
	return as[*busyError](err) || broken(err) || as[*stalledError](err)
}

// everywhere says that a failure would meet every other image of the same registry, too: there
// is no way to it, or it has had enough.
func everywhere(err error) bool {
	var busy *busyError
	tired := errors.As(err, &busy) && (busy.status == http.StatusTooManyRequests || busy.status == http.StatusServiceUnavailable)
	return tired || as[*dialError](err) || errors.Is(err, ErrCertificate) || errors.Is(err, ErrScheme) ||
		status(http.StatusInsufficientStorage)(err)
}

// explain makes a failure of err. doing names the deed, and what it was done to is below the
// registry's name: "resolve", "lib/app:1".
func (c *Client) explain(doing, what string, err error) error {
	if err == nil || as[*failure](err) {
		return err
	}
	name := c.endpoint.Host
	if what != "" {
		name += "/" + what
	}
	f := &failure{doing: doing + " " + name, reason: c.mask(reason(err)), cause: err}
	for _, rule := range rules() {
		if rule.is(err) {
			f.kind, f.mend = rule.kind, rule.mend
			break
		}
	}
	return f
}

// reason is the cause in words. The addresses of requests are left out, as their queries may
// hold the state of an upload or a signature.
func reason(err error) string {
	var refused *errcode.ErrorResponse
	var request *url.Error
	switch {
	case errors.As(err, &refused):
		return answer(refused.StatusCode, refused.Errors)
	case errors.Is(err, errdef.ErrNotFound):
		return answer(http.StatusNotFound, nil)
	case errors.As(err, &request):
		return request.Err.Error()
	}
	return err.Error()
}

// mask takes out credentials that a registry repeats, and what would break a line.
func (c *Client) mask(text string) string {
	if user, password := c.endpoint.User, c.endpoint.Password; password != "" {
		basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
		text = strings.NewReplacer(basic, "***", password, "***").Replace(text)
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > longestReason {
		text = fmt.Sprintf("%s…", string(runes[:longestReason]))
	}
	return text
}
