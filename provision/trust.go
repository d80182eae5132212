package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"fairlead/provision/connect"
	"fairlead/provision/event"
	"fairlead/provision/remote/ssh"
)

// HostKey is what one host has shown when it was asked for its key.
type HostKey struct {
	Host string
	// Jump says that it is no host of the inventory, but one on the way to some of these.
	Jump bool
	// Shown is the key, and what is known of it.
	Shown ssh.ShownKey
	// State is one of event's KeyNew, KeyKnown and so on; empty without a key.
	State string
	// Place is FILE:LINE, or ssh.hostKey, by which the host is known.
	Place string
	// Keyless says that the host is reached without SSH: there is nothing to know it by.
	Keyless bool
	// Err is why it has shown no key.
	Err error
}

// HostKeys asks the named hosts, or all, for their keys at once, and logs in nowhere but on jump hosts. The answers are in the
// order of the inventory; before them stand jump hosts that are not known, as nobody behind them can be asked. A host that shows no key is an answer, too; the error is only ctx's.
func (s *Session) HostKeys(ctx context.Context, names []string) ([]HostKey, error) {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	var keys []HostKey
	for _, host := range s.wish.Cluster.Hosts() {
		if len(names) == 0 || wanted[host.Name] {
			keys = append(keys, HostKey{Host: host.Name})
		}
	}
	var group sync.WaitGroup
	for i := range keys {
		group.Go(func() {
			begin := time.Now()
			keys[i].Shown, keys[i].Err = s.connections.HostKey(ctx, keys[i].Host)
			if errors.Is(keys[i].Err, connect.ErrNoHostKey) {
				keys[i].Keyless, keys[i].Err = true, nil
				return
			}
			keys[i].judge()
			s.events.Emit(keys[i].event(time.Since(begin)))
		})
	}
	group.Wait()
	jumps := jumpHosts(keys)
	for _, jump := range jumps {
		s.events.Emit(jump.event(0))
	}
	return append(jumps, keys...), context.Cause(ctx)
}

// jumpHosts are those hosts whose keys were refused on the way to others.
func jumpHosts(keys []HostKey) []HostKey {
	var jumps []HostKey
	for _, key := range keys {
		var refused *ssh.HostKeyError
		if !errors.As(key.Err, &refused) || !refused.Jump {
			continue
		}
		if !slices.ContainsFunc(jumps, func(of HostKey) bool { return of.Shown.Address == refused.Address }) {
			jump := HostKey{Host: refused.Host, Jump: true, Shown: ssh.RefusedKey(refused)}
			jump.judge()
			jumps = append(jumps, jump)
		}
	}
	return jumps
}

// judge says in a word what is known of the key.
func (k *HostKey) judge() {
	switch shown := k.Shown; {
	case k.Err != nil:
	case shown.Pinned:
		k.State, k.Place = event.KeyPinned, "ssh.hostKey"
	case shown.Authority:
		k.State, k.Place = event.KeyCertified, at(shown.Known)
	case shown.Known != nil:
		k.State, k.Place = event.KeyKnown, at(shown.Known)
	case shown.Unknown():
		k.State = event.KeyNew
	case shown.Refused.Revoked:
		k.State, k.Place = event.KeyRevoked, at(&shown.Refused.Known[0])
	case shown.Refused.Pin != "":
		k.State, k.Place = event.KeyChanged, "ssh.hostKey"
	default:
		k.State, k.Place = event.KeyChanged, at(&shown.Refused.Known[0])
	}
}

func at(known *ssh.KnownKey) string { return fmt.Sprintf("%s:%d", known.File, known.Line) }

func (k *HostKey) event(took time.Duration) event.Event {
	e := event.Event{Kind: event.HostKey, Host: k.Host, Seconds: took.Seconds()}
	if k.Err != nil {
		e.Error = k.Err.Error()
		return e
	}
	e.Key = &event.Key{
		Address: k.Shown.Address, Type: k.Shown.Type, Fingerprint: k.Shown.Fingerprint, Public: k.Shown.Key, State: k.State, Place: k.Place,
	}
	if k.Shown.Refused != nil && !k.Shown.Unknown() {
		e.Error = k.Shown.Refused.Error()
	}
	return e
}
