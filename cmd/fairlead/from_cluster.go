package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"fairlead/inventory"
	"fairlead/inventory/convert"
	"fairlead/provision/kube"
	"fairlead/provision/object"
)

// livingDraft makes a draft of the nodes of the cluster that a kubeconfig leads to. Nothing is changed there.
func livingDraft(ctx context.Context, name, file string, data []byte, o fromOptions) (*convert.Draft, error) {
	place, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", file, err)
	}
	kubeconfig, server, err := kube.Own(data, place, o.context)
	if err != nil {
		return nil, &usageError{err: fmt.Errorf("%s: %w", name, err)}
	}
	client, err := kube.New(kubeconfig, new(net.Dialer).DialContext)
	if errors.Is(err, kube.ErrUnusable) {
		return nil, &usageError{err: fmt.Errorf("%s: %w", name, err)}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer client.Close()
	nodes, err := client.Nodes(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the cluster of %s: %w", name, err)
	}
	configuration, err := client.ClusterConfiguration(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the cluster of %s: %w", name, err)
	}
	var all []convert.Node
	for _, n := range nodes {
		all = append(all, nodeOf(n))
	}
	draft, err := convert.Living(name+", the kubeconfig of a living cluster", all, configuration, server, o.Options)
	if err != nil {
		return nil, asUsage(err)
	}
	return draft, nil
}

func nodeOf(n object.Node) convert.Node {
	out := convert.Node{Name: n.Name, Address: n.InternalIP, Version: n.KubeletVersion, Labels: n.Labels, Cordoned: n.Unschedulable}
	for _, t := range n.Taints {
		out.Taints = append(out.Taints, inventory.Taint{Key: t.Key, Value: t.Value, Effect: t.Effect})
	}
	return out
}
