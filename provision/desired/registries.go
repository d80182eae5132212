package desired

import (
	"net"
	"slices"
	"strconv"

	"fairlead/inventory"
	"fairlead/provision/registry"
	"fairlead/templates"
	"fairlead/templates/images"
)

// Endpoint is one place from which hosts may get the images of a registry.
type Endpoint struct {
	registry.Endpoint
	prefix string // of repositories
	own    bool   // fairlead's own registry
}

// Repository is where the endpoint keeps an image that is named by its registry's path.
func (e Endpoint) Repository(path string) string {
	if e.prefix == "" {
		return path
	}
	return e.prefix + "/" + path
}

// OwnRegistry is the address of fairlead's own registry; empty without one.
func (w State) OwnRegistry() string {
	if w.Cluster.Images.Host == "" {
		return ""
	}
	host, ok := w.Cluster.Host(w.Cluster.Images.Host)
	if !ok {
		return ""
	}
	return net.JoinHostPort(host.Address.String(), strconv.Itoa(templates.RegistryPort))
}

// OwnRepository is where fairlead's own registry keeps an image: under its path if the image
// is named by that registry, else below the name of the registry that it is named by.
func (w State) OwnRepository(reference string) (repository, tag string, err error) {
	name, err := images.Parse(reference)
	if err != nil {
		return "", "", err
	}
	if name.Domain == w.OwnRegistry() {
		return name.Path, name.Tag, nil
	}
	return name.Domain + "/" + name.Path, name.Tag, nil
}

// Endpoints are the places from which hosts try to get images named by domain, in order.
// configured says that the inventory speaks of the domain.
func (w State) Endpoints(domain string) (places []Endpoint, configured bool) {
	own := w.OwnRegistry()
	switch {
	case own == "":
	case own == domain:
		return []Endpoint{{Endpoint: registry.Endpoint{Host: own}, own: true}}, true
	case slices.Contains(w.pulledDomains(), domain) && w.fills(domain):
		places = append(places, Endpoint{Endpoint: registry.Endpoint{Host: own}, prefix: domain, own: true})
	}
	for _, r := range w.Registries {
		for _, mirror := range r.Mirrors {
			if sameRegistry(mirror.Of, domain) {
				places = append(places, Endpoint{Endpoint: r.endpoint(), prefix: mirror.Path})
			}
		}
	}
	configured = len(places) > 0 || slices.ContainsFunc(w.Cluster.Images.Rewrite, func(rule inventory.RewriteRule) bool {
		target, err := images.Domain(rule.To + "/x")
		return err == nil && sameRegistry(target, domain)
	})
	for _, r := range w.Registries {
		if sameRegistry(r.Host, domain) {
			return append(places, Endpoint{Endpoint: r.endpoint()}), true
		}
	}
	return append(places, Endpoint{Endpoint: registry.Endpoint{Host: registry.Origin(domain)}}), configured
}

// fills says that fairlead puts images named by domain into its own registry.
func (w State) fills(domain string) bool {
	return slices.ContainsFunc(w.Needs, func(need ImageNeed) bool {
		is, err := images.Domain(need.Name)
		return err == nil && is == domain && need.Bundled != nil
	})
}

// sameRegistry says that two names are those of one registry.
func sameRegistry(a, b string) bool { return registry.Name(a) == registry.Name(b) }

func (r Registry) endpoint() registry.Endpoint {
	return registry.Endpoint{Host: registry.Origin(r.Host), PlainHTTP: r.PlainHTTP, CA: r.CAPEM, User: r.User, Password: r.Password}
}

// RegistryFiles are containerd's files that say how to reach registries. The one with fairlead's
// own CA is not among them: that CA is made on its host.
func (w State) RegistryFiles() []templates.HostFile {
	var files []templates.HostFile
	for _, r := range w.Registries {
		if r.CAPEM != nil {
			files = append(files, templates.HostFile{Path: CAFile(r.Host), Mode: 0o644, Content: r.CAPEM})
		}
	}
	for _, domain := range w.configuredDomains() {
		places, _ := w.Endpoints(domain)
		origin := len(places) - 1
		var mirrors []templates.RegistryEndpoint
		for _, place := range places[:origin] {
			mirrors = append(mirrors, templateEndpoint(place))
		}
		files = append(files, templates.RegistryHosts(domain, templateEndpoint(places[origin]), mirrors))
	}
	return files
}

// configuredDomains are the registries for which containerd needs a file.
func (w State) configuredDomains() []string {
	var domains []string
	add := func(domain string) {
		if domain != "" && !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	add(w.OwnRegistry())
	for _, r := range w.Registries {
		add(r.Host)
		for _, mirror := range r.Mirrors {
			add(mirror.Of)
		}
	}
	if w.OwnRegistry() != "" {
		for _, domain := range w.pulledDomains() {
			if w.fills(domain) {
				add(domain)
			}
		}
	}
	// Images can be named by the host that serves Docker Hub, and are looked for under that name.
	for _, domain := range w.pulledDomains() {
		if slices.ContainsFunc(domains, func(known string) bool { return sameRegistry(known, domain) }) {
			add(domain)
		}
	}
	slices.Sort(domains)
	return domains
}

func templateEndpoint(e Endpoint) templates.RegistryEndpoint {
	scheme := "https://"
	if e.PlainHTTP {
		scheme = "http://"
	}
	made := templates.RegistryEndpoint{URL: scheme + e.Host, Path: e.prefix}
	if e.own || e.CA != nil {
		made.CAFile = CAFile(e.Host)
	}
	return made
}

// CAFile is where a registry's CA lies on every host.
func CAFile(host string) string {
	return templates.RegistryCertsFolder + "/" + registry.Name(host) + "/ca.crt"
}

// Credentials are those that containerd gets for pulling. It looks for them by the host that it
// talks to, which is not what images call Docker Hub.
func (w State) Credentials() []templates.RegistryCredential {
	var all []templates.RegistryCredential
	for _, r := range w.Registries {
		if r.User != "" {
			all = append(all, templates.RegistryCredential{Host: registry.Origin(r.Host), User: r.User, Password: r.Password})
		}
	}
	return all
}
