package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/provision/desired"
	"fairlead/provision/event"
	"fairlead/provision/facts"
	"fairlead/provision/kube"
	"fairlead/provision/plan"
	"fairlead/provision/registry"
	"fairlead/templates/images"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ErrNothingForRegistry says that no image of the inventory is looked for in a registry.
var ErrNothingForRegistry = errors.New("no image of the inventory is looked for there")

// Images are the images that the inventory needs.
func (s *Session) Images() []desired.ImageNeed { return s.wish.Needs }

// Addons are the objects that are applied, by set.
func (s *Session) Addons() []desired.AddonSet { return s.wish.Addons }

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
	Elsewhere []desired.ImageNeed
	// Whole are images of which all platforms were copied, although some were chosen: hosts ask for
	// them by the digest of all.
	Whole []string
}

// Mirror copies the images that hosts look for in a registry to where they look: from the
// bundle what that holds, else from where an image's makers keep it. What is there already
// is not sent again. What cannot be copied holds up nothing else; the error names all of it.
func (s *Session) Mirror(ctx context.Context, options MirrorOptions) (MirrorResult, error) {
	bundled, origins, elsewhere, err := s.wish.MirrorItems(options.To)
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
	defer target.Close()
	if err := target.Ping(ctx); err != nil { // else each of the sources would meet the same
		return result, err
	}
	sending := s.events.Throttle(func(e event.Event) {
		if options.OnProgress != nil {
			options.OnProgress(e.Bytes, e.Total)
		}
	})
	defer sending.Flush()
	copying := registry.CopyOptions{Platforms: options.Platforms}
	copyFrom := func(source registry.Source, items []registry.Item) error {
		before := result.Bytes
		copying.OnProgress = func(sent, total int64) { sending.Add(before+sent, before+total) }
		stats, err := registry.Copy(ctx, source, target, items, copying)
		result.add(stats)
		return err
	}
	var errs []error
	if len(bundled) > 0 {
		errs = append(errs, copyFrom(s.bundle.Source(), bundled))
	}
	for _, domain := range slices.Sorted(maps.Keys(origins)) {
		if ctx.Err() != nil {
			break
		}
		result.Whole = append(result.Whole, wholeOf(origins[domain], options)...)
		errs = append(errs, s.copyOrigin(domain, func(source registry.Source) error { return copyFrom(source, origins[domain]) }))
	}
	return result, errors.Join(errs...)
}

// copyOrigin copies from one registry through one client, which keeps its connections and tokens.
func (s *Session) copyOrigin(domain string, do func(registry.Source) error) error {
	client, err := s.originClient(domain)
	if err != nil {
		return err
	}
	defer client.Close()
	return do(registry.Origins(func(string) (*registry.Client, error) { return client, nil }))
}

// wholeOf are the images of which platforms cannot be chosen, if some are to be.
func wholeOf(items []registry.Item, options MirrorOptions) []string {
	var names []string
	for _, item := range items {
		if len(options.Platforms) > 0 && item.Pinned() {
			names = append(names, item.From)
		}
	}
	return names
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
	return registry.NewClient(s.wish.Origin(domain), nil)
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
	connection, err := s.connections.Host(ctx, host.Name)
	if err != nil {
		return nil, &UnreachableError{Hosts: []string{host.Name}, Causes: []error{err}}
	}
	return registry.NewClient(s.wish.Origin(options.To), connection.DialContext)
}

// ImageReport is what a look at images has found. Nothing in it means that all is well.
type ImageReport struct {
	// Checked is how many images were asked for, counted once for each host.
	Checked  int
	Problems []facts.ImageProblem
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
func (f ForeignImage) Finding() plan.Finding {
	return plan.Finding{
		Name: "ForeignImage", Message: fmt.Sprintf("%s: %s came from elsewhere, want %s", f.Where, f.Name, f.Want),
		Fix: "apply what runs it with the names that fairlead images rewrite makes, and remove the image: crictl rmi",
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
	toAsk := map[string][]desired.ImageNeed{}
	for _, host := range s.wish.Cluster.Hosts() {
		for _, need := range s.wish.NeedsOf(host.Name) {
			// What is not in fairlead's own registry yet, up puts there.
			if need.Pulled && (need.Bundled == nil || !s.wish.OwnHolds(need)) {
				toAsk[host.Name] = append(toAsk[host.Name], need)
			}
		}
		if facts.Hosts[host.Name].Unreachable == nil {
			report.Checked += len(toAsk[host.Name])
			report.Foreign = append(report.Foreign, foreignOnHost(s.wish, host.Name, facts.Hosts[host.Name])...)
		}
	}
	report.Problems = s.observer.CheckImages(ctx, facts, toAsk)
	if facts.API.Err == nil {
		client, _, err := s.connections.API(ctx)
		if err != nil {
			return report, err
		}
		pods, err := client.PodImages(ctx)
		if err != nil {
			return report, err
		}
		report.Foreign = append(report.Foreign, foreignInPods(s.wish, pods)...)
	}
	return report, errors.Join(s.unreachable(facts), ctx.Err())
}

// foreignOnHost are the images in a host's runtime whose names are not those by the rules.
func foreignOnHost(w desired.State, host string, facts facts.Host) []ForeignImage {
	var foreign []ForeignImage
	for _, name := range slices.Sorted(maps.Keys(facts.Images)) {
		if want, err := w.Rules.Rewrite(name); err == nil && !images.Same(want, name) {
			foreign = append(foreign, ForeignImage{Where: "host " + host, Name: name, Want: want})
		}
	}
	return foreign
}

// foreignInPods are the images of pods whose names are not those by the rules, and those
// that run with another digest than the bundle's.
func foreignInPods(w desired.State, pods []kube.PodImage) []ForeignImage {
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
	repository, tag, err := s.wish.OwnRepository(reference)
	if err != nil {
		return err
	}
	seen := s.observer.ObserveHost(ctx, host)
	if cause := seen.Unreachable; cause != nil {
		return &UnreachableError{Hosts: []string{host.Name}, Causes: []error{cause}}
	}
	defer s.release(ctx)
	if err := s.takeFor(ctx, host, seen); err != nil {
		return err
	}
	plan := plan.MakeImageDeletion(host, reference, repository, tag)
	_, errs := s.apply(ctx, plan, facts.Facts{Hosts: map[string]facts.Host{host.Name: seen}})
	return errors.Join(errs...)
}
