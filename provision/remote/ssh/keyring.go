package ssh

import (
	"context"
	"errors"
	"sync"
	"time"
)

// keyring are the keys of one run; each file and each agent's list is read once.
type keyring struct {
	listTimeout time.Duration // of agents

	mu     sync.Mutex
	agents map[string]*agentKeys // by socket, as Target.Agent has it
	files  map[string]func() identity

	passphrase func(ctx context.Context, file string) ([]byte, error) // nil when nobody can be asked
	asking     chan struct{}                                          // holds a token while somebody is
}

func newKeyring(passphrase func(context.Context, string) ([]byte, error)) *keyring {
	return &keyring{
		listTimeout: listTimeout, agents: map[string]*agentKeys{}, files: map[string]func() identity{}, passphrase: passphrase, asking: make(chan struct{}, 1),
	}
}

// close ends the talk with the agents.
func (k *keyring) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for _, a := range k.agents {
		errs = append(errs, a.close())
	}
	return errors.Join(errs...)
}

// agent is the agent at a socket.
func (k *keyring) agent(socket string) *agentKeys {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.agents[socket] == nil {
		k.agents[socket] = newAgentKeys(socket, k.listTimeout)
	}
	return k.agents[socket]
}

// file is the identity in a file.
func (k *keyring) file(path string) identity {
	k.mu.Lock()
	read := k.files[path]
	if read == nil {
		read = sync.OnceValue(func() identity { return readIdentity(path) })
		k.files[path] = read
	}
	k.mu.Unlock()
	return k.opened(read())
}
