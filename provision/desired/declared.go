package desired

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"fairlead/inventory"
)

// dockerHub is the registry of names that name none.
const dockerHub = "docker.io"

// declaredRegistries are images.registries, and what runtime.insecureRegistries and
// runtime.mirrors say in other words.
func declaredRegistries(cluster *inventory.Cluster) []inventory.Registry {
	all := slices.Clone(cluster.Images.Registries)
	named := func(host string, plainHTTP bool) *inventory.Registry {
		i := slices.IndexFunc(all, func(r inventory.Registry) bool { return sameRegistry(r.Host, host) && r.PlainHTTP == plainHTTP })
		if i < 0 {
			all = append(all, inventory.Registry{Host: host, PlainHTTP: plainHTTP})
			i = len(all) - 1
		}
		return &all[i]
	}
	for _, host := range cluster.Runtime.InsecureRegistries {
		named(host, true)
	}
	for _, of := range slices.Sorted(maps.Keys(cluster.Runtime.Mirrors)) {
		for _, mirror := range cluster.Runtime.Mirrors[of] {
			at, err := url.Parse(mirror)
			if err != nil {
				continue // the inventory has refused it
			}
			registry := named(at.Host, at.Scheme == "http")
			registry.Mirrors = append(slices.Clone(registry.Mirrors), inventory.Mirror{Of: of, Path: strings.Trim(at.Path, "/")})
		}
	}
	return all
}
