package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrQuorum says that a member stays, as etcd would be in danger without it.
var ErrQuorum = errors.New("etcd does not go on without the member")

// Leaving is the member of a host that is taken out of a cluster that lives on.
type Leaving struct {
	Name, PeerURL string
	// Dead says that its host is known to be off: what answers at its address shows that it is not.
	Dead bool
}

// Member is the ID of a host's member, in decimal; empty where it has none. What only its name or only its address fits is another
// one's, or its host has changed: that is an error.
func (c *Client) Member(ctx context.Context, leaving Leaving) (id string, err error) {
	members, err := c.members(ctx)
	if err != nil {
		return "", err
	}
	found, err := find(members, leaving)
	return found.ID, err
}

// find is the member of a host; the zero value where it has none.
func find(members []Member, leaving Leaving) (Member, error) {
	found, exists := locate(members, leaving.Name, leaving.PeerURL)
	if exists && !found.is(leaving.Name, leaving.PeerURL) {
		return Member{}, fmt.Errorf("%w: etcd has %s, and the host is %s at %s", ErrKept, describe(found), leaving.Name, leaving.PeerURL)
	}
	return found, nil
}

// CheckLeaving says why a member cannot go: nil where etcd goes on without it, or has no such member. The asked member must be
// another one.
func (c *Client) CheckLeaving(ctx context.Context, leaving Leaving) error {
	members, err := c.members(ctx)
	if err != nil {
		return err
	}
	former, err := find(members, leaving)
	if err != nil || former.ID == "" {
		return err
	}
	return c.goesOn(ctx, former, members, leaving.Dead)
}

// RemoveLeaving takes a host's member out and says whether there was one. A leader hands that over first. Before it etcd has to be
// well enough to go on, and after it the member is in the list no more and the others still are well.
func (c *Client) RemoveLeaving(ctx context.Context, leaving Leaving) (removed bool, err error) {
	members, err := c.members(ctx)
	if err != nil {
		return false, err
	}
	former, err := find(members, leaving)
	if err != nil || former.ID == "" {
		return false, err
	}
	if err := c.goesOn(ctx, former, members, leaving.Dead); err != nil {
		return false, err
	}
	if !leaving.Dead {
		if err := c.unseat(ctx, former, members); err != nil {
			return false, err
		}
	}
	if err := c.remove(ctx, former); err != nil {
		return false, err
	}
	members, err = c.members(ctx)
	if err != nil {
		return true, err
	}
	switch well, voters := c.count(ctx, former, members); {
	case slices.ContainsFunc(members, func(m Member) bool { return m.ID == former.ID }):
		return false, fmt.Errorf("remove the etcd member %s: it is still there", describe(former))
	case len(well) < voters/2+1:
		return true, fmt.Errorf("%w: it was removed, and of the others only %s are well, and %d are needed", ErrQuorum, described(well), voters/2+1)
	}
	return true, nil
}

// goesOn says why etcd would not go on without a member. Without one that lives nothing forces anybody, so that all others have to
// be well; without a dead one as many as decide.
func (c *Client) goesOn(ctx context.Context, former Member, all []Member, dead bool) error {
	if former.Learner {
		return nil
	}
	if dead {
		for _, each := range former.PeerURLs {
			if c.answers(ctx, each) {
				return fmt.Errorf("%w: something answers at %s, so its host is not off", ErrKept, each)
			}
		}
	}
	well, voters := c.count(ctx, former, all)
	quorum := voters/2 + 1
	if dead { // it is one of those of whom most have to agree that it goes
		quorum = (voters+1)/2 + 1
	}
	switch {
	case voters == 0:
		return fmt.Errorf("%w: it is the last one", ErrQuorum)
	case len(well) < quorum:
		return fmt.Errorf("%w: of the others only %s are well, and %d are needed", ErrQuorum, described(well), quorum)
	case !dead && len(well) < voters:
		return fmt.Errorf("%w: of the %d others only %s are well; mend or remove the others first", ErrQuorum, voters, described(well))
	}
	return nil
}

// count are the voters but one that serve, and how many there are of these in all.
func (c *Client) count(ctx context.Context, but Member, all []Member) (well []Member, voters int) {
	for _, m := range all {
		if m.Learner || m.ID == but.ID {
			continue
		}
		voters++
		if c.healthy(ctx, m) {
			well = append(well, m)
		}
	}
	return well, voters
}

// unseat has a member hand its leadership over, if it has that.
func (c *Client) unseat(ctx context.Context, former Member, all []Member) error {
	leader, err := c.leader(ctx, all)
	switch {
	case errors.Is(err, errLeaderless):
		return nil // nobody has to hand anything over
	case err != nil || leader.ID != former.ID:
		return err
	}
	well, _ := c.count(ctx, former, all)
	if len(well) == 0 {
		return fmt.Errorf("%w: nobody else can lead", ErrQuorum)
	}
	return c.MoveLeader(ctx, well[0].ID)
}

func described(members []Member) string {
	if len(members) == 0 {
		return "none"
	}
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}
