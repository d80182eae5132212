package inventory

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// Images says where images come from, and under which names.
type Images struct {
	Rewrite []RewriteRule // in file order
	// Extra says what is an image also where manifests have it outside of pods' image fields:
	// in arguments, environment variables, ConfigMaps and custom resources.
	Extra      []ExtraImage
	Registries []Registry
	Host       string // name of the host on which fairlead runs a registry; "" without one
}

// ExtraImage names an image by its reference, or the fields that hold images by their place.
type ExtraImage struct {
	Reference string // "" where a place is named
	// Group, Version and Kind are those of the objects; "" is any. Path leads to the field, with /
	// between its keys, as in kustomize's field specs.
	Group, Version, Kind, Path string
}

// RewriteRule moves the images below one registry path to another. Both are
// registry[/path], without scheme, tag and digest.
type RewriteRule struct{ From, To string }

// Registry says how one registry is reached. Paths are absolute; "" where nothing
// was given.
type Registry struct {
	Host         string // host[:port], as it stands in the names of images
	PlainHTTP    bool   // the registry speaks HTTP without TLS
	CA           string // path of a PEM file on the laptop; "": the system's CAs
	User         string // comes with PasswordFile or AskPassword
	PasswordFile string
	AskPassword  bool // the user types the password
	// Mirrors lists the registries whose images this one serves under their own
	// names, each once.
	Mirrors []Mirror
}

// Mirror names a registry whose images another one serves.
type Mirror struct {
	Of   string // host[:port] of the registry: docker.io, registry.k8s.io
	Path string // the path under which the other registry keeps the images; "" for none
}

func imagesFields() []field[Images] {
	return []field[Images]{
		{"rewrite", false, func(d *decoder, n *yaml.Node, p []string, i *Images) {
			i.Rewrite = list(d, n, p, "{from: registry.k8s.io, to: registry.lab:5000/k8s}", rewriteFields())
		}},
		{"extra", false, func(d *decoder, n *yaml.Node, p []string, i *Images) {
			i.Extra = d.extraImages(n, p)
		}},
		{"registries", false, func(d *decoder, n *yaml.Node, p []string, i *Images) {
			i.Registries = list(d, n, p, "{host: registry.lab:5000, ca: ./ca.crt}", registryFields())
		}},
		{"host", false, func(d *decoder, n *yaml.Node, p []string, i *Images) { i.Host = d.nodeName(n, p) }},
	}
}

// extraImages reads a list of references and places. As in hosts, what cannot be read keeps its place.
func (d *decoder) extraImages(node *yaml.Node, path []string) []ExtraImage {
	var all []ExtraImage
	for i, item := range d.items(node, path) {
		var e ExtraImage
		if here := index(path, i); target(item).Kind == yaml.MappingNode {
			mapping(d, item, here, &e, extraFields())
		} else {
			e.Reference = prefixNamed(d.matching(item, here, renamed(prefixNamed, referenceProblem)))
		}
		all = append(all, e)
	}
	return all
}

func extraFields() []field[ExtraImage] {
	return []field[ExtraImage]{
		{"group", false, func(d *decoder, n *yaml.Node, p []string, e *ExtraImage) {
			e.Group = d.matching(n, p, groupProblem)
		}},
		{"version", false, func(d *decoder, n *yaml.Node, p []string, e *ExtraImage) { e.Version, _ = d.text(n, p) }},
		{"kind", false, func(d *decoder, n *yaml.Node, p []string, e *ExtraImage) { e.Kind, _ = d.text(n, p) }},
		{"path", true, func(d *decoder, n *yaml.Node, p []string, e *ExtraImage) {
			e.Path = d.matching(n, p, fieldPathProblem)
		}},
	}
}

// groupProblem says what is wrong with the group of an API: people write its version behind it.
func groupProblem(s string) string {
	if group, version, has := strings.Cut(s, "/"); has {
		return "must be the group alone; write group: " + group + ", version: " + version
	}
	return ""
}

// fieldPathProblem says what is wrong with the path of a field.
func fieldPathProblem(s string) string {
	switch {
	case strings.Trim(s, "/") == "":
		return "must name a field: spec/image"
	case !strings.Contains(s, "/") && strings.Contains(s, "."):
		return "must have / between its keys: " + strings.ReplaceAll(strings.TrimPrefix(s, "."), ".", "/")
	case strings.Contains(strings.Trim(s, "/"), "//"):
		return "must have one / between its keys"
	}
	return ""
}

func rewriteFields() []field[RewriteRule] {
	return []field[RewriteRule]{
		{"from", true, func(d *decoder, n *yaml.Node, p []string, r *RewriteRule) {
			r.From = d.prefix(n, p)
		}},
		{"to", true, func(d *decoder, n *yaml.Node, p []string, r *RewriteRule) {
			r.To = d.prefix(n, p)
		}},
	}
}

func registryFields() []field[Registry] {
	return []field[Registry]{
		{"host", true, func(d *decoder, n *yaml.Node, p []string, r *Registry) {
			r.Host = d.registry(n, p)
		}},
		{"plainHTTP", false, func(d *decoder, n *yaml.Node, p []string, r *Registry) {
			r.PlainHTTP = d.boolean(n, p)
		}},
		{"ca", false, func(d *decoder, n *yaml.Node, p []string, r *Registry) { r.CA = d.file(n, p) }},
		{"user", false, func(d *decoder, n *yaml.Node, p []string, r *Registry) {
			r.User = d.matching(n, p, registryUserProblem)
		}},
		{"password", false, func(d *decoder, n *yaml.Node, p []string, r *Registry) { d.password(n, p, r) }},
		{"mirrors", false, func(d *decoder, n *yaml.Node, p []string, r *Registry) { r.Mirrors = d.mirrors(n, p) }},
	}
}

// matching reads a string in which the rule finds no problem.
func (d *decoder) matching(node *yaml.Node, path []string, rule func(string) string) string {
	s, ok := d.text(node, path)
	if !ok {
		return ""
	}
	if problem := rule(s); problem != "" {
		d.fault(path, "%s", problem)
		return ""
	}
	return s
}

// registry reads the name of a registry.
func (d *decoder) registry(node *yaml.Node, path []string) string {
	return registryNamed(d.matching(node, path, renamed(registryNamed, registryProblem)))
}

// prefix reads a registry or a path of repositories in it.
func (d *decoder) prefix(node *yaml.Node, path []string) string {
	return prefixNamed(d.matching(node, path, renamed(prefixNamed, prefixProblem)))
}

// registryUserProblem applies the rule of HTTP's basic authentication (RFC 7617
// section 2). What follows a colon may be a password, so it is not repeated.
func registryUserProblem(s string) string {
	if strings.Contains(s, ":") {
		return "must not have a colon; the password has a key of its own"
	}
	return ""
}

// password reads where a password comes from. A password in the file itself may
// stand anywhere below the key, so that no message repeats what is there.
func (d *decoder) password(node *yaml.Node, path []string, into *Registry) {
	const prompt = "prompt"
	n := target(node)
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && n.Value == prompt:
		into.AskPassword = d.count(path, 1)
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Kind == yaml.ScalarNode && n.Content[0].Value == "file":
		mapping(d, node, path, into, passwordFields())
	default:
		d.fault(path, "must be %s or {file: ./password}; a password itself does not belong into this file", prompt)
	}
}

func passwordFields() []field[Registry] {
	return []field[Registry]{
		{"file", true, func(d *decoder, n *yaml.Node, p []string, r *Registry) { r.PasswordFile = d.file(n, p) }},
	}
}

// mirrors reads a list of registries, each a name or a mapping. As in hosts, what
// cannot be read keeps its place.
func (d *decoder) mirrors(node *yaml.Node, path []string) []Mirror {
	var mirrors []Mirror
	for i, item := range d.items(node, path) {
		var m Mirror
		if here := index(path, i); target(item).Kind == yaml.ScalarNode {
			m.Of = d.registry(item, here)
		} else {
			mapping(d, item, here, &m, mirrorFields())
		}
		mirrors = append(mirrors, m)
	}
	return mirrors
}

func mirrorFields() []field[Mirror] {
	return []field[Mirror]{
		{"of", true, func(d *decoder, n *yaml.Node, p []string, m *Mirror) {
			m.Of = d.registry(n, p)
		}},
		{"path", false, func(d *decoder, n *yaml.Node, p []string, m *Mirror) {
			m.Path = d.matching(n, p, repositoryProblem)
		}},
	}
}
