package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"fairlead/inventory"
	"fairlead/inventory/convert"
	"fairlead/provision/remote/container"

	"github.com/urfave/cli/v2"
)

const flagContainer = "container"

// intoContainer makes a host to add a container of the engine that the cluster's other containers are of. Where nobody has said its
// addresses, the engine is asked for them.
func intoContainer(c *cli.Context, cluster *inventory.Cluster, host *inventory.Host) error {
	name := c.String(flagContainer)
	if name == "" {
		return nil
	}
	if host.SSH.Address != "" || host.SSH.User != "" || host.SSH.Port != 0 || host.SSH.HostKey != "" {
		return wrongUsage(c, "--%s %s: nobody logs in to a container: leave user, port, --%s and --%s out", flagContainer, name, flagSSHAddress, flagHostKey)
	}
	engine, err := engineOf(cluster)
	if err != nil {
		return wrongUsage(c, "--%s %s: %w in %s: write the host into the file by hand, as {name: %s, address: ADDRESS, ssh: {transport: docker, container: %[2]s}}",
			flagContainer, name, err, c.String(flagFile), host.Name)
	}
	host.SSH = inventory.SSH{Transport: engine.Transport, Context: engine.Context, Container: name}
	if _, exists := cluster.Host(host.Name); host.Address.IsValid() || exists {
		return nil
	}
	return containerAddresses(c.Context, cluster, host)
}

// engineOf is the one engine, and context of it, that a cluster's containers are of.
func engineOf(cluster *inventory.Cluster) (convert.Engine, error) {
	var engines []convert.Engine
	for _, h := range cluster.Hosts() {
		if is := (convert.Engine{Transport: h.SSH.Transport, Context: h.SSH.Context}); h.SSH.InContainer() && !slices.Contains(engines, is) {
			engines = append(engines, is)
		}
	}
	if len(engines) != 1 {
		return convert.Engine{}, fmt.Errorf("there are containers of %s", count(len(engines), "engine"))
	}
	return engines[0], nil
}

// containerAddresses gives a host the addresses that its container has of the families of the cluster's other hosts.
func containerAddresses(ctx context.Context, cluster *inventory.Cluster, host *inventory.Host) error {
	found, err := container.Inspect(ctx, host.SSH.Transport, host.SSH.Context, host.SSH.Container)
	if err != nil {
		return fmt.Errorf("find the address of %s: %w", host.Name, err)
	}
	var addresses []netip.Addr
	for _, like := range cluster.ControlPlane.Hosts[0].Addresses() {
		i := slices.IndexFunc(found.Addresses, func(a netip.Addr) bool { return a.Is4() == like.Is4() })
		if i < 0 {
			return &usageError{err: fmt.Errorf("container %s has the addresses %v, and none of the family of %s: give --%s", host.SSH.Container, found.Addresses, like, flagAddress)}
		}
		addresses = append(addresses, found.Addresses[i])
	}
	host.Address = addresses[0]
	if len(addresses) > 1 {
		host.Second = addresses[1]
	}
	return nil
}
