package sshconfig

import (
	"context"
	"sync"
)

// memo finds each thing out once, for all who want to know it.
type memo[K comparable, V any] struct {
	mu    sync.Mutex
	found map[K]*finding[V]
}

// finding is what is being found out, or was.
type finding[V any] struct {
	done  chan struct{} // closed when the rest is set
	value V
	err   error
	given bool // whoever was to find it out has given up
}

// get returns what somebody has found out or is finding out, or finds it out. Nobody's patience is another's: what was given up
// is found out anew by the next.
func (m *memo[K, V]) get(ctx context.Context, key K, find func(context.Context) (V, error)) (V, error) {
	for {
		f, mine := m.claim(key)
		if mine {
			f.value, f.err = find(ctx)
			if f.given = ctx.Err() != nil; f.given {
				m.forget(key)
			}
			close(f.done)
			return f.value, f.err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			var none V
			return none, context.Cause(ctx)
		}
		if !f.given {
			return f.value, f.err
		}
	}
}

// claim returns the finding for a key; mine says that it is new, and the caller's to make.
func (m *memo[K, V]) claim(key K) (f *finding[V], mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.found == nil {
		m.found = map[K]*finding[V]{}
	}
	if f = m.found[key]; f == nil {
		f, mine = &finding[V]{done: make(chan struct{})}, true
		m.found[key] = f
	}
	return f, mine
}

func (m *memo[K, V]) forget(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.found, key)
}
