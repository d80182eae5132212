package connect

import (
	"context"
	"errors"
	"fmt"

	"fairlead/provision/remote/ssh"
)

// ErrNoHostKey says that a host is not reached by SSH, and so has no key to show.
var ErrNoHostKey = errors.New("the host is not reached by SSH")

// HostKey asks a host for its key and what is known of it, and logs in nowhere. A host that is waited for is waited for here, too.
func (c *Connections) HostKey(ctx context.Context, name string) (ssh.ShownKey, error) {
	host, ok := c.cluster.Host(name)
	if !ok {
		return ssh.ShownKey{}, fmt.Errorf("host %s is not in the inventory", name)
	}
	if !bySSH(host) || c.keys == nil {
		return ssh.ShownKey{}, ErrNoHostKey
	}
	var key ssh.ShownKey
	err := c.waiting.reach(ctx, name, func() (err error) { key, err = c.keys(ctx, host); return err })
	return key, err
}
