package inventory

import (
	"path"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// Runtime says which container runtime the hosts get, and how it reaches registries.
type Runtime struct {
	Name       string     // RuntimeContainerd or RuntimeDocker
	Repository Repository // of its packages; default: DefaultRuntimeRepository
	// InsecureRegistries names registries that speak plain HTTP. It is nil when the key
	// is left out, and empty but not nil for an empty list.
	InsecureRegistries []string
	// Mirrors maps a registry, host[:port], to the URLs of its mirrors, which are tried
	// in this order and have no slash at the end. It is nil when the key is left out, and
	// empty but not nil for an empty mapping.
	Mirrors map[string][]string
	// CRISocket is unix:// and the absolute path of the socket of a runtime that the user
	// installed; "": fairlead installs and configures one.
	CRISocket string
}

func runtimeFields() []field[Runtime] {
	return []field[Runtime]{
		{"name", false, func(d *decoder, n *yaml.Node, p []string, r *Runtime) {
			r.Name = d.oneOf(n, p, []string{RuntimeContainerd, RuntimeDocker})
		}},
		{"repository", false, func(d *decoder, n *yaml.Node, p []string, r *Runtime) {
			r.Repository = d.repository(n, p, runtimeRepositoryProblem)
		}},
		{"insecureRegistries", false, func(d *decoder, n *yaml.Node, p []string, r *Runtime) {
			r.InsecureRegistries = d.each(n, p, renamed(registryNamed, registryProblem))
			for i, name := range r.InsecureRegistries {
				r.InsecureRegistries[i] = registryNamed(name)
			}
		}},
		{"mirrors", false, func(d *decoder, n *yaml.Node, p []string, r *Runtime) { r.Mirrors = d.mirrorURLs(n, p) }},
		{"criSocket", false, func(d *decoder, n *yaml.Node, p []string, r *Runtime) {
			if s := d.matching(n, p, socketProblem); s != "" {
				r.CRISocket = unixScheme + strings.TrimPrefix(s, unixScheme)
			}
		}},
	}
}

// each reads a list of strings in which the rule finds no problem; it is never nil. As
// in hosts, what cannot be read keeps its place.
func (d *decoder) each(node *yaml.Node, path []string, rule func(string) string) []string {
	all := []string{}
	for i, item := range d.items(node, path) {
		all = append(all, d.matching(item, index(path, i), rule))
	}
	return all
}

// mirrorURLs reads a mapping of registries to lists of URLs; it is never nil.
func (d *decoder) mirrorURLs(node *yaml.Node, path []string) map[string][]string {
	all := map[string][]string{}
	entries, _ := d.entries(node, path)
	for _, e := range entries {
		here, registry := at(path, e.key), registryNamed(e.key)
		if problem := registryProblem(registry); problem != "" {
			if strings.Contains(e.key, "@") {
				here = path // as a path repeats the key, in which a password may stand
			}
			d.faultOn(e.node, here, "the registry %s", problem)
			continue
		}
		if _, twice := all[registry]; twice {
			d.faultOn(e.node, here, "is another name of %s, which has its mirrors already; put them into one list", registry)
			continue
		}
		urls := d.each(e.value, here, mirrorProblem)
		if len(urls) == 0 && !d.faulty(here) {
			d.fault(here, "must have at least one URL; a registry without mirrors needs no key here")
		}
		for i := range urls {
			urls[i] = strings.TrimRight(urls[i], "/")
		}
		all[registry] = urls
	}
	return all
}

func mirrorProblem(s string) string { return webProblem(s, "https://mirror.example") }

const unixScheme = "unix://"

// socketProblem says what is wrong with the path of a socket, with or without unix://.
func socketProblem(s string) string {
	bare := strings.TrimPrefix(s, unixScheme)
	switch {
	case !regexp.MustCompile(`^/[A-Za-z0-9/._@+-]+$`).MatchString(bare):
		return "must be unix:// and the absolute path of a socket, such as unix:///run/crio/crio.sock"
	case path.Clean(bare) != bare:
		return "write the path in its shortest form: " + unixScheme + path.Clean(bare)
	}
	return ""
}
