package lab

import (
	"context"
	"errors"
	"net/netip"
	"slices"
)

// ClientPodman is Options.Client of a lab whose hosts are Podman's containers. Their network is podman's own, and no daemon is needed.
const ClientPodman = "podman"

// forPodman are the arguments of run as Podman takes them. It asks for more open files and processes than a machine may give whose root
// lacks CAP_SYS_RESOURCE, has another word for paths that are not masked, and would mount control groups and /run itself for systemd.
func forPodman(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "systempaths=unconfined" {
			args[i] = "unmask=ALL"
		}
	}
	return slices.Insert(args, 1, "--systemd=false", "--ulimit", "nofile=20000:20000", "--ulimit", "nproc=30000:30000")
}

// podmanSubnets returns the subnets of a network of Podman's; none if there is no such network.
func (m *machine) podmanSubnets(ctx context.Context, lab string) ([]netip.Prefix, error) {
	if _, err := m.docker(ctx, nil, "network", "exists", lab); err != nil {
		if exit := new(ExitError); errors.As(err, &exit) && exit.Code == 1 {
			return nil, nil
		}
		return nil, err
	}
	text, err := m.docker(ctx, nil, "network", "inspect", "--format", "{{range .Subnets}}{{.Subnet}} {{end}}", lab)
	if err != nil {
		return nil, err
	}
	return parseSubnets(text, lab)
}
