package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// defragmentPatience is how long a member may take to write its database anew: it serves nobody meanwhile. Eight gigabytes, the
// most that etcd recommends, take a slow disk some minutes.
const defragmentPatience = 10 * time.Minute

// errLeaderless says that there is nobody to hand anything over.
var errLeaderless = errors.New("etcd has no leader")

// MoveLeader has the leader hand its part over to another member, by that one's ID. It is done when that leads already.
func (c *Client) MoveLeader(ctx context.Context, target string) error {
	members, err := c.Members(ctx, true)
	if err != nil {
		return err
	}
	leader, err := c.leader(ctx, members)
	if err != nil || leader.ID == target {
		return err
	}
	// Only the leader itself does so.
	err = c.at(ctx, leader, "/v3/maintenance/transfer-leadership", map[string]any{"targetID": target}, &struct{}{})
	if err != nil {
		return fmt.Errorf("move the lead of etcd from %s to the member %s: %w", describe(leader), hexadecimal(target), err)
	}
	return nil
}

// leader is the member that a member which answers follows.
func (c *Client) leader(ctx context.Context, members []Member) (Member, error) {
	for _, m := range members {
		status, err := c.Status(ctx, m)
		if err != nil || status.Leader == "" {
			continue
		}
		if i := slices.IndexFunc(members, func(m Member) bool { return m.ID == status.Leader }); i >= 0 {
			return members[i], nil
		}
	}
	return Member{}, errLeaderless
}

// Defragment has one member give the space back that its database does not use. It answers nobody until that is done.
func (c *Client) Defragment(ctx context.Context, m Member) error {
	if len(m.ClientURLs) == 0 {
		return fmt.Errorf("defragment the etcd member %s: %w", describe(m), errNotStarted)
	}
	url := strings.TrimSuffix(m.ClientURLs[0], "/") + "/v3/maintenance/defragment"
	status, said, err := c.sendFor(ctx, defragmentPatience, http.MethodPost, url, []byte("{}"))
	if err == nil {
		err = understand(status, said, &struct{}{})
	}
	if err != nil {
		return fmt.Errorf("defragment the etcd member %s: %w", describe(m), err)
	}
	return nil
}

// Disarm takes back an alarm of a member, for which the cause has to be gone: NOSPACE comes again where it is not.
func (c *Client) Disarm(ctx context.Context, m Member, alarm string) error {
	body := map[string]any{"action": "DEACTIVATE", "memberID": m.ID, "alarm": alarm}
	if err := c.post(ctx, "/v3/maintenance/alarm", body, &json.RawMessage{}); err != nil {
		return fmt.Errorf("take back the alarm %s of the etcd member %s: %w", alarm, describe(m), err)
	}
	return nil
}
