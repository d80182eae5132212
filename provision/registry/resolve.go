package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	oras "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// Resolve finds the manifest of a tag or digest in a repository. Registries and what lies before
// them answer HEAD in ways of their own: without digest, without length, by 404 or by 405. So
// what HEAD does not find is asked for by GET, whose answer is the one that counts.
func (c *Client) Resolve(ctx context.Context, repository, tagOrDigest string) (ocispec.Descriptor, error) {
	what := name(repository, tagOrDigest)
	repo, err := c.registry.Repository(ctx, repository)
	if err != nil {
		return ocispec.Descriptor{}, c.explain("resolve", what, err)
	}
	var desc ocispec.Descriptor
	err = c.explain("resolve", what, c.try(ctx, func(ctx context.Context) (err error) {
		desc, err = repo.Resolve(ctx, tagOrDigest)
		return err
	}))
	if err == nil || ctx.Err() != nil || !doubtful(err) {
		return desc, err
	}
	err = c.try(ctx, func(ctx context.Context) (err error) {
		desc, err = c.get(ctx, repository, tagOrDigest)
		return err
	})
	return desc, c.explain("resolve", what, err)
}

// doubtful says that an answer to HEAD may be no word of the registry.
func doubtful(err error) bool {
	var f *failure
	if !errors.As(err, &f) {
		return false
	}
	return f.kind == nil || f.kind == ErrMissing || f.kind == ErrDisabled || status(http.StatusNotImplemented)(err) //nolint:errorlint // it holds these very values
}

// get fetches a manifest to learn what it is. Nothing but its bytes is needed for that.
func (c *Client) get(ctx context.Context, repository, tagOrDigest string) (ocispec.Descriptor, error) {
	ref := oras.Reference{Registry: c.endpoint.Host, Repository: repository, Reference: tagOrDigest}
	ctx = auth.AppendRepositoryScope(ctx, ref, auth.ActionPull)
	at := url.URL{Scheme: "https", Host: c.endpoint.Host, Path: "/v2/" + repository + "/manifests/" + tagOrDigest}
	if c.endpoint.PlainHTTP {
		at.Scheme = "http"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	request.Header.Set("Accept", strings.Join([]string{
		ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, dockerManifest, dockerIndex, "*/*",
	}, ", "))
	response, err := c.registry.Client.Do(request)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return ocispec.Descriptor{}, refused(response)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxManifest+1))
	switch {
	case err != nil:
		return ocispec.Descriptor{}, err
	case len(data) > maxManifest:
		return ocispec.Descriptor{}, fmt.Errorf("the manifest has more than %d bytes", maxManifest)
	}
	desc := content.NewDescriptorFromBytes(manifestType(response.Header, data), data)
	if want, err := digest.Parse(tagOrDigest); err == nil {
		verifier := want.Verifier()
		if _, err := verifier.Write(data); err != nil || !verifier.Verified() {
			return ocispec.Descriptor{}, fmt.Errorf("%w: the manifest's digest is %s", ErrCorrupt, desc.Digest)
		}
		desc.Digest = want
	}
	return desc, nil
}

// manifestType is the media type of a manifest: the answer's, or its own where that says nothing.
func manifestType(header http.Header, data []byte) string {
	var own struct {
		MediaType string `json:"mediaType"`
	}
	said, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err == nil && isManifest(ocispec.Descriptor{MediaType: said}) {
		return said
	}
	if json.Unmarshal(data, &own) == nil && own.MediaType != "" {
		return own.MediaType
	}
	return said
}

// refused is the error of an answer, with the registry's own words if it has some.
func refused(response *http.Response) error {
	e := &errcode.ErrorResponse{Method: response.Request.Method, URL: response.Request.URL, StatusCode: response.StatusCode}
	var body struct {
		Errors errcode.Errors `json:"errors"`
	}
	if json.NewDecoder(io.LimitReader(response.Body, maxErrorBody)).Decode(&body) == nil {
		e.Errors = body.Errors
	}
	return e
}
