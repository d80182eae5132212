package images

import (
	"slices"
	"strings"
)

// Suspect is a string that looks like an image and was left alone, because only its author knows.
type Suspect struct {
	Value  string // the image, without the --flag= before it
	Line   int    // from 1
	Path   string // spec.template.spec.containers[0].args[2]
	Object string // Deployment kube-system/x
	Mend   string // what to do to have it renamed
}

// imageWords end the names of fields, flags and environment variables whose value
// is an image, written small and without separators: RELATED_IMAGE is relatedimage.
func imageWords() []string {
	return []string{"image", "images", "imagename", "imageref", "imagereference"}
}

// imageField says that a field is called image, imageName, sidecarImage or alike.
func imageField(name string) bool {
	plain := strings.ToLower(name)
	if !strings.Contains(plain, "image") {
		return false
	}
	plain = strings.NewReplacer("-", "", "_", "", ".", "").Replace(plain)
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
	named := imageField(field)
	if !named && !strings.ContainsAny(value, "/:@") {
		return "", false // a word
	}
	r, err := parse(value)
	if err != nil {
		return "", false
	}
	version, domain := r.version() != "", spellsDomain(value)
	return value, domain && version || named && (bare || version && strings.Contains(value, "/") || domain)
}

// splitFlag splits "--name=value".
func splitFlag(s string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(s, "=")
	return name, value, ok && strings.HasPrefix(name, "-") && !strings.ContainsAny(s, " \t\r\n")
}

// suspect says whether the whole of a use is one. Where a rule would rename it, a name that says
// image or registry is enough.
func (o Options) suspect(u use) (Suspect, bool) {
	if u.role == roleNote || secret(u.object) {
		return Suspect{}, false // its parts are looked at
	}
	if value, ok := suspicion(u); ok {
		if r, err := parse(value); err == nil && !o.Rules.atTarget(r) {
			return o.newSuspect(u, value, u.at.line), true
		}
	}
	value, field := u.node.Value, u.at.field
	if name, rest, isFlag := splitFlag(value); isFlag {
		value, field = rest, name
	}
	if !o.renamedIn(u, field, value) {
		return Suspect{}, false
	}
	return o.newSuspect(u, value, u.at.line), true
}

// renamedIn says that a rule would rename a value, of which the field's name says that it names
// images or where they are.
func (o Options) renamedIn(u use, field, value string) bool {
	if imageField(field) || strings.HasSuffix(strings.ToLower(u.at.holder), "images") && u.role == roleOther {
		if r, err := parse(value); err == nil && o.Rules.wouldRename(r) {
			return true
		}
	}
	if !registryField(field) {
		return false
	}
	_, would := o.Rules.prefixed(value)
	return would
}

// suspectParts reports an image in several fields that a rule would rename.
func (e *editor) suspectParts(u use) {
	ref := u.parts.reference()
	if r, err := parse(ref); err == nil && e.options.Rules.wouldRename(r) {
		e.suspects = append(e.suspects, e.options.newSuspect(u, ref, u.at.line))
	}
}

// newSuspect says how the value can be renamed. Of a Secret nothing is shown.
func (o Options) newSuspect(u use, value string, line int) Suspect {
	s := Suspect{Value: value, Line: line, Path: u.at.path, Object: u.object.String(), Mend: "name it in images.extra to have it renamed"}
	r, err := parse(value)
	switch {
	case secret(u.object):
		s.Value, s.Mend = "something (it is not shown)", "rename it by hand: nothing is changed in a Secret"
	case u.role == roleNote:
		s.Mend = "rename it by hand if something reads this annotation"
	case err != nil || r.version() == "" || !spellsDomain(value):
		s.Mend = "name the field in images.extra to have it renamed: " + u.asField().String()
	}
	return s
}

// registryField says that a field is called registry, imageRepository or alike.
func registryField(name string) bool {
	plain := strings.ToLower(name)
	return slices.ContainsFunc([]string{"registry", "repository", "repo"}, func(word string) bool { return strings.HasSuffix(plain, word) })
}
