package apply

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"fairlead/pki"
	"fairlead/provision/kube"
	"fairlead/provision/plan"
	"fairlead/provision/remote"
	"fairlead/templates"
)

// endpointPatience is how long the endpoint may take to answer: API servers take up a new certificate within a minute, and
// a load balancer sees some seconds later that they live.
const endpointPatience = 2 * time.Minute

// awaitEndpoint asks from the step's host, whose resolver and routes are those that count. A host whose sshd lets no connection
// through cannot be asked from: the others speak for it.
func (s *stepRun) awaitEndpoint(ctx context.Context, a plan.AwaitEndpoint) error {
	_, via, err := s.connections.API(ctx)
	if err != nil {
		return err
	}
	admin, err := readOn(ctx, via, templates.AdminConf)
	if err != nil {
		return err
	}
	name, _, err := net.SplitHostPort(a.Endpoint)
	if err != nil {
		return fmt.Errorf("read the endpoint: %w", err)
	}
	for _, server := range []string{a.Own, a.Endpoint} {
		if server == "" {
			continue
		}
		kubeconfig, err := pki.PointKubeconfig(admin, server, name)
		if err == nil {
			err = s.awaitAnswer(ctx, kubeconfig)
		}
		if errors.Is(err, remote.ErrForwarding) {
			s.output("the endpoint cannot be asked from this host: " + err.Error())
			return nil
		}
		if err != nil {
			return fmt.Errorf("ask %s for %s: %w", server, a.Endpoint, err)
		}
	}
	return nil
}

func (s *stepRun) awaitAnswer(ctx context.Context, kubeconfig []byte) error {
	ctx, cancel := context.WithTimeout(ctx, endpointPatience)
	defer cancel()
	return kube.WaitAnswer(ctx, kubeconfig, s.fromHost, s.waiting)
}

// fromHost dials from the step's host. What can only fail again ends the wait.
func (s *stepRun) fromHost(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.host.DialContext(ctx, network, address)
	if errors.Is(err, remote.ErrLost) || errors.Is(err, remote.ErrForwarding) {
		return nil, fmt.Errorf("%w: %w", kube.ErrTunnelClosed, err)
	}
	return conn, err
}
