package desired

import (
	"slices"

	"fairlead/provision/registry"
	"fairlead/templates/images"
)

// MirrorItems are what is copied to a registry: from the bundle, and from origins by their
// domain. elsewhere are needs that hosts do not look for there.
func (w State) MirrorItems(to string) (bundled []registry.Item, origins map[string][]registry.Item, elsewhere []ImageNeed, err error) {
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

// mirrorItem says where hosts look for an image in a registry, if they do at all.
func (w State) mirrorItem(need ImageNeed, to string) (item registry.Item, wanted bool, err error) {
	name, err := images.Parse(need.Name)
	if err != nil {
		return item, false, err
	}
	places, _ := w.Endpoints(name.Domain)
	i := slices.IndexFunc(places, func(e Endpoint) bool { return e.Host == registry.Origin(to) && !e.own })
	if i < 0 {
		return item, false, nil
	}
	return registry.Item{Repository: places[i].Repository(name.Path), Tag: name.Tag}, true, nil
}

// Origin is how to reach the registry of that name itself.
func (w State) Origin(domain string) registry.Endpoint {
	for _, r := range w.Registries {
		if sameRegistry(r.Host, domain) {
			return r.endpoint()
		}
	}
	return registry.Endpoint{Host: registry.Origin(domain)}
}
