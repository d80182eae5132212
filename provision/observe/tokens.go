package observe

import (
	"context"
	"time"

	"fairlead/provision/facts"
	"fairlead/provision/kube"
	"fairlead/provision/object"
)

// readTokens tells fairlead's bootstrap tokens apart: those that are this run's to delete, as they have expired or are of a run
// that is over, and those that another run may be joining hosts with. The time is that of the host that is asked, as the
// API server goes by it: its clock is offset from this machine's.
func (o *Observer) readTokens(ctx context.Context, client *kube.Client, api *facts.API, offset time.Duration) error {
	tokens, err := client.Tokens(ctx)
	if err != nil {
		return err
	}
	now := time.Now().Add(offset)
	for _, token := range tokens {
		run, ours := object.TokenRun(token.Description)
		switch {
		case !ours:
		case token.Expired(now), run != "" && o.Owns != nil && o.Owns(run):
			api.StaleTokens = append(api.StaleTokens, token.ID)
		default:
			api.OtherTokens = append(api.OtherTokens, token.ID)
		}
	}
	return nil
}
