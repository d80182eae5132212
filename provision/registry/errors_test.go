package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

func request(cause error) error {
	return &url.Error{Op: "Get", URL: "https://registry.example/v2/?_state=s3cret-state", Err: cause}
}

func answered(status int, message string) error {
	e := &errcode.ErrorResponse{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "registry.example"}, StatusCode: status}
	if message != "" {
		e.Errors = errcode.Errors{{Code: "DENIED", Message: message}}
	}
	return e
}

func TestExplain(t *testing.T) {
	c := connect(t, Endpoint{Host: "registry.example", User: "ann", Password: "s3cret"}, nil)
	const (
		network = " (check the network between, and that a registry listens there)"
		missing = " (check repository and tag)"
	)
	for _, row := range []struct {
		cause error
		kind  error
		text  string // after the deed
	}{
		{context.Canceled, nil, "context canceled"},
		{request(context.Canceled), nil, "context canceled"},
		{request(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), ErrCertificate,
			"registry's certificate is not trusted: tls: failed to verify certificate: x509: certificate signed by unknown authority (name the CA that signed it)"},
		{request(http.ErrSchemeMismatch), ErrScheme,
			"registry speaks the other of HTTP and HTTPS: http: server gave HTTP response to HTTPS client (choose plain HTTP if and only if it has no TLS)"},
		{request(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), ErrScheme,
			"registry speaks the other of HTTP and HTTPS: tls: first record does not look like a TLS handshake (choose plain HTTP if and only if it has no TLS)"},
		{ErrScheme, ErrScheme, "registry speaks the other of HTTP and HTTPS (choose plain HTTP if and only if it has no TLS)"},
		{request(&dialError{errors.New("connection refused")}), ErrUnreachable, "registry is unreachable: connection refused (check address, port and firewall)"},
		{answered(http.StatusUnauthorized, ""), ErrCredentials, "registry denies access: status 401 Unauthorized (check user, password and their rights)"},
		{answered(http.StatusForbidden, "no s3cret"), ErrCredentials, "registry denies access: status 403: denied: no *** (check user, password and their rights)"},
		{auth.ErrBasicCredentialNotFound, ErrCredentials, "registry denies access: basic credential not found (it wants user and password)"},
		{fmt.Errorf("x: %w", errdef.ErrNotFound), ErrMissing, "not in the registry: status 404 Not Found" + missing},
		{answered(http.StatusNotFound, "gone"), ErrMissing, "not in the registry: status 404: denied: gone" + missing},
		{answered(http.StatusMethodNotAllowed, ""), ErrDisabled, "registry does not do this: status 405 Method Not Allowed (allow it in the registry's configuration)"},
		{request(&busyError{status: http.StatusServiceUnavailable}), ErrServer,
			"registry has an error: status 503 Service Unavailable (try again later, or look into the registry's log)"},
		{answered(http.StatusInternalServerError, ""), ErrServer, "registry has an error: status 500 Internal Server Error (look into the registry's log)"},
		{answered(http.StatusInsufficientStorage, ""), ErrServer, "registry has an error: status 507 Insufficient Storage (look into the registry's log)"},
		{answered(499, ""), nil, "status 499"},
		{request(errors.New("no answer")), ErrUnreachable, "registry is unreachable: no answer" + network},
		{&net.OpError{Op: "read", Err: errors.New("timeout")}, ErrUnreachable, "registry is unreachable: read: timeout" + network},
		{io.ErrUnexpectedEOF, ErrUnreachable, "registry is unreachable: unexpected EOF" + network},
		{errors.New("anything else"), nil, "anything else"},
	} {
		err := c.explain("resolve", "lib/app:1", row.cause)
		if want := "resolve registry.example/lib/app:1: " + row.text; err.Error() != want {
			t.Errorf("%v: %s\nwant %s", row.cause, err, want)
		}
		if row.kind != nil && !errors.Is(err, row.kind) || !errors.Is(err, row.cause) {
			t.Errorf("%v: the chain lacks it, or %v", row.cause, row.kind)
		}
		for _, kind := range []error{ErrUnreachable, ErrCertificate, ErrScheme, ErrCredentials, ErrMissing, ErrDisabled, ErrServer} {
			if !errors.Is(kind, row.kind) && errors.Is(err, kind) {
				t.Errorf("%v: it counts as %v too", row.cause, kind)
			}
		}
		if again := c.explain("copy", "", fmt.Errorf("once more: %w", err)); again.Error() != "once more: "+err.Error() {
			t.Errorf("explained twice: %v", again)
		}
	}
	if err := c.explain("reach registry", "", nil); err != nil {
		t.Errorf("nothing is explained as %v", err)
	}
	if err := c.explain("reach registry", "", errors.New("x")); err.Error() != "reach registry registry.example: x" {
		t.Errorf("the text is %q", err)
	}
}

func TestTransient(t *testing.T) {
	for _, row := range []struct {
		err  error
		want bool
	}{
		{request(syscall.ECONNRESET), true},
		{request(syscall.ECONNABORTED), true},
		{request(syscall.EPIPE), true},
		{request(io.EOF), true},
		{request(io.ErrUnexpectedEOF), true},
		{request(io.ErrClosedPipe), true},
		{request(&busyError{status: http.StatusTooManyRequests}), true},
		{request(&dialError{syscall.ECONNRESET}), false},
		{&failure{cause: io.EOF}, false},
		{fmt.Errorf("%w, %w", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, io.EOF), false},
		{request(syscall.ECONNREFUSED), false},
		{answered(http.StatusNotFound, ""), false},
		{errors.New("anything else"), false},
		{context.DeadlineExceeded, false},
	} {
		if got := transient(row.err); got != row.want {
			t.Errorf("%v: %v", row.err, got)
		}
	}
}

func TestMask(t *testing.T) {
	c := &Client{endpoint: Endpoint{User: "ann", Password: "s3cret"}}
	open := &Client{}
	long := strings.Repeat("ä", longestReason)
	for _, row := range []struct {
		client     *Client
		text, want string
	}{
		{c, "user ann, password s3cret, both YW5uOnMzY3JldA==", "user ann, password ***, both ***"},
		{c, "one\r\ntwo\x1b[31m", "one  two [31m"},
		{open, "s3cret", "s3cret"},
		{open, long, long},
		{open, long + "b", long + "…"},
	} {
		if got := row.client.mask(row.text); got != row.want {
			t.Errorf("%q: %q, want %q", row.text, got, row.want)
		}
	}
}

func TestBusy(t *testing.T) {
	for _, row := range []struct {
		after, body string
		want        time.Duration
		text        string
	}{
		{"Fri, 31 Dec 9999 23:59:59 GMT", "", longestAsked, "status 503 Service Unavailable"},
		{"Thu, 26 Nov 2026 10:00:07 GMT", "", 7 * time.Second, "status 503 Service Unavailable"},
		{"Thursday, 26-Nov-26 10:00:07 GMT", "", 7 * time.Second, "status 503 Service Unavailable"},
		{"Thu, 26 Nov 2026 11:00:00 GMT", "", longestAsked, "status 503 Service Unavailable"},
		{"Thu, 26 Nov 2026 09:59:59 GMT", "", 0, "status 503 Service Unavailable"},
		{"99999999999999999999", "", 0, "status 503 Service Unavailable"},
		{"", "", 0, "status 503 Service Unavailable"},
		{"7", "<html>", 7 * time.Second, "status 503 Service Unavailable"},
		{"30", `{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`, longestAsked, "status 503: toomanyrequests: slow down"},
		{"31", "", longestAsked, "status 503 Service Unavailable"},
		{"1", "", time.Second, "status 503 Service Unavailable"},
		{"0", "", 0, "status 503 Service Unavailable"},
		{"-5", "", 0, "status 503 Service Unavailable"},
		{"tomorrow", "", 0, "status 503 Service Unavailable"},
		{"", `{"errors":[{"code":"UNKNOWN","message":"` + strings.Repeat("x", maxErrorBody) + `"}]}`, 0, "status 503 Service Unavailable"},
	} {
		e := busy(&http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {row.after}, "Date": {"Thu, 26 Nov 2026 10:00:00 GMT"}}, Body: io.NopCloser(strings.NewReader(row.body))})
		if e.after != row.want || e.Error() != row.text {
			t.Errorf("%q, %q: %v, %q", row.after, row.body, e.after, e)
		}
	}
	// Without a date of its own, the answer is compared with our clock.
	if after := retryAfter(http.Header{"Retry-After": {"Fri, 31 Dec 9999 23:59:59 GMT"}}); after != longestAsked {
		t.Errorf("without a date: %v", after)
	}
}
