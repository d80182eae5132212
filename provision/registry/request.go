package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	oras "oras.land/oras-go/v2/registry"
)

const (
	// readyLimit bounds the wait for a registry that was just started.
	readyLimit = 30 * time.Second
	// readyInterval is the pause between two looks at it.
	readyInterval = 200 * time.Millisecond
)

// try does something until it works, as long as only passing failures are in its way.
func (c *Client) try(ctx context.Context, do func(context.Context) error) error {
	for attempt := 0; ; attempt++ {
		err := do(ctx)
		if err == nil || attempt == attempts-1 || ctx.Err() != nil || !transient(err) {
			return err
		}
		pause := c.pause(attempt)
		var busy *busyError
		if errors.As(err, &busy) {
			pause = max(pause, busy.after)
		}
		if wait(ctx, pause) != nil {
			return err
		}
	}
}

func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Ping asks whether a registry is there that lets this user in.
func (c *Client) Ping(ctx context.Context) error {
	return c.explain("reach registry", "", c.try(ctx, c.registry.Ping))
}

// WaitReady waits until a registry that was just started answers, half a minute at most.
// It ends at once with what waiting cannot mend.
func (c *Client) WaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for {
		err := c.explain("wait for registry", "", c.registry.Ping(ctx))
		if err == nil || ctx.Err() != nil || !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrServer) {
			return err
		}
		if wait(ctx, readyInterval) != nil {
			return err
		}
	}
}

// Tags lists the tags of a repository.
func (c *Client) Tags(ctx context.Context, repository string) ([]string, error) {
	repo, err := c.registry.Repository(ctx, repository)
	if err != nil {
		return nil, c.explain("list the tags of", repository, err)
	}
	return c.list(ctx, "list the tags of", repository, repo.Tags)
}

// Repositories lists the repositories of the registry (its catalog), which not every registry
// allows.
func (c *Client) Repositories(ctx context.Context) ([]string, error) {
	return c.list(ctx, "list the repositories of", "", c.registry.Repositories)
}

// list collects all pages.
func (c *Client) list(ctx context.Context, doing, what string,
	pages func(ctx context.Context, last string, fn func([]string) error) error,
) ([]string, error) {
	var all []string
	err := c.try(ctx, func(ctx context.Context) error {
		all = nil
		return pages(ctx, "", func(page []string) error {
			all = append(all, page...)
			return nil
		})
	})
	return all, c.explain(doing, what, err)
}

// Delete deletes the manifest that a tag or digest stands for, and with it every tag of it in
// this repository. Its blobs stay until the registry's garbage collection.
func (c *Client) Delete(ctx context.Context, repository, tagOrDigest string) error {
	desc, err := c.Resolve(ctx, repository, tagOrDigest)
	if err != nil {
		return err
	}
	repo, err := c.registry.Repository(ctx, repository)
	if err == nil {
		err = c.try(ctx, func(ctx context.Context) error { return repo.Manifests().Delete(ctx, desc) })
	}
	return c.explain("delete", name(repository, tagOrDigest), err)
}

// Image implements Source for references without the registry: "lib/app:1", "lib/app@sha256:…".
func (c *Client) Image(ctx context.Context, ref string) (ocispec.Descriptor, content.Fetcher, error) {
	parsed, err := reference.Parse(ref)
	if err != nil {
		return ocispec.Descriptor{}, nil, fmt.Errorf("image %q: %w", ref, err)
	}
	named, ok := parsed.(reference.Named)
	if !ok {
		return ocispec.Descriptor{}, nil, fmt.Errorf("image %q names no repository", ref)
	}
	which := "latest"
	if tagged, ok := parsed.(reference.Tagged); ok {
		which = tagged.Tag()
	}
	if digested, ok := parsed.(reference.Digested); ok {
		which = digested.Digest().String()
	}
	desc, err := c.Resolve(ctx, named.Name(), which)
	if err != nil {
		return desc, nil, err
	}
	repo, err := c.registry.Repository(ctx, named.Name())
	if err != nil {
		return desc, nil, c.explain("read", named.Name(), err)
	}
	return desc, content.FetcherFunc(func(ctx context.Context, part ocispec.Descriptor) (io.ReadCloser, error) {
		return c.fetch(ctx, repo, named.Name(), part)
	}), nil
}

// fetch opens content. Manifests are read to their end, so that they too are tried again.
func (c *Client) fetch(ctx context.Context, repo oras.Repository, repository string, desc ocispec.Descriptor) (io.ReadCloser, error) {
	var opened io.ReadCloser
	err := c.try(ctx, func(ctx context.Context) (err error) {
		if !isManifest(desc) {
			opened, err = repo.Fetch(ctx, desc)
			return err
		}
		data, err := fetchManifest(ctx, repo, desc)
		opened = io.NopCloser(bytes.NewReader(data))
		return err
	})
	if err != nil {
		return nil, c.explain("read", name(repository, desc.Digest.String()), err)
	}
	return opened, nil
}

// Origins is a Source for full references: it returns the client for the registry that a
// reference names, for example "docker.io".
type Origins func(domain string) (*Client, error)

// Image implements Source.
func (o Origins) Image(ctx context.Context, ref string) (ocispec.Descriptor, content.Fetcher, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ocispec.Descriptor{}, nil, fmt.Errorf("image %q: %w", ref, err)
	}
	domain := reference.Domain(named)
	client, err := o(domain)
	if err != nil {
		return ocispec.Descriptor{}, nil, fmt.Errorf("image %s: registry %s: %w", ref, domain, err)
	}
	return client.Image(ctx, strings.TrimPrefix(named.String(), domain+"/"))
}

// admits asks the registry of a reference whether it lets the user in at all. Without a user
// there is nothing to ask.
func (o Origins) admits(ctx context.Context, ref string) error {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return err
	}
	client, err := o(reference.Domain(named))
	if err != nil {
		return err
	}
	return client.admits(ctx, ref)
}

func (c *Client) admits(ctx context.Context, _ string) error {
	if c.endpoint.User == "" {
		return nil
	}
	return c.Ping(ctx)
}

// name is a repository with a tag or digest as people write it.
func name(repository, tagOrDigest string) string {
	if _, err := digest.Parse(tagOrDigest); err == nil {
		return repository + "@" + tagOrDigest
	}
	return repository + ":" + tagOrDigest
}
