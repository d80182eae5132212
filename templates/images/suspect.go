package images

import (
	"slices"
	"strings"
)

// Suspect is a string that looks like an image and was left alone, because only
// its author knows. Unless it is a Field, listed in Options.Known it would be rewritten where it is an
// argument, an environment variable or a value of a ConfigMap.
type Suspect struct {
	Value  string // the image, without the --flag= before it
	Line   int    // from 1
	Path   string // spec.template.spec.containers[0].args[2]
	Object string // Deployment kube-system/x
	// Field says that it is in a field that is none of those where Options.Known is looked for.
	Field bool
}

// imageWords end the names of fields, flags and environment variables whose value
// is an image, written small and without separators: RELATED_IMAGE is relatedimage.
func imageWords() []string {
	return []string{"image", "images", "imagename", "imageref", "imagereference"}
}

// imageField says that a field is called image, imageName, sidecarImage or alike.
func imageField(name string) bool {
	plain := strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "").Replace(name))
	return slices.ContainsFunc(imageWords(), func(word string) bool { return strings.HasSuffix(plain, word) }) ||
		strings.HasPrefix(plain, "relatedimage") // what operator-sdk calls the variables of an operator's images
}

// suspicion finds the image that a value may be. Enough is:
//   - a reference with its registry written out, and a tag or a digest;
//   - a reference with its registry written out, or with a namespace and a tag or a
//     digest, in a value whose name says image;
//   - a mere repository in a field of an object whose name says image.
//
// Everything else that is valid as a reference is too common: words, host:port,
// address/bits. URLs, paths, version ranges, quantities and e-mail addresses are no
// references or have no registry.
func suspicion(u use) (string, bool) {
	value, field, bare := u.node.Value, u.at.field, u.role == roleOther
	if name, rest, ok := splitFlag(value); ok {
		value, field, bare = rest, name, false
	}
	r, err := parse(value)
	if err != nil {
		return "", false
	}
	version, domain := r.version() != "", spellsDomain(value)
	named := imageField(field)
	return value, domain && version || named && (bare || version && strings.Contains(value, "/") || domain)
}

// splitFlag splits "--name=value".
func splitFlag(s string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(s, "=")
	return name, value, ok && strings.HasPrefix(name, "-") && !strings.ContainsAny(s, " \t\r\n")
}

// suspect says whether a use is one.
func (o Options) suspect(u use) (Suspect, bool) {
	if u.key || u.role == roleImage || u.role == roleMetadata || u.node.Tag != "!!str" || secret(u.object) {
		return Suspect{}, false
	}
	value, ok := suspicion(u)
	if !ok {
		return Suspect{}, false
	}
	if r, err := parse(value); err != nil || o.Rules.atTarget(r) {
		return Suspect{}, false
	}
	return Suspect{Value: value, Line: u.at.line, Path: u.at.path, Object: u.object.String(), Field: u.role == roleOther}, true
}
