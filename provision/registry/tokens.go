package registry

import (
	"context"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// tokens keeps what a registry has handed out for further requests, until it is forgotten.
type tokens struct {
	mu    sync.Mutex
	cache auth.Cache
}

func newTokens() *tokens { return &tokens{cache: auth.NewCache()} }

// forget makes the next request ask for a new token.
func (t *tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cache = auth.NewCache()
}

func (t *tokens) kept() auth.Cache {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cache
}

// GetScheme implements auth.Cache.
func (t *tokens) GetScheme(ctx context.Context, registry string) (auth.Scheme, error) {
	return t.kept().GetScheme(ctx, registry)
}

// GetToken implements auth.Cache.
func (t *tokens) GetToken(ctx context.Context, registry string, scheme auth.Scheme, key string) (string, error) {
	return t.kept().GetToken(ctx, registry, scheme, key)
}

// Set implements auth.Cache.
func (t *tokens) Set(ctx context.Context, registry string, scheme auth.Scheme, key string, fetch func(context.Context) (string, error)) (string, error) {
	return t.kept().Set(ctx, registry, scheme, key, fetch)
}
