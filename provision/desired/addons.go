package desired

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/provision/manifests"
	"fairlead/provision/object"
	"fairlead/templates"
	"fairlead/templates/images"
)

// The names of the sets that fairlead brings along; those of the user's manifests differ.
const (
	SetNetwork       = "network"
	SetApprover      = "kubelet-approver"
	SetMetricsServer = bundle.AddonMetricsServer
	SetIngress       = bundle.AddonIngress
)

// The last names of the images that those sets use.
const (
	imageFlannel       = "flannel"
	imageFlannelPlugin = "flannel-cni-plugin"
	ImageApprover      = "fairlead-approver"
	imageMetricsServer = "metrics-server"
	imageTraefik       = "traefik"
)

// AddonSet is a group of objects that come and go together.
type AddonSet struct {
	Name    string
	Title   string // "the pod network flannel"
	Objects []map[string]any
	// Images are those in the objects, under the names they are used by.
	Images []images.Image
	// Suspects look like images and were left as they are.
	Suspects []images.Suspect
	// Placement says on which nodes the set's pods run; zero: anywhere.
	Placement inventory.Placement
}

// errNotBundled says that the bundle lacks the image of an add-on.
var errNotBundled = errors.New("the bundle does not hold the image")

// addonSets renders what the inventory asks for beside what kubeadm makes.
func addonSets(ctx context.Context, wish State, source manifests.Source) ([]AddonSet, error) {
	var sets []AddonSet
	for _, build := range []func(State) (*AddonSet, error){networkSet, approverSet, metricsServerSet, ingressSet} {
		set, err := build(wish)
		switch {
		case errors.Is(err, errNotBundled):
		case err != nil:
			return nil, err
		case set != nil:
			sets = append(sets, *set)
		}
	}
	for _, manifest := range wish.Cluster.Addons.Manifests {
		set, err := manifestSet(ctx, wish, source, manifest)
		if err != nil {
			return nil, fmt.Errorf("addons.manifests: %s: %w", manifest.Name, err)
		}
		sets = append(sets, set)
	}
	for _, set := range sets {
		for _, item := range set.Objects {
			label(item, object.LabelAddon, set.Name)
		}
	}
	return sets, nil
}

func networkSet(wish State) (*AddonSet, error) {
	if wish.Cluster.Addons.Network.Name == inventory.NetworkNone {
		return nil, nil
	}
	image, err := wish.addonImage(imageFlannel)
	if err != nil {
		return nil, err
	}
	set := AddonSet{Name: SetNetwork, Title: "the pod network flannel", Images: []images.Image{image}}
	options := templates.FlannelOptions{
		PodSubnet: wish.Cluster.Kubernetes.PodSubnet.String(),
		Image:     image.To,
		APIServer: wish.Cluster.ControlPlane.Endpoint,
	}
	// The package of CNI plugins has no flannel any more; the bundle's layer has.
	if wish.Cluster.Kubernetes.Source == inventory.SourcePackages {
		plugin, err := wish.addonImage(imageFlannelPlugin)
		if err != nil {
			return nil, err
		}
		options.PluginImage = plugin.To
		set.Images = append(set.Images, plugin)
	}
	if set.Objects, err = templates.Flannel(options); err != nil {
		return nil, fmt.Errorf("render the pod network: %w", err)
	}
	return &set, nil
}

// VerifiedMetrics says that kubelets get serving certificates from the cluster.
func VerifiedMetrics(cluster *inventory.Cluster) bool {
	return cluster.Addons.MetricsServer != nil && !cluster.Addons.MetricsServer.InsecureTLS
}

// onControlPlanes is where fairlead's own helpers run: they are part of the control plane.
func onControlPlanes() inventory.Placement {
	return inventory.Placement{On: inventory.PlaceControlPlane}
}

func approverSet(wish State) (*AddonSet, error) {
	if !VerifiedMetrics(wish.Cluster) {
		return nil, nil
	}
	image, err := wish.addonImage(ImageApprover)
	if err != nil {
		return nil, err
	}
	options := templates.ApproverOptions{Image: image.To}
	for _, host := range wish.Cluster.Hosts() {
		options.Nodes = append(options.Nodes, templates.ApproverNode{
			Node: host.NodeName(), DNSNames: []string{host.NodeName()}, Addresses: host.Addresses(),
		})
	}
	objects, err := templates.ServingApprover(options)
	if err != nil {
		return nil, fmt.Errorf("render the approver of kubelet certificates: %w", err)
	}
	return &AddonSet{
		Name: SetApprover, Title: "the approver of kubelet serving certificates", Objects: objects,
		Images: []images.Image{image}, Placement: onControlPlanes(),
	}, nil
}

func metricsServerSet(wish State) (*AddonSet, error) {
	wanted := wish.Cluster.Addons.MetricsServer
	if wanted == nil {
		return nil, nil
	}
	image, err := wish.addonImage(imageMetricsServer)
	if err != nil {
		return nil, err
	}
	objects, err := templates.MetricsServer(templates.MetricsServerOptions{Image: image.To, InsecureTLS: wanted.InsecureTLS})
	if err != nil {
		return nil, fmt.Errorf("render metrics-server: %w", err)
	}
	return &AddonSet{
		Name: SetMetricsServer, Title: "metrics-server", Objects: objects,
		Images: []images.Image{image}, Placement: onControlPlanes(),
	}, placeObjects(objects, onControlPlanes())
}

func ingressSet(wish State) (*AddonSet, error) {
	wanted := wish.Cluster.Addons.Ingress
	if wanted == nil {
		return nil, nil
	}
	image, err := wish.addonImage(imageTraefik)
	if err != nil {
		return nil, err
	}
	objects, err := templates.Traefik(templates.TraefikOptions{
		Image: image.To, HostNetwork: wanted.HostNetwork, Placement: templatePlacement(wanted.Placement),
	})
	if err != nil {
		return nil, fmt.Errorf("render the ingress controller: %w", err)
	}
	return &AddonSet{
		Name: SetIngress, Title: "the ingress controller " + wanted.Controller, Objects: objects,
		Images: []images.Image{image}, Placement: wanted.Placement,
	}, nil
}

// manifestSet reads one of the user's manifests and makes the edits that the inventory asks for.
func manifestSet(ctx context.Context, wish State, source manifests.Source, m inventory.Manifest) (AddonSet, error) {
	set := AddonSet{Name: m.Name, Title: "the manifest " + m.Name, Placement: m.Placement}
	text, err := source.Load(ctx, m)
	if err != nil {
		return set, err
	}
	result, err := images.RewriteStream(text.Content, rewriteOptions(wish.Cluster, wish.Rules))
	if err != nil {
		return set, fmt.Errorf("rewrite images of %s: %w", text.Origin, err)
	}
	set.Images, set.Suspects = result.Images, result.Suspects
	objects, err := manifests.Objects(text.Origin, result.Text)
	if err != nil {
		return set, err
	}
	set.Objects = manifests.Order(objects)
	for _, item := range set.Objects {
		err := templates.EditPods(item, templates.PodEdits{
			HostNetwork: m.HostNetwork, Placement: templatePlacement(m.Placement), ImagePullPolicy: m.ImagePullPolicy,
		})
		if err != nil {
			return set, fmt.Errorf("edit %s: %w", object.Key(item), err)
		}
	}
	return set, nil
}

func templatePlacement(p inventory.Placement) templates.Placement {
	return templates.Placement{On: p.On, NodeSelector: p.NodeSelector}
}

func placeObjects(objects []map[string]any, placement inventory.Placement) error {
	for _, item := range objects {
		if err := templates.EditPods(item, templates.PodEdits{Placement: templatePlacement(placement)}); err != nil {
			return fmt.Errorf("place %s: %w", object.Key(item), err)
		}
	}
	return nil
}

// label sets a label of an object.
func label(object map[string]any, key, value string) {
	metadata, _ := object["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	if labels == nil {
		labels = map[string]any{}
		metadata["labels"] = labels
	}
	labels[key] = value
}

// HasBundle says that the inventory names a bundle.
func (w State) HasBundle() bool { return w.Bundle.SchemaVersion > 0 }

// addonImage is the image whose repository ends in name, of the bundle if there is one, with
// the name it is used by.
func (w State) addonImage(name string) (images.Image, error) {
	from := ImageNamed(w.Bundle, name)
	if !w.HasBundle() {
		from = namedImage(upstreamAddonImages(), name)
	}
	if from == "" {
		return images.Image{}, errNotBundled // preflight reports it
	}
	to, err := w.Rules.Rewrite(from)
	return images.Image{From: from, To: to}, err
}

// ImageNamed is the reference of the bundle's image whose repository ends in name.
func ImageNamed(manifest bundle.Manifest, name string) string {
	references := make([]string, len(manifest.Images))
	for i, image := range manifest.Images {
		references[i] = image.Name
	}
	return namedImage(references, name)
}

func namedImage(references []string, name string) string {
	for _, reference := range references {
		repository, _, _ := strings.Cut(path.Base(reference), ":")
		if repository == name {
			return reference
		}
	}
	return ""
}
