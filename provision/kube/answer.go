package kube

import (
	"context"
	"errors"
	"fmt"
)

// WaitAnswer waits until the server of a kubeconfig answers as a ready API server of the kubeconfig's CA, asked through dial.
// A certificate that does not verify counts as not yet: a new one may be on its way to the server. Only ErrTunnelClosed
// ends the wait. report, which may be nil, gets the reason whenever it changes.
func WaitAnswer(ctx context.Context, kubeconfig []byte, dial DialFunc, report func(reason string)) error {
	w := waiting{what: "wait for the API server", report: report}
	for {
		err := askAnew(ctx, kubeconfig, dial)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrUnusable), errors.Is(err, ErrTunnelClosed):
			return fmt.Errorf("%s: %w", w.what, err)
		case ctx.Err() != nil:
			return w.ended(ctx)
		}
		w.note(err.Error())
		if pause(ctx, retryInterval) != nil {
			return w.ended(ctx)
		}
	}
}

// askAnew asks once, over a connection of its own: one that stands may be to a server that has its former certificate.
func askAnew(ctx context.Context, kubeconfig []byte, dial DialFunc) error {
	client, err := New(kubeconfig, dial)
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Ready(undated{ctx})
}
