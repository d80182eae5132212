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
	former, exists := locate(members, name, peerURL)
	if !exists {
		return false, nil
	}
	if err := c.removable(ctx, former, members, name, peerURL); err != nil {
		return false, err
	}
	if err := c.remove(ctx, former); err != nil {
		return false, err
	}
	members, err = c.members(ctx)
	if err == nil && slices.ContainsFunc(members, func(m Member) bool { return m.ID == former.ID }) {
		err = fmt.Errorf("remove the etcd member %s: it is still there", describe(former))
	}
	return err == nil, err
}

// removable says why a member stays.
func (c *Client) removable(ctx context.Context, former Member, all []Member, name, peerURL string) error {
	keep := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s; if it is gone for good: etcdctl member remove %s, in the pod etcd-… of a control plane that lives", ErrKept, fmt.Sprintf(format, args...), hexadecimal(former.ID))
	}
	if !former.is(name, peerURL) {
		return keep("etcd has %s, and the host is %s at %s", describe(former), name, peerURL)
	}
	for _, each := range former.PeerURLs {
		if c.answers(ctx, each) {
			return keep("something answers at %s", each)
		}
	}
	well, voters := c.count(ctx, former, all)
	if !former.Learner {
		voters++ // of whom most have to agree that it goes
	}
	if quorum := voters/2 + 1; len(well) < quorum {
		return keep("of the other members %d are well, and %d are needed", len(well), quorum)
	}
	return nil
}

// locate finds the member of a host by its address, or else by its name.
func locate(members []Member, name, peerURL string) (found Member, exists bool) {
	i := slices.IndexFunc(members, func(m Member) bool { return slices.Contains(m.PeerURLs, peerURL) })
	if i < 0 {
		i = slices.IndexFunc(members, func(m Member) bool { return m.Name == name })
	}
	if i < 0 {
		return Member{}, false
	}
	return members[i], true
}

// is says that a member is that of a host: it has the host's address, and its name or none yet.
func (m Member) is(name, peerURL string) bool {
	return (m.Name == "" || m.Name == name) && slices.Contains(m.PeerURLs, peerURL)
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

func describe(m Member) string {
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
