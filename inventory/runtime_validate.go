package inventory

import (
	"maps"
	"net/url"
	"slices"
)

// checkRuntime looks at what the keys below runtime say together, and at what other
// keys say of the same registries.
func (doc *document) checkRuntime() {
	path := []string{"runtime"}
	doc.checkInsecure(at(path, "insecureRegistries"))
	doc.checkMirrorURLs(at(path, "mirrors"))
	r := doc.cluster.Runtime
	switch {
	case r.CRISocket != "":
		doc.checkForeign()
	case r.Repository.URL != "" && r.Name == RuntimeContainerd && doc.cluster.Kubernetes.Source == SourceBundle:
		doc.fault(at(path, "repository"), "has no effect with source: bundle, as containerd comes from the bundle too; remove it")
	}
}

func (doc *document) checkInsecure(path []string) {
	hosts := doc.cluster.Runtime.InsecureRegistries
	doc.checkDistinct(path, hosts)
	registries := []string{"images", "registries"}
	for i, r := range doc.cluster.Images.Registries {
		there := index(registries, i)
		k := slices.Index(hosts, r.Host)
		if k < 0 || r.Host == "" || r.PlainHTTP || doc.faulty(at(there, "plainHTTP")) {
			continue
		}
		mending := "write plainHTTP: true there"
		if r.CA != "" {
			mending += " in place of ca"
		}
		doc.fault(index(path, k), "%s is reached over TLS by %s; %s, or remove it here", r.Host, pathString(there), mending)
	}
}

func (doc *document) checkMirrorURLs(path []string) {
	mirrors := doc.cluster.Runtime.Mirrors
	also := map[string]string{} // registry to the path of its first mirror below images
	for i, r := range doc.cluster.Images.Registries {
		for k, m := range r.Mirrors {
			if also[m.Of] == "" {
				also[m.Of] = pathString(index(at(index([]string{"images", "registries"}, i), "mirrors"), k))
			}
		}
	}
	for _, registry := range slices.Sorted(maps.Keys(mirrors)) {
		here := at(path, registry)
		doc.checkDistinct(here, mirrors[registry])
		doc.checkDockerMirrors(here, registry, mirrors[registry])
		if there := also[registry]; there != "" {
			doc.fault(here, "%s gets a mirror by %s too; use one of the two", registry, there)
		}
	}
}

// checkDockerMirrors applies Docker Engine's own rule for registry-mirrors.
func (doc *document) checkDockerMirrors(path []string, registry string, mirrors []string) {
	if doc.cluster.Runtime.Name != RuntimeDocker || registry != "docker.io" {
		return
	}
	for i, mirror := range mirrors {
		if at, err := url.Parse(mirror); err == nil && at.Path != "" {
			doc.fault(index(path, i), "has a path, which Docker Engine does not take; use the mirror's root, or runtime.name: containerd")
		}
	}
}

// checkDistinct reports strings that a list has twice.
func (doc *document) checkDistinct(path []string, list []string) {
	first := map[string]string{}
	for i, s := range list {
		here := index(path, i)
		if taken, is := first[s]; is {
			doc.fault(here, "is the same as %s", taken)
		} else if s != "" {
			first[s] = pathString(here)
		}
	}
}

// checkForeign reports what fairlead would have to install or to configure in a
// runtime that the user installed. images.registries is welcome: with it fairlead
// itself looks whether images can be had, and copies them.
func (doc *document) checkForeign() {
	c := doc.cluster
	runtime, images := []string{"runtime"}, []string{"images"}
	const alone, there = "remove this key", "set this up there and remove the key"
	foreign := func(given bool, path []string, mending string) {
		if given {
			doc.fault(path, "fairlead does not configure a runtime that it has not installed: %s, or remove runtime.criSocket", mending)
		}
	}
	foreign(c.Runtime.Name == RuntimeDocker, at(runtime, "name"), alone)
	foreign(c.Runtime.Repository.URL != "", at(runtime, "repository"), alone)
	foreign(c.Runtime.InsecureRegistries != nil, at(runtime, "insecureRegistries"), there)
	foreign(c.Runtime.Mirrors != nil, at(runtime, "mirrors"), there)
	foreign(c.Images.Host != "", at(images, "host"), alone)
}
