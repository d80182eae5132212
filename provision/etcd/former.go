package etcd

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ErrKept says that a member was not removed, as it may be needed.
var ErrKept = errors.New("the etcd member stays")

// RemoveFormer removes the member that a host of this name and peer URL has left, and says whether there was one. It has to be
// known already that the host has no data of etcd. What answers at the member's address stays, and so does every member where
// the others are not well enough to go on without it.
func (c *Client) RemoveFormer(ctx context.Context, name, peerURL string) (removed bool, err error) {
	members, err := c.members(ctx)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(members, func(m member) bool { return slices.Contains(m.PeerURLs, peerURL) })
	if i < 0 {
		i = slices.IndexFunc(members, func(m member) bool { return m.Name == name })
	}
	if i < 0 {
		return false, nil
	}
	former := members[i]
	if err := c.removable(ctx, former, members, name, peerURL); err != nil {
		return false, err
	}
	if err := c.remove(ctx, former); err != nil {
		return false, err
	}
	members, err = c.members(ctx)
	if err == nil && slices.ContainsFunc(members, func(m member) bool { return m.ID == former.ID }) {
		err = fmt.Errorf("remove the etcd member %s: it is still there", describe(former))
	}
	return err == nil, err
}

// removable says why a member stays.
func (c *Client) removable(ctx context.Context, former member, all []member, name, peerURL string) error {
	keep := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s; if it is gone for good: etcdctl member remove %s, in the pod etcd-… of a control plane that lives", ErrKept, fmt.Sprintf(format, args...), hexadecimal(former.ID))
	}
	if former.Name != "" && former.Name != name || !slices.Contains(former.PeerURLs, peerURL) {
		return keep("etcd has %s, and the host is %s at %s", describe(former), name, peerURL)
	}
	for _, each := range former.PeerURLs {
		if c.answers(ctx, each) {
			return keep("something answers at %s", each)
		}
	}
	voters, well := 0, 0
	for _, m := range all {
		if m.IsLearner {
			continue
		}
		voters++
		if m.ID != former.ID && c.healthy(ctx, m) {
			well++
		}
	}
	if quorum := voters/2 + 1; well < quorum {
		return keep("of the other members %d are well, and %d are needed", well, quorum)
	}
	return nil
}

// answers says that a connection to a member's address can be opened.
func (c *Client) answers(ctx context.Context, peerURL string) bool {
	parsed, err := url.Parse(peerURL)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := c.dial(ctx, "tcp", parsed.Host)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func describe(m member) string {
	name := m.Name
	if name == "" {
		name = "(not started)"
	}
	return fmt.Sprintf("%s (%s)", name, strings.Join(m.PeerURLs, ", "))
}

// hexadecimal is how etcdctl writes and reads the number of a member.
func hexadecimal(id string) string {
	number, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return id
	}
	return strconv.FormatUint(number, 16)
}
