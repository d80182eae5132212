package kube

import (
	"fmt"
	"io"
	"net/http"
)

// refusals makes sure that a refusal (401, 403) is what the API server has decided. One that starts refuses everybody until it
// has read the roles, for some tenths of a second: /readyz says when that is over (its check poststarthook/rbac/bootstrap-roles,
// and the informers' syncs). Until then a refusal is an error of the connection, which means "later"; after it the request is made again.
type refusals struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (r refusals) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if err != nil || req.URL.Path == "/readyz" || resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	again := req.Clone(req.Context())
	if req.Body != nil && req.Body != http.NoBody {
		if req.GetBody == nil {
			return resp, nil // it cannot be sent twice
		}
		if again.Body, err = req.GetBody(); err != nil {
			return resp, nil //nolint:nilerr // likewise
		}
	}
	drain(resp)
	if err := r.ready(req); err != nil {
		return nil, fmt.Errorf("the API server refuses, and is not ready: %w", err)
	}
	return r.next.RoundTrip(again)
}

// ready asks whether the API server is, as who has made the request.
func (r refusals) ready(req *http.Request) error {
	look := req.Clone(req.Context())
	look.Method, look.Body, look.GetBody, look.ContentLength = http.MethodGet, nil, nil, 0
	look.URL.Path, look.URL.RawPath, look.URL.RawQuery = "/readyz", "", ""
	resp, err := r.next.RoundTrip(look)
	if err != nil {
		return err
	}
	drain(resp)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %s", resp.Status)
	}
	return nil
}

// drain reads the little that is left of an answer, so that its connection serves again.
func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
}

// WrappedRoundTripper implements net.RoundTripperWrapper of k8s.io/apimachinery, by which idle connections are closed.
func (r refusals) WrappedRoundTripper() http.RoundTripper { return r.next }
