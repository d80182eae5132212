package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// Labels of containers and networks. The first one's value is the lab's name.
const (
	labelLab  = "fairlead.lab"
	labelHost = "fairlead.lab.host"
	// labelAddress has the fixed address of a host: Podman does not say it of containers that are stopped.
	labelAddress = "fairlead.lab.address"
)

// ExitError is the failure of a command that ran, on this machine or in a host.
type ExitError struct {
	Argv   []string // the command without the docker arguments before it
	Code   int      // its exit code
	Stderr string   // the end of its standard error
}

// Error names the command, its exit code and the end of its standard error.
func (e *ExitError) Error() string {
	return fmt.Sprintf("run %s: exit code %d: %s", strings.Join(e.Argv, " "), e.Code, e.Stderr)
}

// docker runs the docker client and returns its standard output without the white space around it.
func (m *machine) docker(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	out, err := run(ctx, stdin, append([]string{m.client}, args...), 0)
	return strings.TrimSpace(out), err
}

// run runs argv and returns its standard output unchanged. The error of a command that failed is an *ExitError
// whose Argv leaves out the first hidden arguments.
func run(ctx context.Context, stdin io.Reader, argv []string, hidden int) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return stdout.String(), &ExitError{Argv: argv[hidden:], Code: exit.ExitCode(), Stderr: tail(stderr.String())}
	}
	if err != nil {
		return stdout.String(), fmt.Errorf("run %s: %w", strings.Join(argv[hidden:], " "), errors.Join(err, ctx.Err()))
	}
	return stdout.String(), nil
}

// container is a host as the Docker daemon knows it.
type container struct {
	host    Host
	running bool
	paused  bool
}

// inspected is what is used of docker inspect's answer.
type inspected struct {
	Name  string
	State struct {
		Running bool
		Paused  bool
	}
	Config struct {
		Labels map[string]string
	}
	NetworkSettings struct {
		Networks map[string]struct {
			IPAMConfig struct {
				IPv4Address string
			}
		}
	}
}

// parseContainers reads docker inspect's answer for the containers of one lab. Their addresses are the fixed ones
// on the lab's network, known for stopped containers too.
func parseContainers(text, network string) (map[string]container, error) {
	var answers []inspected
	if err := json.Unmarshal([]byte(text), &answers); err != nil {
		return nil, fmt.Errorf("read docker inspect: %w", err)
	}
	found := make(map[string]container, len(answers))
	for _, a := range answers {
		name := strings.TrimPrefix(a.Name, "/")
		address, err := netip.ParseAddr(cmp.Or(a.NetworkSettings.Networks[network].IPAMConfig.IPv4Address, a.Config.Labels[labelAddress]))
		if err != nil {
			return nil, fmt.Errorf("read address of container %s: %w", name, err)
		}
		host := a.Config.Labels[labelHost]
		found[host] = container{
			host:    Host{Name: host, Address: address, Container: name},
			running: a.State.Running,
			paused:  a.State.Paused,
		}
	}
	return found, nil
}

// containerIDs returns the IDs of all containers of the lab, stopped ones too.
func (m *machine) containerIDs(ctx context.Context, lab string) ([]string, error) {
	ids, err := m.docker(ctx, nil, "ps", "--all", "--quiet", "--no-trunc", "--filter", "label="+labelLab+"="+lab)
	return strings.Fields(ids), err
}

// containers returns the containers of the lab by host name.
func (m *machine) containers(ctx context.Context, lab string) (map[string]container, error) {
	ids, err := m.containerIDs(ctx, lab)
	if err != nil || len(ids) == 0 {
		return map[string]container{}, err
	}
	text, err := m.docker(ctx, nil, append([]string{"inspect", "--type", "container"}, ids...)...)
	if err != nil {
		return nil, err
	}
	return parseContainers(text, lab)
}

// networkSubnets returns the subnets of the lab's network, that of IPv4 first; none if there is no such network.
func (m *machine) networkSubnets(ctx context.Context, lab string) ([]netip.Prefix, error) {
	if m.client == ClientPodman {
		return m.podmanSubnets(ctx, lab)
	}
	id, err := m.docker(ctx, nil, "network", "ls", "--quiet", "--filter", "label="+labelLab+"="+lab)
	if err != nil || id == "" {
		return nil, err
	}
	text, err := m.docker(ctx, nil, "network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}} {{end}}", id)
	if err != nil {
		return nil, err
	}
	subnets, err := parseSubnets(text, lab)
	if err != nil {
		return nil, err
	}
	if len(subnets) == 0 {
		return nil, fmt.Errorf("read subnets of network %s: it has none", lab)
	}
	slices.SortStableFunc(subnets, func(a, b netip.Prefix) int { return cmp.Compare(a.Addr().BitLen(), b.Addr().BitLen()) })
	return subnets, nil
}

// parseSubnets reads what a network's inspection lists, words apart.
func parseSubnets(text, lab string) ([]netip.Prefix, error) {
	var subnets []netip.Prefix
	for word := range strings.FieldsSeq(text) {
		subnet, err := netip.ParsePrefix(word)
		if err != nil {
			return nil, fmt.Errorf("read subnets of network %s: %w", lab, err)
		}
		subnets = append(subnets, subnet)
	}
	return subnets, nil
}

// ensureNetwork creates the lab's network with the subnets, or checks that the one there has them. A closed one has no
// way out, and none in but from this machine.
func (m *machine) ensureNetwork(ctx context.Context, lab string, subnets []netip.Prefix, closed bool) error {
	has, err := m.networkSubnets(ctx, lab)
	switch {
	case err != nil:
		return err
	case len(has) > 0 && !slices.Equal(has, subnets):
		return fmt.Errorf("use network %s: it has the subnets %s, want %s: take the lab down first", lab, has, subnets)
	case len(has) > 0:
		internal, err := m.docker(ctx, nil, "network", "inspect", "--format", "{{.Internal}}", lab)
		if err == nil && internal != strconv.FormatBool(closed) {
			err = fmt.Errorf("use network %s: that it is closed is %s, want %t: take the lab down first", lab, internal, closed)
		}
		return err
	}
	args := []string{"network", "create", "--label", labelLab + "=" + lab}
	for _, subnet := range subnets {
		if subnet.Addr().Is6() {
			args = append(args, "--ipv6")
		}
		args = append(args, "--subnet", subnet.String())
	}
	if closed {
		args = append(args, "--internal")
	}
	_, err = m.docker(ctx, nil, append(args, lab)...)
	return err
}
