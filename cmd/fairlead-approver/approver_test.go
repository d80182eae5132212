package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"fairlead/provision/object"
)

func TestDecide(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nodes.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	var approved []object.ServingIdentity
	refusal := errors.New("it asks for too much")
	a := &approver{nodes: file, log: slog.New(slog.NewTextHandler(&log, nil)), said: map[string]string{}}
	a.approve = func(_ context.Context, name string, id object.ServingIdentity) error {
		if name == "csr-bad" {
			return refusal
		}
		approved = append(approved, id)
		return nil
	}
	for _, c := range []struct{ nodes, request, node, says string }{
		{`[{"node": "w1", "dnsNames": ["w1"], "addresses": ["192.0.2.21"]}]`, "csr-a", "w1", "msg=approved request=csr-a node=w1"},
		{`[{"node": "w1"}]`, "csr-b", "w2", "node w2 is not in"},
		{`[{"node": "w2"}]`, "csr-b", "w2", "msg=approved request=csr-b"}, // the file followed the inventory
		{`[{"node": "w1"}]`, "csr-bad", "w1", "left for a person: it asks for too much"},
		{`[{`, "csr-c", "w1", "left for a person: read "},
	} {
		write(c.nodes)
		log.Reset()
		request := object.ServingRequest{Name: c.request, Node: c.node}
		a.decide(t.Context(), request)
		if !strings.Contains(log.String(), c.says) {
			t.Errorf("%+v: log is %q", c, log.String())
		}
		log.Reset()
		a.decide(t.Context(), request)
		if log.Len() > 0 {
			t.Errorf("%+v: said twice: %q", c, log.String())
		}
	}
	first := approved[0]
	if first.Node != "w1" || !slices.Equal(first.DNSNames, []string{"w1"}) || !slices.Equal(first.Addresses, []netip.Addr{netip.MustParseAddr("192.0.2.21")}) {
		t.Errorf("identity is %+v", first)
	}
}

func TestHealth(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var works atomic.Bool
	ended := make(chan error, 1)
	go func() { ended <- serveHealth(ctx, listener, &works) }()
	status := func(path string) int {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listener.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	if health, ready := status("/healthz"), status("/readyz"); health != http.StatusOK || ready != http.StatusServiceUnavailable {
		t.Errorf("at first: %d, %d", health, ready)
	}
	a := &approver{log: slog.New(slog.DiscardHandler)}
	a.read(nil)
	works.Store(a.works.Load())
	if ready := status("/readyz"); ready != http.StatusOK {
		t.Errorf("when it works: %d", ready)
	}
	a.read(errors.New("connection refused"))
	if a.works.Load() {
		t.Error("it works without an API server")
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

func TestRunOutsideOfACluster(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	var out bytes.Buffer
	if err := run(t.Context(), nil, &out); err == nil || !strings.Contains(err.Error(), "service account") {
		t.Errorf("error is %v", err)
	}
	if err := run(t.Context(), []string{"--nonsense"}, &out); err == nil {
		t.Error("an unknown flag is taken")
	}
}
