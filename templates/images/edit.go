package images

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// editor decides what becomes of the uses of scalars in one text.
type editor struct {
	options Options
	known   knownImages
	lines   *lines
	scanner scanner
	depth   int // of texts within texts

	found    map[*yaml.Node]bool // scalars that are images as a whole
	changes  map[*yaml.Node]change
	images   []Image
	suspects []Suspect
}

func newEditor(o Options, known knownImages, text []byte) *editor {
	return &editor{options: o, known: known, lines: newLines(text), scanner: newScanner(), found: map[*yaml.Node]bool{}, changes: map[*yaml.Node]change{}}
}

// within says that the text is one within another. There nothing has to be an image.
func (e *editor) within() bool { return e.depth > 0 }

// edit decides which scalars change.
func (e *editor) edit(uses []use) error {
	var bad []error
	var plain []use // not as an image
	for _, u := range uses {
		isImage, err := e.image(u)
		if err != nil {
			bad = append(bad, fmt.Errorf("line %d: %s: %s: %w", u.at.line, u.object, u.at.path, err))
			continue
		}
		if !isImage {
			plain = append(plain, u)
		}
	}
	for _, u := range plain {
		if !e.found[u.node] && !u.within {
			e.search(u)
		}
	}
	return errors.Join(append(bad, e.conflicts(plain)...)...)
}

// image takes a scalar for an image if it is certainly one, and says if it is. The error is that it
// should be one.
func (e *editor) image(u use) (bool, error) {
	value := withoutBreaks(u.node)
	switch isString := u.node.Tag == "!!str"; {
	case u.idle():
		return false, nil
	case u.role == roleImage && !isString && !e.within():
		return false, fmt.Errorf("the image %s is no string: quote it", value)
	case u.role == roleImage:
		return e.whole(u, 0, !e.within()) // Rewrite says if it is no reference
	case u.role == roleContainer && isString:
		return e.whole(u, 0, false)
	case u.parts != nil:
		return e.part(u)
	case e.options.named(u):
		return true, e.field(u, value)
	case !isString || u.role == roleMetadata:
		return false, nil
	}
	return e.value(u, value)
}

// idle says that a scalar is never an image: a key, nothing, or something of a Secret.
func (u use) idle() bool {
	return u.key || u.node.Tag == "!!null" || withoutBreaks(u.node) == "" || secret(u.object)
}

// part takes the fields of which this is one for an image if they are known or named.
func (e *editor) part(u use) (bool, error) {
	if e.found[u.parts.lead] {
		return true, nil
	}
	if !e.options.named(u) && !e.known.has(u.parts.reference(), false) {
		return false, nil
	}
	return true, e.inParts(u)
}

// value takes a value for an image, or what follows --flag= in an argument, if it is known.
func (e *editor) value(u use, value string) (bool, error) {
	start := 0
	if _, rest, ok := splitFlag(value); ok && u.role == roleArgument {
		start = len(value) - len(rest)
	}
	expected := u.role == roleArgument || u.role == roleValue || imageField(u.at.field)
	if !e.known.has(value[start:], expected) {
		return false, nil
	}
	return e.whole(u, start, true)
}

// whole takes what follows start in a scalar for an image, which it may have to be.
func (e *editor) whole(u use, start int, must bool) (bool, error) {
	value := withoutBreaks(u.node)
	to, err := e.options.Rules.Rewrite(value[start:])
	if err != nil {
		if must {
			return false, err
		}
		return false, nil
	}
	if e.within() && to != value[start:] && !e.lines.writable(u.node) {
		return false, nil // it is reported
	}
	e.found[u.node] = true
	e.add(u, value[start:], to)
	return true, e.replace(u.node, edit{start, len(value), to})
}

// add lists an image.
func (e *editor) add(u use, from, to string) {
	e.images = append(e.images, Image{From: from, To: to, Line: u.at.line, Path: u.at.path, Object: u.object.String()})
}

// inParts renames an image whose parts are in several fields.
func (e *editor) inParts(u use) error {
	from := u.parts.reference()
	to, err := e.options.Rules.Rewrite(from)
	if err != nil {
		return err
	}
	for _, n := range u.parts.all() {
		e.found[n] = true
	}
	e.add(u, from, to)
	if to == from {
		return nil
	}
	after, err := parse(to)
	if err != nil {
		return err
	}
	for n, value := range u.parts.renamed(after) {
		if err := e.replace(n, edit{0, len(n.Value), value}); err != nil {
			return err
		}
	}
	return nil
}

// field renames what is in a field that Options.Fields names: an image, a text with images, or the
// beginning of their names.
func (e *editor) field(u use, value string) error {
	e.found[u.node] = true
	r, notReference := parse(value)
	if notReference == nil && (r.version() != "" || !registryField(u.at.field)) {
		_, err := e.whole(u, 0, true)
		return err
	}
	if to, ok := e.options.Rules.prefixed(value); ok {
		return e.replace(u.node, edit{0, len(value), to})
	}
	if _, err := parsePrefix(strings.TrimSuffix(value, "/")); err == nil {
		return nil // the rules leave it where it is
	}
	if notReference == nil { // of Docker Hub, whose name may be left out
		to, err := e.options.Rules.Rewrite(value)
		return errors.Join(err, e.replace(u.node, edit{0, len(value), to}))
	}
	return e.everyPart(u, value)
}

// everyPart takes all parts of a text for images that can be some.
func (e *editor) everyPart(u use, value string) error {
	hasImage := false
	for _, t := range e.scanner.tokens(value) {
		part := value[t.start:t.end]
		r, err := parse(part)
		if err != nil || !spellsDomain(part) && r.version() == "" {
			continue
		}
		to, err := e.options.Rules.Rewrite(part)
		if err != nil {
			return err
		}
		hasImage = true
		e.add(u, part, to)
		if err := e.replace(u.node, edit{t.start, t.end, to}); err != nil {
			return err
		}
	}
	if !hasImage {
		return errNoImage(value)
	}
	return nil
}

// replace notes an edit. The same one may be noted again, since an anchored scalar has several uses.
func (e *editor) replace(n *yaml.Node, one edit) error {
	c := e.changes[n]
	if n.Value[one.start:one.end] == one.to || slices.Contains(c.edits, one) {
		return nil
	}
	for _, other := range c.edits {
		if one.start < other.end && other.start < one.end {
			return fmt.Errorf("the anchored text of line %d is used in several ways: write it out here", n.Line)
		}
	}
	e.changes[n] = change{n, append(slices.Clip(c.edits), one)}
	return nil
}

// conflicts are the other uses of scalars that change. A field that is called image
// is none: it is where a template for containers is written down.
func (e *editor) conflicts(plain []use) []error {
	var bad []error
	for _, u := range plain {
		c, changes := e.changes[u.node]
		other := u.key || u.role == roleMetadata || e.found[u.node] && !imageField(u.at.field)
		if changes && other && !u.within {
			bad = append(bad, fmt.Errorf("line %d: %s: %s uses the anchored image %s of line %d for something else: write it out here",
				u.at.line, u.object, u.at.path, c.from(), u.node.Line))
		}
	}
	return bad
}
