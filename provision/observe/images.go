package observe

import (
	"context"
	"errors"
	"sync"
	"time"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/registry"
	"fairlead/provision/remote"
	"fairlead/templates/images"
)

// registryPatience is how long a registry may take to answer a request for a manifest.
const registryPatience = 10 * time.Second

// lacksImage says that the host's runtime will have to pull the image.
func lacksImage(facts facts.Host, need desired.ImageNeed) bool {
	is, exists := facts.Images[need.Name]
	return !exists || !is.Complete
}

// unproven are the images that the host is going to pull from a registry that the inventory
// speaks of. What fairlead's own registry holds needs no proof.
func (o *Observer) unproven(host inventory.Host, facts facts.Facts) []desired.ImageNeed {
	var needs []desired.ImageNeed
	for _, need := range o.wish.NeedsOf(host.Name) {
		domain, err := images.Domain(need.Name)
		if err != nil || !need.Pulled || !lacksImage(facts.Hosts[host.Name], need) {
			continue
		}
		_, configured := o.wish.Endpoints(domain)
		if !configured || need.Bundled != nil && o.wish.OwnHolds(need) || need.Anywhere && somewhere(facts, need) {
			continue
		}
		needs = append(needs, need)
	}
	return needs
}

// somewhere says that a host has the image, so that it could be had.
func somewhere(facts facts.Facts, need desired.ImageNeed) bool {
	for _, name := range need.Hosts {
		if host, ok := facts.Hosts[name]; ok && host.Unreachable == nil && !lacksImage(host, need) {
			return true
		}
	}
	return false
}

// observeImages asks the registries for the manifests of images that hosts are going to
// pull, from each host's side.
func (o *Observer) observeImages(ctx context.Context, facts facts.Facts) []facts.ImageProblem {
	needs := map[string][]desired.ImageNeed{}
	for _, host := range o.wish.Cluster.Hosts() {
		needs[host.Name] = o.unproven(host, facts)
	}
	return o.CheckImages(ctx, facts, needs)
}

// CheckImages asks for the manifests of some needs of every host that was reached. A host that is
// lost meanwhile is no problem of images: seen has it as unreachable then.
func (o *Observer) CheckImages(ctx context.Context, seen facts.Facts, needs map[string][]desired.ImageNeed) []facts.ImageProblem {
	hosts := o.wish.Cluster.Hosts()
	found, lost := make([][]facts.ImageProblem, len(hosts)), make([]error, len(hosts))
	var group sync.WaitGroup
	for i, host := range hosts {
		if wanted := needs[host.Name]; seen.Hosts[host.Name].Unreachable == nil && len(wanted) > 0 {
			group.Go(func() { found[i], lost[i] = o.checkHost(ctx, host.Name, wanted) })
		}
	}
	group.Wait()
	var problems []facts.ImageProblem
	for i, host := range hosts {
		if lost[i] != nil && ctx.Err() == nil {
			seen.Hosts[host.Name] = facts.Host{Unreachable: hostProblem(lost[i])}
		}
		problems = append(problems, found[i]...)
	}
	return problems
}

// checkHost asks registries through one host. The error says that the host was lost; then what
// registries said does not count.
func (o *Observer) checkHost(ctx context.Context, name string, wanted []desired.ImageNeed) ([]facts.ImageProblem, error) {
	connection, err := o.connections.Host(ctx, name)
	if err != nil {
		return nil, err
	}
	checks := &imageChecks{wish: o.wish, host: connection, broken: map[string]bool{}, clients: map[string]*registry.Client{}}
	problems := checks.run(ctx, wanted)
	for _, client := range checks.clients {
		client.Close()
	}
	if err := connection.Alive(); err != nil {
		return nil, err
	}
	return problems, nil
}

// imageChecks asks registries through one host.
type imageChecks struct {
	wish    desired.State
	host    *remote.Host
	broken  map[string]bool // registries that were found to be of no use
	clients map[string]*registry.Client
}

func (c *imageChecks) run(ctx context.Context, needs []desired.ImageNeed) []facts.ImageProblem {
	var problems []facts.ImageProblem
	for _, need := range needs {
		if problem := c.check(ctx, need); problem != nil {
			problem.Host, problem.Image = c.host.Name(), need.Name
			problems = append(problems, *problem)
		}
	}
	return problems
}

// check looks for one image where the host's runtime will look for it, in the same order.
func (c *imageChecks) check(ctx context.Context, need desired.ImageNeed) *facts.ImageProblem {
	name, err := images.Parse(need.Name)
	if err != nil {
		return &facts.ImageProblem{Err: imageProblem(err)}
	}
	places, _ := c.wish.Endpoints(name.Domain)
	var problem *facts.ImageProblem
	for _, place := range places {
		if c.broken[place.Host] {
			continue
		}
		err := c.ask(ctx, place, name)
		if err == nil {
			return nil
		}
		problem = &facts.ImageProblem{
			Registry: place.Host, Err: imageProblem(errors.Join(errorOf(problem), err)), Whole: !errors.Is(err, registry.ErrMissing),
		}
		c.broken[place.Host] = problem.Whole
	}
	return problem
}

func errorOf(problem *facts.ImageProblem) error {
	if problem == nil {
		return nil
	}
	return problem.Err
}

// ask requests a manifest from one registry.
func (c *imageChecks) ask(ctx context.Context, place desired.Endpoint, name images.Reference) error {
	ctx, cancel := context.WithTimeout(ctx, registryPatience)
	defer cancel()
	client, ok := c.clients[place.Host]
	if !ok {
		place.Proxy = c.wish.ProxyFunc() // as the host's runtime does
		var err error
		if client, err = registry.NewClient(place.Endpoint, c.host.DialContext); err != nil {
			return err
		}
		c.clients[place.Host] = client
	}
	reference := name.Tag
	if name.Digest != "" {
		reference = name.Digest
	}
	_, err := client.Resolve(ctx, place.Repository(name.Path), reference)
	return err
}
