package images

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Options say how images are rewritten.
type Options struct {
	Rules Rules
	// Known are images wherever an argument (or what follows --flag= in one), the value of an
	// environment variable or a whole value of a ConfigMap is one of them, as are those that add-ons
	// are known to name there. A single word is taken for one only if it is listed as that very word.
	Known []string
}

// Image is an image that was found.
type Image struct {
	From   string // as it was written
	To     string // as it is now; equal to From when no rule matched
	Line   int    // from 1
	Path   string // spec.template.spec.containers[0].image
	Object string // Deployment kube-system/x
}

// Result is a stream after the rewriting.
type Result struct {
	Text     []byte    // the stream; only bytes of image values differ
	Images   []Image   // all of them, in order
	Suspects []Suspect // in order
}

// RewriteStream rewrites the images in a stream of YAML or JSON documents: those of
// pods and of everything built-in that holds pods, lists included, and what is
// Known. The error names all lines that cannot be read or rewritten; then there is
// no result.
func RewriteStream(text []byte, o Options) (Result, error) {
	docs, err := read(text)
	if err != nil {
		return Result{}, err
	}
	w := newWalker(text)
	for _, doc := range docs {
		if err := w.document(doc); err != nil {
			return Result{}, err
		}
	}
	e, err := o.edit(w.uses)
	if err != nil {
		return Result{}, err
	}
	result := Result{Images: e.images, Suspects: e.suspects}
	if result.Text, err = apply(text, docs, e.changes); err != nil {
		return Result{}, err
	}
	return result, nil
}

// edits is what becomes of the uses.
type edits struct {
	found    map[*yaml.Node]bool // scalars that are images
	changes  map[*yaml.Node]change
	images   []Image
	suspects []Suspect
}

// edit decides which scalars change.
func (o Options) edit(uses []use) (edits, error) {
	known, err := o.known()
	if err != nil {
		return edits{}, err
	}
	e := edits{found: map[*yaml.Node]bool{}, changes: map[*yaml.Node]change{}}
	var bad []error
	var plain []use // not as an image
	for _, u := range uses {
		from, ok, err := known.image(u)
		if err == nil && ok {
			err = e.add(u, from, o.Rules)
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("line %d: %s: %s: %w", u.at.line, u.object, u.at.path, err))
			continue
		}
		if !ok {
			plain = append(plain, u)
		}
	}
	for _, u := range plain {
		if s, ok := o.suspect(u); ok && !e.found[u.node] {
			e.suspects = append(e.suspects, s)
		}
	}
	return e, errors.Join(append(bad, e.conflicts(plain)...)...)
}

func (e *edits) add(u use, from string, rules Rules) error {
	to, err := rules.Rewrite(from)
	if err != nil {
		return err
	}
	e.found[u.node] = true
	e.images = append(e.images, Image{From: from, To: to, Line: u.at.line, Path: u.at.path, Object: u.object.String()})
	if to != from {
		e.changes[u.node] = change{u.node, from, to}
	}
	return nil
}

// conflicts are the other uses of scalars that change. A field that is called image
// is none: it is where a template for containers is written down.
func (e *edits) conflicts(plain []use) []error {
	var bad []error
	for _, u := range plain {
		c, changes := e.changes[u.node]
		if changes && (u.key || !imageField(u.at.field)) {
			bad = append(bad, fmt.Errorf("line %d: %s: %s uses the anchored image %s of line %d for something else: write it out here",
				u.at.line, u.object, u.at.path, c.from, u.node.Line))
		}
	}
	return bad
}

// knownImages are the images that are known outside of pods' image fields, also under the
// names that the rules give them: the text may have been rewritten before.
type knownImages struct {
	references   map[string]bool // Options.Known, as they are written and in full
	repositories map[string]bool // of add-ons, in full
}

func (o Options) known() (knownImages, error) {
	known := knownImages{references: map[string]bool{}, repositories: map[string]bool{}}
	var bad []error
	for _, ref := range o.Known {
		from, to, err := o.both(ref)
		if err != nil {
			bad = append(bad, fmt.Errorf("known images: %w", err))
			continue
		}
		known.references[ref], known.references[from.String()], known.references[to.String()] = true, true, true
	}
	for _, images := range addonImages() {
		for _, repository := range images.repositories {
			from, to, err := o.both(repository)
			if err != nil {
				bad = append(bad, fmt.Errorf("images of %s: %w", images.addon, err))
				continue
			}
			known.repositories[from.name()], known.repositories[to.name()] = true, true
		}
	}
	return known, errors.Join(bad...)
}

// both is an image before and after the rewriting.
func (o Options) both(ref string) (from, to Reference, err error) {
	if from, err = Parse(ref); err != nil {
		return from, to, err
	}
	rewritten, err := o.Rules.Rewrite(from.String())
	if err != nil {
		return from, to, err
	}
	to, err = Parse(rewritten)
	return from, to, err
}

// image is the image that a scalar is where it is used, if it is one. The error is
// that it should be one.
func (k knownImages) image(u use) (string, bool, error) {
	value, _ := trimBreaks(u.node)
	if u.key || u.node.Tag == "!!null" || value == "" {
		return "", false, nil
	}
	isString := u.node.Tag == "!!str"
	switch u.role {
	case roleImage:
		if !isString {
			return "", false, fmt.Errorf("the image %s is no string: quote it", value)
		}
		return value, true, nil // Rewrite says if it is no reference
	case roleValue:
		return value, isString && k.has(value), nil
	case roleArgument:
		if _, rest, ok := splitFlag(value); ok {
			value = rest
		}
		return value, isString && k.has(value), nil
	}
	return "", false, nil
}

func (k knownImages) has(ref string) bool {
	if k.references[ref] {
		return true
	}
	if !strings.ContainsAny(ref, "/:@") {
		return false // nginx is a program, too
	}
	r, err := parse(ref)
	if err != nil {
		return false
	}
	// A repository without a version is the beginning of a name in some add-ons' arguments.
	if r.version() != "" && k.repositories[r.name()] {
		return true
	}
	name, err := Normal(ref)
	return err == nil && k.references[name]
}

// apply writes the changes into the text and makes sure that they are all that has
// changed.
func apply(text []byte, docs []*yaml.Node, changes map[*yaml.Node]change) ([]byte, error) {
	if len(changes) == 0 {
		return bytes.Clone(text), nil
	}
	l := newLines(text)
	var spans []span
	for n, c := range changes {
		s, err := l.locate(c)
		if err != nil {
			return nil, fmt.Errorf("line %d: replace %s: %w: write it in one line", n.Line, c.from, err)
		}
		spans = append(spans, s)
	}
	slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
	out := splice(text, spans)
	after, err := read(out)
	if err != nil {
		return nil, fmt.Errorf("read the rewritten text: %w", err)
	}
	if err := compare(flatten(docs), flatten(after), changes); err != nil {
		return nil, err
	}
	return out, nil
}

// flatten lists nodes, each before what it holds.
func flatten(nodes []*yaml.Node) []*yaml.Node {
	var out []*yaml.Node
	for _, n := range nodes {
		out = append(out, n)
		out = append(out, flatten(n.Content)...)
	}
	return out
}

// compare says where two trees differ in more than the changes.
func compare(before, after []*yaml.Node, changes map[*yaml.Node]change) error {
	for i, n := range before {
		value := n.Value
		if c, ok := changes[n]; ok {
			value = c.value()
		}
		if i >= len(after) || !alike(n, after[i]) || after[i].Value != value {
			return fmt.Errorf("line %d: rewriting would change more than images here: write the image in one line", n.Line)
		}
	}
	if len(before) != len(after) {
		return errors.New("rewriting would add more than images")
	}
	return nil
}

func alike(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Anchor == b.Anchor && len(a.Content) == len(b.Content)
}
