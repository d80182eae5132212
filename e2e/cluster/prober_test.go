//go:build cluster

package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// proberTimeout is the time that one answer may take.
const proberTimeout = 5 * time.Second

// prober asks the cluster's endpoint five times a second for its version, each time over a new connection and without
// waiting for the answers before.
type prober struct {
	s     *site
	ca    *x509.CertPool
	end   context.CancelFunc
	asks  sync.WaitGroup
	begin time.Time

	mutex   sync.Mutex
	asked   int
	answers []time.Time // when they came
	bad     []string
}

// proberReport is what a prober has seen.
type proberReport struct {
	Asked, Failed int
	// LongestGap is the longest time without any answer; a fifth of a second, where nothing is wrong.
	LongestGap time.Duration
	Bad        []string // why asks failed, with when they began
}

// startProber begins to ask, with the cluster's CA as it is on its first control plane.
func startProber(s *site) *prober {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	p := &prober{s: s, ca: s.clusterCA(), end: cancel, begin: time.Now()}
	p.asks.Go(func() {
		ticker := time.NewTicker(time.Second / 5)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				p.asks.Go(func() { p.ask(s.ctx) })
			}
		}
	})
	return p
}

// ask asks once.
func (p *prober) ask(ctx context.Context) {
	begin := time.Now()
	err := p.ready(ctx)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.asked++
	if err == nil {
		p.answers = append(p.answers, time.Now())
		return
	}
	p.bad = append(p.bad, fmt.Sprintf("%s: %v", begin.Format("15:04:05.000"), err))
}

func (p *prober) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, proberTimeout)
	defer cancel()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.ca, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+p.s.endpoint()+"/version", nil)
	if err != nil {
		return err
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/version: %s, %v: %s", answer.Status, err, body)
	}
	return nil
}

// stop waits for the last answers and tells what was seen.
func (p *prober) stop() proberReport {
	p.s.t.Helper()
	p.end()
	end := time.Now()
	p.asks.Wait()
	report := proberReport{Asked: p.asked, Failed: len(p.bad), Bad: p.bad}
	moments := slices.SortedFunc(slices.Values(append(p.answers, p.begin, end)), time.Time.Compare)
	for i := range moments[1:] {
		report.LongestGap = max(report.LongestGap, moments[i+1].Sub(moments[i]))
	}
	p.s.t.Logf("endpoint: %d asked, %d failed, longest gap %v; %s", report.Asked, report.Failed, report.LongestGap.Round(time.Millisecond),
		strings.Join(p.bad[:min(len(p.bad), 5)], "; "))
	return report
}

// during probes while something happens.
func (s *site) during(happens func()) proberReport {
	s.t.Helper()
	p := startProber(s)
	happens()
	return p.stop()
}
