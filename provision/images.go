package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairlead/provision/kube"
	"fairlead/provision/registry"
	"fairlead/templates"
	"fairlead/templates/images"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ErrNothingForRegistry says that no image of the inventory is looked for in a registry.
var ErrNothingForRegistry = errors.New("no image of the inventory is looked for there")

// Images are the images that the inventory needs.
func (s *Session) Images() []ImageNeed { return s.wish.Needs }

// Addons are the objects that are applied, by set.
func (s *Session) Addons() []AddonSet { return s.wish.Addons }

// MirrorOptions say what is copied whither.
type MirrorOptions struct {
	To  string // registry: host[:port]
	Via string // name of the host through whose connection it is reached; "": directly
	// Platforms are those to copy; none: all that there are.
	Platforms  []ocispec.Platform
	OnProgress func(sent, total int64)
}

// MirrorResult is what a copy has done.
type MirrorResult struct {
	registry.Stats
	// Elsewhere are needs that hosts do not look for in that registry.
	Elsewhere []ImageNeed
}

// Mirror copies the images that hosts look for in a registry to where they look: from the
// bundle what that holds, else from where an image's makers keep it. What is there already
// is not sent again.
func (s *Session) Mirror(ctx context.Context, options MirrorOptions) (MirrorResult, error) {
	bundled, origins, elsewhere, err := s.wish.mirrorItems(options.To)
	result := MirrorResult{Elsewhere: elsewhere}
	if err != nil {
		return result, err
	}
	if len(bundled)+len(origins) == 0 {
		return result, fmt.Errorf("%s: %w", options.To, ErrNothingForRegistry)
	}
	target, err := s.mirrorTarget(ctx, options)
	if err != nil {
		return result, err
	}
	sending := &pace{now: s.events.now, report: func(sent, total int64) {
		if options.OnProgress != nil {
			options.OnProgress(sent, total)
		}
	}}
	defer sending.flush()
	copying := registry.CopyOptions{Platforms: options.Platforms, OnProgress: sending.add}
	if len(bundled) > 0 {
		if result.Stats, err = registry.Copy(ctx, s.bundle.Source(), target, bundled, copying); err != nil {
			return result, fmt.Errorf("copy from the bundle: %w", err)
		}
	}
	for _, domain := range sortedKeys(origins) {
		before := result.Bytes
		copying.OnProgress = func(sent, total int64) { sending.add(before+sent, before+total) }
		stats, err := registry.Copy(ctx, registry.Origins(s.originClient), target, origins[domain], copying)
		result.add(stats)
		if err != nil {
			return result, fmt.Errorf("copy from %s: %w", domain, err)
		}
	}
	return result, nil
}

// mirrorItems are what is copied to a registry: from the bundle, and from origins by their
// domain. elsewhere are needs that hosts do not look for there.
func (w Wish) mirrorItems(to string) (bundled []registry.Item, origins map[string][]registry.Item, elsewhere []ImageNeed, err error) {
	origins = map[string][]registry.Item{}
	for _, need := range w.Needs {
		item, wanted, err := w.mirrorItem(need, to)
		item.From = need.Origin
		switch {
		case err != nil:
			return nil, nil, nil, err
		case !wanted:
			elsewhere = append(elsewhere, need)
		case need.Bundled != nil:
			item.Digest, item.Size = need.Bundled.Digest, need.Bundled.Size
			bundled = append(bundled, item)
		default:
			domain, err := images.Domain(need.Origin)
			if err != nil {
				return nil, nil, nil, err
			}
			origins[domain] = append(origins[domain], item)
		}
	}
	return bundled, origins, elsewhere, nil
}

func (m *MirrorResult) add(stats registry.Stats) {
	m.Images += stats.Images
	m.Blobs += stats.Blobs
	m.Mounted += stats.Mounted
	m.Skipped += stats.Skipped
	m.Bytes += stats.Bytes
}

// originClient talks to the registry of that name itself, directly.
func (s *Session) originClient(domain string) (*registry.Client, error) {
	return registry.NewClient(s.wish.origin(domain), nil)
}

// mirrorItem says where hosts look for an image in a registry, if they do at all.
func (w Wish) mirrorItem(need ImageNeed, to string) (item registry.Item, wanted bool, err error) {
	name, err := images.Parse(need.Name)
	if err != nil {
		return item, false, err
	}
	places, _ := w.endpoints(name.Domain)
	i := slices.IndexFunc(places, func(e endpoint) bool { return e.Host == to && !e.own })
	if i < 0 {
		return item, false, nil
	}
	return registry.Item{Repository: places[i].repository(name.Path), Tag: name.Tag}, true, nil
}

// mirrorTarget is the registry that is copied to.
func (s *Session) mirrorTarget(ctx context.Context, options MirrorOptions) (*registry.Client, error) {
	if options.Via == "" {
		return s.originClient(options.To)
	}
	host, ok := s.wish.Cluster.Host(options.Via)
	if !ok {
		return nil, fmt.Errorf("--via: host %s is not in the inventory", options.Via)
	}
	connection, err := s.connect(ctx, host)
	if err != nil {
		return nil, &UnreachableError{Hosts: []string{host.Name}, Causes: []error{err}}
	}
	return registry.NewClient(s.wish.origin(options.To), connection.DialContext)
}

// origin is how to reach the registry of that name itself.
func (w Wish) origin(domain string) registry.Endpoint {
	for _, r := range w.Registries {
		if r.Host == domain {
			return r.endpoint()
		}
	}
	return registry.Endpoint{Host: registry.Origin(domain)}
}

// ImageReport is what a look at images has found. Nothing in it means that all is well.
type ImageReport struct {
	// Checked is how many images were asked for, counted once for each host.
	Checked  int
	Problems []ImageProblem
	// Foreign are images in use, or on hosts, that the inventory's rules would have named
	// otherwise: they came from elsewhere.
	Foreign []ForeignImage
}

// ForeignImage is an image that came from elsewhere.
type ForeignImage struct {
	Where string // "host w1" or "pod kube-system/x"
	Name  string
	Want  string // the name by the rules, or what its digest should be
}

// Finding puts it into the words of preflight.
func (f ForeignImage) Finding() Finding {
	return Finding{
		Name: "ForeignImage", Message: fmt.Sprintf("%s: %s came from elsewhere, want %s", f.Where, f.Name, f.Want),
		Mending: "apply what runs it with the names that fairlead images rewrite makes, and remove the image: crictl rmi",
	}
}

// VerifyImages asks, from each host's side, for the manifest of every image that the host
// pulls; and, if there is a cluster, looks whether what runs came from where it should.
func (s *Session) VerifyImages(ctx context.Context) (ImageReport, error) {
	var report ImageReport
	facts, err := s.Observe(ctx)
	if err != nil {
		return report, err
	}
	toAsk := map[string][]ImageNeed{}
	for _, host := range s.wish.Cluster.Hosts() {
		for _, need := range s.wish.needsOf(host.Name) {
			// What is not in fairlead's own registry yet, up puts there.
			if need.Pulled && (need.Bundled == nil || !s.wish.ownHolds(need)) {
				toAsk[host.Name] = append(toAsk[host.Name], need)
			}
		}
		if facts.Hosts[host.Name].Unreachable == nil {
			report.Checked += len(toAsk[host.Name])
			report.Foreign = append(report.Foreign, s.wish.foreignOnHost(host.Name, facts.Hosts[host.Name])...)
		}
	}
	report.Problems = s.checkImages(ctx, facts, toAsk)
	if facts.API.Err == nil {
		client, _, err := s.api(ctx)
		if err != nil {
			return report, err
		}
		pods, err := client.PodImages(ctx)
		if err != nil {
			return report, err
		}
		report.Foreign = append(report.Foreign, s.wish.foreignInPods(pods)...)
	}
	return report, errors.Join(s.unreachable(facts), ctx.Err())
}

// foreignOnHost are the images in a host's runtime whose names are not those by the rules.
func (w Wish) foreignOnHost(host string, facts HostFacts) []ForeignImage {
	var foreign []ForeignImage
	for _, name := range sortedKeys(facts.Images) {
		if want, err := w.Rules.Rewrite(name); err == nil && !images.Same(want, name) {
			foreign = append(foreign, ForeignImage{Where: "host " + host, Name: name, Want: want})
		}
	}
	return foreign
}

// foreignInPods are the images of pods whose names are not those by the rules, and those
// that run with another digest than the bundle's.
func (w Wish) foreignInPods(pods []kube.PodImage) []ForeignImage {
	var foreign []ForeignImage
	for _, pod := range pods {
		where := "pod " + pod.Pod
		want, err := w.Rules.Rewrite(pod.Image)
		if err != nil {
			continue // the runtime has refused it, too
		}
		if !images.Same(want, pod.Image) {
			foreign = append(foreign, ForeignImage{Where: where, Name: pod.Image, Want: want})
			continue
		}
		_, running, started := strings.Cut(pod.ID, "@")
		for _, need := range w.Needs {
			if started && need.Bundled != nil && images.Same(need.Name, pod.Image) && running != need.Bundled.Digest.String() {
				foreign = append(foreign, ForeignImage{Where: where, Name: pod.ID, Want: need.Bundled.Digest.String()})
			}
		}
	}
	return foreign
}

// DeleteImage takes an image out of fairlead's own registry and frees what only it used.
func (s *Session) DeleteImage(ctx context.Context, reference string) error {
	host, ok := s.wish.Cluster.Host(s.wish.Cluster.Images.Host)
	if !ok {
		return errors.New("images.host is not set: fairlead runs no registry")
	}
	repository, tag, err := s.wish.ownRepository(reference)
	if err != nil {
		return err
	}
	connection, err := s.connect(ctx, host)
	if err != nil {
		return &UnreachableError{Hosts: []string{host.Name}, Causes: []error{err}}
	}
	run := s.newRun(hostStep(host, stepFill, "delete "+reference))
	run.host = connection
	err = run.withWriter(ctx, func(ctx context.Context, writer *registry.Client) error {
		return writer.Delete(ctx, repository, tag)
	})
	if err != nil {
		return err
	}
	return Script{Title: "collect the registry's garbage", Text: templates.CollectGarbage()}.apply(ctx, run)
}
