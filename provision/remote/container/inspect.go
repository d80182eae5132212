package container

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Container is a container as its engine knows it.
type Container struct {
	// ID is the whole ID, and Name the name, without a slash.
	ID, Name string
	// Status is the engine's word: running, exited, paused, created and others.
	Status string
	// Running says that it has a first process, Paused that this may not run.
	Running, Paused bool
	// Image is what it was made of, as that was called.
	Image string
	// Labels are those that it was given.
	Labels map[string]string
	// Addresses are its own: those of its networks in the order of their names, IPv4 first.
	Addresses []netip.Addr

	begun string // tells one run of it from another
}

// answer is what is used of the engines' answer to inspect, which is the same for all.
type answer struct {
	ID    string `json:"Id"`
	Name  string
	State struct {
		Status          string
		Running, Paused bool
		Pid             int
		StartedAt       string
	}
	Config struct {
		Image  string
		Labels map[string]string
	}
	// ImageName has Podman where Config does not say it, Image nerdctl; Docker's is an ID.
	ImageName, Image string
	NetworkSettings  struct {
		endpoint
		Networks map[string]endpoint
	}
}

// endpoint is a container's place in a network.
type endpoint struct {
	IPAddress, GlobalIPv6Address string
}

// inspect asks for containers by names or IDs.
func (c client) inspect(ctx context.Context, names ...string) ([]Container, error) {
	about := ""
	if len(names) == 1 {
		about = names[0]
	}
	text, err := c.ask(ctx, about, append([]string{"container", "inspect"}, names...)...)
	if err != nil {
		return nil, err
	}
	var answers []answer
	if err := json.Unmarshal(text, &answers); err != nil {
		return nil, fmt.Errorf("read what %s says of containers: %w", c.engine, err)
	}
	if len(answers) != len(names) {
		return nil, fmt.Errorf("read what %s says of containers: it speaks of %d, asked for were %d", c.engine, len(answers), len(names))
	}
	all := make([]Container, len(answers))
	for i, a := range answers {
		all[i] = a.container()
	}
	return all, nil
}

func (a answer) container() Container {
	return Container{
		ID: a.ID, Name: strings.TrimPrefix(a.Name, "/"), Status: a.State.Status, Running: a.State.Running, Paused: a.State.Paused || a.State.Status == "paused",
		Image: cmp.Or(a.Config.Image, a.ImageName, a.Image), Labels: a.Config.Labels, Addresses: a.addresses(), begun: fmt.Sprint(a.State.Pid, " ", a.State.StartedAt),
	}
}

// addresses are those that can be read, each once.
func (a answer) addresses() []netip.Addr {
	endpoints := make([]endpoint, 0, len(a.NetworkSettings.Networks)+1)
	for _, name := range slices.Sorted(maps.Keys(a.NetworkSettings.Networks)) {
		endpoints = append(endpoints, a.NetworkSettings.Networks[name])
	}
	endpoints = append(endpoints, a.NetworkSettings.endpoint)
	var v4, v6 []netip.Addr
	add := func(to *[]netip.Addr, text string) {
		if address, err := netip.ParseAddr(text); err == nil && !slices.Contains(*to, address) {
			*to = append(*to, address)
		}
	}
	for _, e := range endpoints {
		add(&v4, e.IPAddress)
		add(&v6, e.GlobalIPv6Address)
	}
	return append(v4, v6...)
}

// Inspect asks an engine for one container, by its name or ID.
func Inspect(ctx context.Context, engineName, contextName, name string) (Container, error) {
	all, err := client{engine: engineName, context: contextName}.inspect(ctx, name)
	if err != nil {
		return Container{}, err
	}
	return all[0], nil
}

// List finds the containers of an engine that have a label, KEY=VALUE or KEY, whether they run or not, in the order of their names.
func List(ctx context.Context, engineName, contextName, label string) ([]Container, error) {
	c := client{engine: engineName, context: contextName}
	text, err := c.ask(ctx, "", "ps", "--all", "--quiet", "--no-trunc", "--filter", "label="+label)
	if err != nil {
		return nil, err
	}
	ids := strings.Fields(string(text))
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := c.inspect(ctx, ids...)
	slices.SortFunc(all, func(a, b Container) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}
