package main

import (
	"errors"
	"sync"
)

// leaving is what has to be done before the program ends, however it does.
type leaving struct {
	mu   sync.Mutex
	left map[*func() error]bool
}

// add has something be done when the program leaves; whoever can do it before calls what add returns. It is done once.
func (l *leaving) add(do func() error) (now func() error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == nil {
		l.left = map[*func() error]bool{}
	}
	l.left[&do] = true
	return func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.left[&do] {
			return nil
		}
		delete(l.left, &do)
		return do()
	}
}

// all does what is left.
func (l *leaving) all() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for do := range l.left {
		errs = append(errs, (*do)())
	}
	l.left = nil
	return errors.Join(errs...)
}
