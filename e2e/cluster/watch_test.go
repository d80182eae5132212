//go:build cluster

package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// watched looks at something until it is asked what it has seen.
type watched struct {
	s     *site
	stop  context.CancelFunc
	group sync.WaitGroup
	looks int
	bad   []string
}

func (s *site) watch(look func(context.Context) error) *watched {
	ctx, cancel := context.WithCancel(s.ctx)
	w := &watched{s: s, stop: cancel}
	w.group.Go(func() {
		ticker := time.NewTicker(pollInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			w.looks++
			if err := look(ctx); err != nil && ctx.Err() == nil {
				w.bad = append(w.bad, err.Error())
			}
		}
	})
	return w
}

func (w *watched) wantGood(what string) {
	w.s.t.Helper()
	w.stop()
	w.group.Wait()
	if len(w.bad) > 0 || w.looks < 5 {
		w.s.t.Errorf("%s: %d of %d looks failed: %s", what, len(w.bad), w.looks, strings.Join(w.bad, "; "))
	}
	w.s.t.Logf("%s: %d looks, %d failed", what, w.looks, len(w.bad))
}

func (w *watched) wantNoFailure() { w.s.t.Helper(); w.wantGood("the API server answers") }

func (w *watched) wantAlwaysReady() { w.s.t.Helper(); w.wantGood("all nodes are Ready") }

// aliveTime is how long an API server may take to answer. One that is started anew refuses connections, at once: a slow answer of
// a machine that has other labs to do with is none of its faults.
const aliveTime = 15 * time.Second

// alive asks an API server whether it is alive.
func (s *site) alive(ctx context.Context, ca *x509.CertPool, host string) error {
	ctx, cancel := context.WithTimeout(ctx, aliveTime)
	defer cancel()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+net.JoinHostPort(s.address(host), "6443")+"/livez", nil)
	if err != nil {
		return err
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/livez: %s", answer.Status)
	}
	return nil
}

// probeAPI asks the API servers of hosts over and over, all at once, whether they are alive; so
// many of them may be away at a time.
func (s *site) probeAPI(away int, hosts ...string) *watched {
	s.t.Helper()
	ca := s.clusterCA()
	return s.watch(func(ctx context.Context) error {
		errs := make([]error, len(hosts))
		var group sync.WaitGroup
		for i, host := range hosts {
			group.Go(func() {
				if err := s.alive(ctx, ca, host); err != nil {
					errs[i] = fmt.Errorf("%s: %w", host, err)
				}
			})
		}
		group.Wait()
		errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
		if len(errs) <= away {
			return nil
		}
		return errors.Join(errs...)
	})
}

// watchNodes looks over and over whether all nodes are Ready.
func (s *site) watchNodes() *watched {
	return s.watch(func(context.Context) error {
		out, err := s.tryKubectl("get", "nodes", "--output", "json")
		var list struct{ Items []node }
		if err == nil {
			err = json.Unmarshal([]byte(out), &list)
		}
		for _, n := range list.Items {
			if !n.ready() {
				err = fmt.Errorf("node %s is not Ready", n.Metadata.Name)
			}
		}
		return err
	})
}
