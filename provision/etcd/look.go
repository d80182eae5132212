package etcd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Member is one of etcd's members as the gateway has it, which writes large numbers as texts.
type Member struct {
	ID         string   `json:"ID"`   // in decimal
	Name       string   `json:"name"` // empty until it has started
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
	Learner    bool     `json:"isLearner"`
}

// Started says that the member has told the others its name.
func (m Member) Started() bool { return m.Name != "" }

// Number is the member's ID as etcdctl writes it.
func (m Member) Number() string { return hexadecimal(m.ID) }

// Status is what a member says of itself. It needs no other member for that.
type Status struct {
	Version, StorageVersion string
	Leader                  string // ID of the leader that it follows; empty without one
	Revision                int64
	RaftIndex               uint64
	Size, InUse             int64 // bytes of its database on the disk, and of those the ones that hold something
	// Alarms are those of this very member: NOSPACE, CORRUPT. Errors are whatever else it complains of.
	Alarms, Errors []string
}

// Seen is a member with all that could be found out about it.
type Seen struct {
	Member
	// Status is nil where it did not answer.
	Status *Status
	// Listens says that something answers at one of its addresses, Healthy that it serves, by its own word.
	Listens, Healthy bool
}

// Leads says that the member follows itself.
func (s Seen) Leads() bool { return s.Status != nil && s.Status.Leader == s.ID }

// Members lists all members, by their names: as the leader knows them, which needs a quorum, or, if not linearizable, as the asked member does.
func (c *Client) Members(ctx context.Context, linearizable bool) ([]Member, error) {
	var answer struct {
		Members []Member `json:"members"`
	}
	if err := c.post(ctx, "/v3/cluster/member/list", map[string]any{"linearizable": linearizable}, &answer); err != nil {
		return nil, fmt.Errorf("list etcd's members: %w", err)
	}
	if len(answer.Members) == 0 {
		return nil, errors.New("list etcd's members: there are none in the answer")
	}
	slices.SortFunc(answer.Members, func(a, b Member) int { // which are in the order of their numbers, that mean nothing to anybody
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return answer.Members, nil
}

// Survey is all that can be found out about all members: as the leader knows them, or, where there is no quorum, as the asked one does.
func (c *Client) Survey(ctx context.Context) (all []Seen, quorum bool, err error) {
	members, err := c.Members(ctx, true)
	if quorum = err == nil; !quorum {
		members, err = c.Members(ctx, false)
	}
	if err != nil {
		return nil, false, err
	}
	return c.Look(ctx, members), quorum, nil
}

// Look asks each of the members of itself, all at the same time.
func (c *Client) Look(ctx context.Context, members []Member) []Seen {
	all := make([]Seen, len(members))
	var group sync.WaitGroup
	for i, m := range members {
		group.Go(func() { all[i] = c.look(ctx, m) })
	}
	group.Wait()
	return all
}

// look asks all at once: what is gone takes its time to be given up, and that only once.
func (c *Client) look(ctx context.Context, m Member) Seen {
	seen := Seen{Member: m}
	var group sync.WaitGroup
	group.Go(func() {
		if status, err := c.Status(ctx, m); err == nil {
			seen.Status = &status
		}
	})
	group.Go(func() { seen.Healthy = c.healthy(ctx, m) })
	urls := slices.Concat(m.PeerURLs, m.ClientURLs)
	open := make([]bool, len(urls))
	for i, url := range urls {
		group.Go(func() { open[i] = c.answers(ctx, url) })
	}
	group.Wait()
	seen.Listens = seen.Status != nil || slices.Contains(open, true)
	return seen
}

// errNotStarted is why a member cannot be asked.
var errNotStarted = errors.New("it has not started: etcd knows no address of it to ask")

// Status asks a member of itself.
func (c *Client) Status(ctx context.Context, m Member) (Status, error) {
	var answer struct {
		Header         struct{ Revision string }
		Version        string
		StorageVersion string
		Leader         string
		DBSize         string
		DBSizeInUse    string
		RaftIndex      string
		Errors         []string
	}
	if err := c.at(ctx, m, "/v3/maintenance/status", struct{}{}, &answer); err != nil {
		return Status{}, fmt.Errorf("ask the etcd member %s: %w", describe(m), err)
	}
	status := Status{Version: answer.Version, StorageVersion: answer.StorageVersion}
	if answer.Leader != "0" {
		status.Leader = answer.Leader
	}
	// What is zero is left out of the answer.
	status.Revision, _ = strconv.ParseInt(answer.Header.Revision, 10, 64)
	status.RaftIndex, _ = strconv.ParseUint(answer.RaftIndex, 10, 64)
	status.Size, _ = strconv.ParseInt(answer.DBSize, 10, 64)
	status.InUse, _ = strconv.ParseInt(answer.DBSizeInUse, 10, 64)
	own := "memberID:" + m.ID + " alarm:"
	for _, text := range answer.Errors {
		switch alarm, mine := strings.CutPrefix(text, own); {
		case mine:
			status.Alarms = append(status.Alarms, strings.TrimSpace(alarm))
		case !strings.HasPrefix(text, "memberID:"): // of others: each says it itself
			status.Errors = append(status.Errors, text)
		}
	}
	return status, nil
}

// at sends a request to one member, by whichever of its addresses answers.
func (c *Client) at(ctx context.Context, m Member, path string, body, answer any) error {
	if len(m.ClientURLs) == 0 {
		return errNotStarted
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	var errs []error
	for _, url := range m.ClientURLs {
		status, said, err := c.send(ctx, http.MethodPost, strings.TrimSuffix(url, "/")+path, text)
		if err == nil {
			return understand(status, said, answer)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Answers says why a member does not tell of its members; it needs no quorum for that.
func (c *Client) Answers(ctx context.Context) error {
	_, err := c.Members(ctx, false)
	return err
}

// Alone says why a member is not a cluster by itself, which serves.
func (c *Client) Alone(ctx context.Context) error {
	members, err := c.Members(ctx, true)
	switch {
	case err != nil:
		return err
	case len(members) > 1:
		return fmt.Errorf("etcd has %d members", len(members))
	case !c.healthy(ctx, members[0]):
		return errors.New("etcd is not healthy")
	}
	return nil
}
