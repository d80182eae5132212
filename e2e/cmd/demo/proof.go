package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"fairlead/e2e/lab"
)

const (
	// tryTimeout bounds the wait until a new pod resolves names and reaches Services.
	tryTimeout = time.Minute
	// tryInterval is the pause between two tries.
	tryInterval = 500 * time.Millisecond
	// virtualHost is the name under which proof-namespace.yaml publishes a page.
	virtualHost = "demo.example"
)

//go:embed proof-namespace.yaml
var namespaceManifest string

// workerManifest holds @NODE@ for the node's name.
//
//go:embed proof-worker.yaml
var workerManifest string

// proof shows that pods find each other across nodes.
type proof struct {
	lab *lab.Lab
	out io.Writer
}

// run shows the nodes, starts a pod and a Service for each worker and looks from every
// pod at the cluster's DNS and at the Service of the next worker's pod.
func (p proof) run(ctx context.Context) error {
	nodes, err := p.kubectl(ctx, "", "get", "nodes", "-o", "wide")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.out, "\n%s\n", nodes); err != nil {
		return err
	}
	if _, err := p.kubectl(ctx, manifests(workers()), "apply", "-f", "-"); err != nil {
		return err
	}
	for _, node := range workers() {
		if _, err := p.kubectl(ctx, "", "-n", "demo", "rollout", "status", "deployment/probe-"+node, "--timeout=2m"); err != nil {
			return err
		}
	}
	for i, node := range workers() {
		if err := p.look(ctx, node, workers()[(i+1)%len(workers())]); err != nil {
			return err
		}
	}
	return errors.Join(p.ingress(ctx), p.metrics(ctx))
}

// ingress asks the ingress controller on the control plane for the page of a virtual host.
func (p proof) ingress(ctx context.Context) error {
	host, err := p.lab.Host(controlPlane)
	if err != nil {
		return err
	}
	answer, err := eventually(ctx, func(ctx context.Context) (string, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host.Address.String()+"/", nil)
		if err != nil {
			return "", err
		}
		request.Host = virtualHost
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return "", errors.New(response.Status)
		}
		text, err := io.ReadAll(response.Body)
		return strings.TrimSpace(string(text)), err
	})
	if err != nil {
		return fmt.Errorf("get http://%s/ from the ingress controller: %w", virtualHost, err)
	}
	_, err = fmt.Fprintf(p.out, "port 80 of %s gives the page of %s from pod %s through Traefik\n", controlPlane, virtualHost, answer)
	return err
}

// metrics shows what metrics-server has read from the kubelets.
func (p proof) metrics(ctx context.Context) error {
	table, err := eventually(ctx, func(ctx context.Context) (string, error) { return p.kubectl(ctx, "", "top", "nodes") })
	if err != nil {
		return fmt.Errorf("kubectl top nodes: %w", err)
	}
	_, err = fmt.Fprintf(p.out, "\n%s\n", table)
	return err
}

// manifests returns the objects of the proof.
func manifests(nodes []string) string {
	text := namespaceManifest
	for _, node := range nodes {
		text += "---\n" + strings.ReplaceAll(workerManifest, "@NODE@", node)
	}
	return text
}

// look checks both facts from the pod on node and prints what it saw.
func (p proof) look(ctx context.Context, node, other string) error {
	const api = "kubernetes.default.svc.cluster.local"
	addresses, err := p.probe(ctx, node, "resolve", api)
	if err != nil {
		return fmt.Errorf("resolve %s on %s: %w", api, node, err)
	}
	url := "http://probe-" + other + ".demo.svc.cluster.local:8080/"
	answer, err := p.probe(ctx, node, "get", url)
	if err != nil {
		return fmt.Errorf("get %s on %s: %w", url, node, err)
	}
	if !strings.HasPrefix(answer, "probe-"+other+"-") {
		return fmt.Errorf("get %s on %s: %q answered, want the pod on %s", url, node, answer, other)
	}
	_, err = fmt.Fprintf(p.out, "a pod on %s resolves %s to %s\na pod on %s gets an answer from pod %s on %s through its Service\n",
		node, api, strings.Join(strings.Fields(addresses), ", "), node, answer, other)
	return err
}

// probe runs the probe program in the pod on node: DNS and the Service's rules may follow a
// little later than the pod.
func (p proof) probe(ctx context.Context, node string, args ...string) (string, error) {
	return eventually(ctx, func(ctx context.Context) (string, error) {
		out, err := p.kubectl(ctx, "", append([]string{"-n", "demo", "exec", "deployment/probe-" + node, "--", "/probe"}, args...)...)
		return strings.TrimSpace(out), err
	})
}

// eventually tries again and again until it succeeds, for a limited time.
func eventually(ctx context.Context, try func(context.Context) (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	ticker := time.NewTicker(tryInterval)
	defer ticker.Stop()
	var last error
	for {
		out, err := try(ctx)
		if err == nil {
			return out, nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(context.Cause(ctx), last)
		case <-ticker.C:
		}
	}
}

// kubectl runs kubectl on the control plane with a text on its standard input.
func (p proof) kubectl(ctx context.Context, input string, args ...string) (string, error) {
	argv := append([]string{"kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"}, args...)
	return p.lab.ExecInput(ctx, controlPlane, strings.NewReader(input), argv...)
}
