package desired

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/bundle"
	"fairlead/templates"
	"fairlead/templates/images"
)

// ImageNeed is an image and the hosts that need it.
type ImageNeed struct {
	Origin string // the name that its makers gave it
	Name   string // the name by which the cluster uses it
	// Hosts are the names of the hosts that need it. With Anywhere its pods may come to any
	// of them, or to none.
	Hosts    []string
	Anywhere bool
	// Bundled is the image in the bundle, nil when it is not there.
	Bundled *bundle.Image
	// For is what needs it: "kubernetes", or the name of an add-on.
	For string
	// Pulled says that the hosts' runtimes get it from a registry; others are imported from
	// the bundle.
	Pulled bool
}

// imageNeeds lists the images of Kubernetes, then those of the add-ons.
func imageNeeds(wish State) ([]ImageNeed, error) {
	needs, err := kubernetesNeeds(wish)
	if err != nil {
		return nil, err
	}
	for _, set := range wish.Addons {
		for _, image := range set.Images {
			needs = addNeed(needs, addonNeed(wish, set, image))
		}
	}
	if needs, err = extraNeeds(wish, needs); err != nil {
		return nil, err
	}
	for i, need := range needs {
		needs[i].Pulled = need.Bundled == nil || need.Name != need.Origin || wish.Cluster.Images.Host != "" || wish.ForeignRuntime()
	}
	return needs, nil
}

// extraNeeds adds the images that images.extra names: what runs them may be made by an operator,
// of which no manifest tells.
func extraNeeds(wish State, needs []ImageNeed) ([]ImageNeed, error) {
	for _, extra := range wish.Cluster.Images.Extra {
		if extra.Reference == "" {
			continue
		}
		to, err := wish.Rules.Rewrite(extra.Reference)
		if err != nil {
			return nil, fmt.Errorf("images.extra: %w", err)
		}
		from, err := images.Normal(extra.Reference)
		if err != nil {
			return nil, fmt.Errorf("images.extra: %w", err)
		}
		needs = addNeed(needs, addonNeed(wish, AddonSet{Name: "images.extra"}, images.Image{From: from, To: to}))
	}
	return needs, nil
}

// kubernetesNeeds are the images that the hosts' roles need.
func kubernetesNeeds(wish State) ([]ImageNeed, error) {
	unwanted := ""
	if wish.Cluster.Addons.Network.Name == inventory.NetworkNone {
		unwanted = ImageNamed(wish.Bundle, imageFlannel)
	}
	all := wish.Bundle.Images
	if !wish.HasBundle() {
		all = upstreamImages(wish.Cluster)
	}
	var needs []ImageNeed
	for _, image := range all {
		if len(image.Roles) == 0 || image.Name == unwanted {
			continue // an add-on's is listed if that is wanted
		}
		name, err := wish.Rules.Rewrite(image.Name)
		if err != nil {
			return nil, fmt.Errorf("image %s of Kubernetes: %w", image.Name, err)
		}
		need := ImageNeed{Origin: image.Name, Name: name, For: "kubernetes"}
		if wish.HasBundle() {
			need.Bundled = &image
		}
		for _, host := range wish.Cluster.Hosts() {
			if slices.Contains(image.Roles, string(host.Role)) {
				need.Hosts = append(need.Hosts, host.Name)
			}
		}
		needs = append(needs, need)
	}
	return needs, nil
}

// addNeed adds a need, or its hosts to the one for the same image.
func addNeed(needs []ImageNeed, need ImageNeed) []ImageNeed {
	i := slices.IndexFunc(needs, func(n ImageNeed) bool { return n.Name == need.Name })
	if i < 0 {
		return append(needs, need)
	}
	known := map[string]bool{}
	for _, host := range needs[i].Hosts {
		known[host] = true
	}
	for _, host := range need.Hosts {
		if !known[host] {
			needs[i].Hosts = append(needs[i].Hosts, host)
		}
	}
	return needs
}

func addonNeed(wish State, set AddonSet, image images.Image) ImageNeed {
	need := ImageNeed{Origin: image.From, Name: image.To, For: set.Name}
	if name, err := images.Normal(image.To); err == nil {
		need.Name = name // as the hosts' runtimes call it, and the bundle
	}
	for _, bundled := range wish.Bundle.Images {
		if images.Same(bundled.Name, image.From) {
			need.Origin, need.Bundled = bundled.Name, &bundled
		}
	}
	// A manifest's pods may select their nodes in ways that are not known here.
	need.Anywhere = need.Bundled == nil
	need.Hosts = Placed(wish.Cluster, set.Placement)
	return need
}

// Placed are the names of the hosts on whose nodes pods of a placement may run.
func Placed(cluster *inventory.Cluster, placement inventory.Placement) []string {
	var names []string
	for _, host := range cluster.Hosts() {
		controlPlane := host.Role == inventory.RoleControlPlane
		fits := true
		switch placement.On {
		case inventory.PlaceControlPlane:
			fits = controlPlane
		case inventory.PlaceWorkers:
			fits = !controlPlane
		}
		for key, value := range placement.NodeSelector {
			is, labelled := host.Labels[key]
			fits = fits && labelled && is == value
		}
		if fits {
			names = append(names, host.Name)
		}
	}
	return names
}

// Imported are the images of the bundle that fairlead brings to the host. Whoever asks for all
// hosts takes ImportedByHost.
func (w State) Imported(host string) []bundle.Image {
	var imported []bundle.Image
	for _, need := range w.Needs {
		if slices.Contains(need.Hosts, host) && !need.Pulled {
			imported = append(imported, *need.Bundled)
		}
	}
	return imported
}

// ImportedByHost are the images of the bundle that fairlead brings to each host.
func (w State) ImportedByHost() map[string][]bundle.Image {
	imported := map[string][]bundle.Image{}
	for _, need := range w.Needs {
		if need.Pulled {
			continue
		}
		for _, host := range need.Hosts {
			imported[host] = append(imported[host], *need.Bundled)
		}
	}
	return imported
}

// KubeadmImages works out from which repositories kubeadm takes its images. The problem is
// not empty when the rules ask for names that kubeadm cannot be told: it has one repository,
// but for etcd and CoreDNS, and below it the images' own last names (cmd/kubeadm/app/images).
func KubeadmImages(wish State) (names templates.KubeadmImages, problem string) {
	folders, problem := kubeadmFolders(wish)
	if problem != "" {
		return names, problem
	}
	repository, bundled := folders["kube-apiserver"]
	if !bundled {
		return names, "" // preflight has reported it
	}
	for _, base := range slices.Sorted(maps.Keys(folders)) {
		if folder := folders[base]; folder != repository && base != "etcd" && base != "coredns" {
			return names, fmt.Sprintf("images.rewrite puts %s into %s and kube-apiserver into %s: kubeadm takes them from one repository", base, folder, repository)
		}
	}
	return repositories(repository, folders["coredns"], folders["etcd"]), ""
}

// kubeadmFolders are the repositories of the images that kubeadm names, by their last names.
func kubeadmFolders(wish State) (folders map[string]string, problem string) {
	folders = map[string]string{}
	for _, need := range wish.Needs {
		base := imageBase(need.Origin)
		if !slices.Contains(kubeadmBases(), base) || !strings.HasPrefix(need.Origin, upstreamRepository+"/") {
			continue
		}
		if base != imageBase(need.Name) {
			return nil, fmt.Sprintf("images.rewrite makes %s of %s: kubeadm wants its images under their own last names", need.Name, need.Origin)
		}
		folders[base] = imageFolder(need.Name)
	}
	if !wish.HasBundle() {
		for _, origin := range []string{upstreamRepository + "/etcd", upstreamRepository + "/coredns/coredns"} {
			name, err := wish.Rules.Rewrite(origin)
			if err != nil {
				return nil, fmt.Sprintf("images.rewrite of %s: %v", origin, err)
			}
			folders[imageBase(origin)] = imageFolder(name)
		}
	}
	return folders, ""
}

// repositories leaves out what kubeadm chooses by itself: all in one repository, but upstream's
// CoreDNS in a folder of its own. An empty one stands for an image that is not there.
func repositories(repository, coreDNS, etcd string) templates.KubeadmImages {
	var names templates.KubeadmImages
	usual := upstreamRepository + "/coredns"
	if repository != upstreamRepository {
		names.Repository, usual = repository, repository
	}
	if coreDNS != usual {
		names.CoreDNSRepository = coreDNS
	}
	if etcd != repository {
		names.EtcdRepository = etcd
	}
	return names
}

const upstreamRepository = "registry.k8s.io"

// kubeadmBases are the last names of the images that kubeadm names itself.
func kubeadmBases() []string {
	return []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "pause", "etcd", "coredns"}
}

// imageBase is the last path element of a reference, without tag and digest.
func imageBase(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	base, _, _ := strings.Cut(path.Base(name), ":")
	return base
}

// imageFolder is a reference without its last path element.
func imageFolder(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	return path.Dir(name)
}

// pulledDomains are the registries from which hosts pull, sorted.
func (w State) pulledDomains() []string {
	domains := map[string]bool{}
	for _, need := range w.Needs {
		if need.Pulled {
			if domain, err := images.Domain(need.Name); err == nil {
				domains[domain] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(domains))
}
