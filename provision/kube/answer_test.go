package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"fairlead/pki"
	"fairlead/provision/kube/kubetest"
)

// The wait goes on while nobody answers and while the certificate is not for the name, and ends when both are well, or when there
// is no way any more.
func TestWaitAnswer(t *testing.T) {
	api := kubetest.New(t)
	point := func(name string) []byte {
		kubeconfig, err := pki.PointKubeconfig([]byte(api.Kubeconfig()), "192.0.2.11:6443", name)
		if err != nil {
			t.Fatal(err)
		}
		return kubeconfig
	}
	calls := 0
	late := func(ctx context.Context, network, address string) (net.Conn, error) {
		if calls++; calls < 2 {
			return nil, errors.New("connection refused")
		}
		return api.Dial(ctx, network, address)
	}
	var said []string
	if err := WaitAnswer(t.Context(), point("kubernetes"), late, func(reason string) { said = append(said, reason) }); err != nil || calls < 2 || len(said) == 0 {
		t.Errorf("after %d calls: %v, it said %q", calls, err, said)
	}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := WaitAnswer(short, point("api.lab.example"), api.Dial, nil); err == nil || !strings.Contains(err.Error(), "api.lab.example") {
		t.Errorf("with a certificate for others: %v", err)
	}
	gone := func(context.Context, string, string) (net.Conn, error) {
		return nil, fmt.Errorf("%w: no way", ErrTunnelClosed)
	}
	if err := WaitAnswer(t.Context(), point("kubernetes"), gone, nil); !errors.Is(err, ErrTunnelClosed) {
		t.Errorf("without a way: %v", err)
	}
	if err := WaitAnswer(t.Context(), []byte("no kubeconfig"), api.Dial, nil); err == nil {
		t.Error("without a kubeconfig it waited for something")
	}
}
