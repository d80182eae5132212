package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Defaults of Options. The subnet lies outside Docker's own ranges and the pod and service subnets of an inventory.
const (
	DefaultName   = "fairlead"
	DefaultSubnet = "10.89.0.0/24"
)

// Options say which lab is meant and where its files live. The zero value is the default lab.
type Options struct {
	Name   string    // lab's name, in its label, network and containers; default DefaultName
	Dir    string    // folder of the key, known_hosts and hosts.json; default Cache/labs/Name
	Cache  string    // folder shared by labs: root file system, dockerd's log; default fairlead/lab in the user's cache
	Subnet string    // IPv4 network with 24 bits; default DefaultSubnet
	IPv6   string    // IPv6 network with 64 bits for second addresses of hosts; default none
	Client string    // program that makes hosts: docker, or ClientPodman; default docker
	Closed bool      // hosts reach nothing but each other, and this machine them
	Log    io.Writer // progress, a line each; default none
}

// Host is one lab host.
type Host struct {
	Name      string     `json:"name"`            // its host name
	Address   netip.Addr `json:"address"`         // its fixed address on the lab's network
	Second    netip.Addr `json:"second,omitzero"` // its address of IPv6; not valid where the lab has none
	Container string     `json:"container"`       // its container's name
}

// Lab is a set of running hosts. Its methods may be called concurrently, but for Add and Remove.
type Lab struct {
	machine *machine
	options Options
	subnet  netip.Prefix
	ipv6    netip.Prefix // not valid where the lab has none
	image   string
	hosts   map[string]Host
}

// Up brings the lab to having at least the named hosts, all running and reachable by SSH, and installs, starts
// and builds on this machine what that needs. Hosts that are there are kept, named or not, and started if they are
// stopped. On failure the hosts stay for inspection.
func Up(ctx context.Context, options Options, names []string) (*Lab, error) {
	l, err := prepare(ctx, options)
	if err != nil {
		return nil, err
	}
	err = l.machine.alone(ctx, func() error {
		err := errors.Join(l.machine.ensureKernel(kernelTree), l.machine.ensureCommands(ctx, "ssh-keygen"))
		if err == nil {
			l.image, err = l.machine.ensureImage(ctx)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := l.machine.ensureNetwork(ctx, l.options.Name, l.subnets(), l.options.Closed); err != nil {
		return nil, err
	}
	if err := l.ensureKey(ctx); err != nil {
		return nil, err
	}
	found, err := l.machine.containers(ctx, l.options.Name)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !slices.Contains(names, name) {
			names = append(slices.Clone(names), name)
		}
	}
	if err := l.ensureHosts(ctx, names, found); err != nil {
		return nil, err
	}
	return l, nil
}

// Open returns the lab that runs under the options' name. It is an error if it has no host; hosts that are stopped
// or paused stay so.
func Open(ctx context.Context, options Options) (*Lab, error) {
	l, err := prepare(ctx, options)
	if err != nil {
		return nil, err
	}
	found, err := l.machine.containers(ctx, l.options.Name)
	if err != nil {
		return nil, fmt.Errorf("open lab %s: %w", l.options.Name, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("open lab %s: it has no hosts: run lab up", l.options.Name)
	}
	for name, c := range found {
		l.hosts[name] = l.host(name, c.host.Address, c.host.Container)
	}
	entries, err := overlay()
	if err != nil {
		return nil, err
	}
	l.image = imageName(entries)
	return l, nil
}

// Down removes what carries the lab's label, the hosts' volumes and the lab's files. The Docker daemon, the image
// and the cache stay. A lab that is not there is no error.
func Down(ctx context.Context, options Options) error {
	l, err := prepare(ctx, options)
	if err != nil {
		return err
	}
	found, err := l.machine.containers(ctx, l.options.Name)
	if err != nil {
		return fmt.Errorf("take lab %s down: %w", l.options.Name, err)
	}
	var containers []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		containers = append(containers, found[name].host.Container)
	}
	if err := l.machine.removeContainers(ctx, containers); err != nil {
		return fmt.Errorf("take lab %s down: %w", l.options.Name, err)
	}
	has, err := l.machine.networkSubnets(ctx, l.options.Name)
	if err == nil && len(has) > 0 {
		_, err = l.machine.docker(ctx, nil, "network", "rm", l.options.Name)
	}
	return errors.Join(err, l.removeFiles())
}

// Add brings one more host into the lab and returns when it is reachable by SSH.
func (l *Lab) Add(ctx context.Context, name string) (Host, error) {
	err := l.machine.alone(ctx, func() (err error) {
		l.image, err = l.machine.ensureImage(ctx)
		return err
	})
	if err != nil {
		return Host{}, err
	}
	found, err := l.machine.containers(ctx, l.options.Name)
	if err != nil {
		return Host{}, err
	}
	if err := l.ensureHosts(ctx, []string{name}, found); err != nil {
		return Host{}, err
	}
	return l.hosts[name], nil
}

// Remove removes the host and its volumes, as if its machine were gone.
func (l *Lab) Remove(ctx context.Context, name string) error {
	host, err := l.Host(name)
	if err != nil {
		return err
	}
	if err := l.machine.removeContainers(ctx, []string{host.Container}); err != nil {
		return fmt.Errorf("remove host %s: %w", name, err)
	}
	delete(l.hosts, name)
	return l.writeAccess(nil)
}

// Host returns the named host.
func (l *Lab) Host(name string) (Host, error) {
	host, found := l.hosts[name]
	if !found {
		return Host{}, fmt.Errorf("find host %q: lab %s has %s", name, l.options.Name, strings.Join(slices.Sorted(maps.Keys(l.hosts)), ", "))
	}
	return host, nil
}

// Hosts returns all hosts, sorted by name.
func (l *Lab) Hosts() []Host {
	hosts := make([]Host, 0, len(l.hosts))
	for _, name := range slices.Sorted(maps.Keys(l.hosts)) {
		hosts = append(hosts, l.hosts[name])
	}
	return hosts
}

// prepare fills in the options' defaults, makes the folders and sees to the Docker daemon.
func prepare(ctx context.Context, options Options) (*Lab, error) {
	if options.Name == "" {
		options.Name = DefaultName
	}
	if options.Subnet == "" {
		options.Subnet = DefaultSubnet
	}
	if options.Log == nil {
		options.Log = io.Discard
	}
	if options.Cache == "" {
		options.Cache = os.Getenv("FAIRLEAD_CACHE")
	}
	if options.Cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find cache folder: %w", err)
		}
		options.Cache = filepath.Join(dir, "fairlead", "lab")
	}
	if options.Dir == "" {
		options.Dir = filepath.Join(options.Cache, "labs", options.Name)
	}
	subnet, err := netip.ParsePrefix(options.Subnet)
	if err != nil {
		return nil, fmt.Errorf("use subnet: %w", err)
	}
	ipv6, err := parseIPv6(options.IPv6)
	if err != nil {
		return nil, err
	}
	for _, dir := range []*string{&options.Cache, &options.Dir} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(options.Cache, 0o755); err != nil {
		return nil, fmt.Errorf("make cache folder: %w", err)
	}
	m := &machine{client: cmp.Or(options.Client, "docker"), cache: options.Cache, log: log.New(options.Log, "", 0)}
	if err := m.alone(ctx, func() error { return m.ensureDaemon(ctx) }); err != nil {
		return nil, err
	}
	return &Lab{machine: m, options: options, subnet: subnet, ipv6: ipv6, hosts: make(map[string]Host)}, nil
}

// ensureHosts creates or starts the named hosts side by side and writes the lab's files; found are the containers
// that are there.
func (l *Lab) ensureHosts(ctx context.Context, names []string, found map[string]container) error {
	taken := make(map[string]netip.Addr, len(found))
	for name, c := range found {
		taken[name], l.hosts[name] = c.host.Address, l.host(name, c.host.Address, c.host.Container)
	}
	addresses, err := assignAddresses(l.subnet, taken, names)
	if err != nil {
		return err
	}
	for i, name := range names {
		l.hosts[name] = l.host(name, addresses[i], l.options.Name+"-"+name)
	}
	texts, failures := make([]string, len(names)), make([]error, len(names))
	var group sync.WaitGroup
	for i, name := range names {
		group.Go(func() {
			var err error
			if texts[i], err = l.ensureHost(ctx, l.hosts[name], found); err != nil {
				failures[i] = fmt.Errorf("start host %s: %w", name, err)
			}
		})
	}
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	keys := make(map[string]string, len(names))
	for i, name := range names {
		keys[name] = texts[i]
	}
	return l.writeAccess(keys)
}
