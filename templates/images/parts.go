package images

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// parts is an image that is written into several fields of one mapping, as the values of charts
// and many custom resources have it: {registry, repository, tag}.
type parts struct {
	// registry, tag and digest may be nil; repository and last are not both. The lead is the one
	// of these two that is there, repository if both are.
	registry, repository, last, tag, digest *yaml.Node

	lead   *yaml.Node
	at     place  // of the mapping
	holder string // its form
}

// noteParts notes the parts of an image with each of their scalars.
func (w *walker) noteParts(n *yaml.Node, at place) {
	parts := w.findParts(n, at)
	if parts == nil || inMetadata(at) {
		return
	}
	for _, part := range parts.all() {
		w.parts[part] = parts
	}
}

// findParts looks for an image in the fields of a mapping. There must be a name without a version,
// and a version beside it.
func (w *walker) findParts(n *yaml.Node, at place) *parts {
	field := func(names ...string) *yaml.Node {
		for _, p := range w.pairs(n) {
			value := resolve(p.value)
			if value.Kind == yaml.ScalarNode && value.Value != "" && value.Tag != "!!null" && slices.Contains(names, resolve(p.key).Value) {
				return value
			}
		}
		return nil
	}
	p := &parts{
		registry:   field("registry", "imageRegistry"),
		repository: field("repository", "repo", "imageRepository"),
		last:       field("image", "imageName"),
		tag:        field("tag", "imageTag", "version"),
		digest:     field("digest", "imageDigest", "sha"),
		at:         at, holder: at.form,
	}
	if name := field("name"); p.repository == nil && p.last == nil && name != nil && spellsDomain(name.Value) {
		p.repository = name
	}
	if p.lead = p.repository; p.lead == nil {
		p.lead = p.last
	}
	if !p.complete() {
		return nil
	}
	return p
}

// complete says that the parts make an image.
func (p *parts) complete() bool {
	if p.lead == nil || p.tag == nil && p.digest == nil {
		return false
	}
	name, errName := parse(p.name())
	_, err := parse(p.reference())
	return errName == nil && err == nil && name.version() == ""
}

// nodes are the scalars that name the image.
func (p *parts) nodes() []*yaml.Node { return there(p.registry, p.repository, p.last) }

// all are those and its version.
func (p *parts) all() []*yaml.Node { return there(p.registry, p.repository, p.last, p.tag, p.digest) }

func there(nodes ...*yaml.Node) []*yaml.Node {
	return slices.DeleteFunc(nodes, func(n *yaml.Node) bool { return n == nil })
}

// name is the image without its version.
func (p *parts) name() string {
	var segments []string
	for _, n := range p.nodes() {
		segments = append(segments, strings.Trim(n.Value, "/"))
	}
	return strings.Join(segments, "/")
}

// reference is the whole image. What is no tag is left out: a version may be that of something else.
func (p *parts) reference() string {
	ref := p.name()
	if p.tag != nil && regexp.MustCompile(`^\w[-\w.]*$`).MatchString(p.tag.Value) {
		ref += ":" + p.tag.Value
	}
	if p.digest != nil && strings.Contains(p.digest.Value, ":") {
		ref += "@" + p.digest.Value
	}
	return ref
}

// renamed are the values of the fields by which the image has another name.
func (p *parts) renamed(to Reference) map[*yaml.Node]string {
	values := map[*yaml.Node]string{}
	name := to.name()
	if p.registry != nil {
		values[p.registry], name = to.Domain, to.Path
	}
	switch i := strings.LastIndexByte(name, '/'); {
	case p.repository == nil:
		values[p.last] = name
	case p.last == nil:
		values[p.repository] = name
	case i < 0:
		values[p.repository], values[p.last] = "", name
	default:
		values[p.repository], values[p.last] = name[:i], name[i+1:]
	}
	return values
}
