package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"fairlead/provision/remote"
	"fairlead/templates"
)

const (
	// kubeletCalm is how long a wait goes on before the host's kubelet is watched: most are over by then.
	kubeletCalm = 10 * time.Second
	// wordsPatience is how long a host may take to say why a wait came to nothing.
	wordsPatience = 10 * time.Second
)

// errKubelet is a kubelet that does not stay up.
var errKubelet = errors.New("the kubelet keeps failing")

// await waits for something that the step's host has to do for the cluster, for at most patience. It does not wait any longer
// when that cannot come: the connection to the host is lost, as it is when the host restarts, or its kubelet keeps failing.
// When the time runs out, the error has what the kubelet and the static pods said last. Steps without a host only wait.
func (s *stepRun) await(ctx context.Context, patience time.Duration, pods []string, wait func(context.Context) error) error {
	waitCtx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if s.host == nil {
		return wait(waitCtx)
	}
	waitCtx, end := context.WithCancelCause(waitCtx)
	var watching sync.WaitGroup
	watching.Go(func() { s.watchHost(waitCtx, end) })
	err := wait(waitCtx)
	late := errors.Is(context.Cause(waitCtx), context.DeadlineExceeded)
	end(nil)
	watching.Wait()
	if err == nil || !late || ctx.Err() != nil {
		return err
	}
	if said := s.lastWords(ctx, pods); said != "" {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return err
}

// watchHost ends a wait for the host when there is a reason to.
func (s *stepRun) watchHost(ctx context.Context, end context.CancelCauseFunc) {
	calm := time.NewTimer(kubeletCalm)
	defer calm.Stop()
	select {
	case <-ctx.Done():
		return
	case <-s.host.Done():
		end(s.host.Alive())
		return
	case <-calm.C:
	}
	_, err := s.host.Run(ctx, remote.Command{Script: templates.ScriptWatchKubelet.Text(), Root: true})
	var exit *remote.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", errKubelet, strings.TrimSpace(string(exit.Stderr)))
	}
	end(err) // without effect when the wait was over before
}

// lastWords are what the host says of its kubelet and of some static pods; empty if it says nothing.
func (s *stepRun) lastWords(ctx context.Context, pods []string) string {
	ctx, cancel := context.WithTimeout(ctx, wordsPatience)
	defer cancel()
	result, err := s.host.Run(ctx, remote.Command{Script: templates.ScriptLastWords.Text(), Argv: pods, Root: true})
	if err != nil {
		s.output("ask for the last words of the kubelet: " + err.Error())
		return ""
	}
	return strings.TrimSpace(string(result.Stdout))
}
