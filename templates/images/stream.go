package images

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// Options say how images are rewritten.
type Options struct {
	Rules Rules
	// Known are images wherever a value is one of them, or holds one of them as a part that commas,
	// blanks, quotes or = set apart, as are those that add-ons are known to name outside of pods. A
	// single word is taken for one only in arguments, environment variables and ConfigMaps.
	Known []string
	// Fields are those whose values are images.
	Fields []Field
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

// RewriteStream rewrites the images in a stream of YAML or JSON documents: those of pods, of
// everything built-in that holds pods, and of what has containers like a pod; what is Known or in
// one of the Fields; and all of this also in texts of YAML or JSON within a value. What a rule would
// rename and is left alone is a Suspect. The error names all lines that cannot be read or
// rewritten; then there is no result.
func RewriteStream(text []byte, o Options) (Result, error) {
	known, err := o.known()
	if err != nil {
		return Result{}, err
	}
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
	e := newEditor(o, known, text)
	if err := e.edit(w.uses); err != nil {
		return Result{}, err
	}
	spans, err := e.spans()
	if err != nil {
		return Result{}, err
	}
	slices.SortStableFunc(e.images, func(a, b Image) int { return a.Line - b.Line })
	slices.SortStableFunc(e.suspects, func(a, b Suspect) int { return a.Line - b.Line })
	result := Result{Images: e.images, Suspects: e.suspects}
	if result.Text, err = apply(text, docs, spans, e.changes); err != nil {
		return Result{}, err
	}
	return result, nil
}

// apply writes the changes into the text and makes sure that they are all that has
// changed.
func apply(text []byte, docs []*yaml.Node, spans []span, changes map[*yaml.Node]change) ([]byte, error) {
	if len(changes) == 0 {
		return bytes.Clone(text), nil
	}
	out := splice(text, spans)
	after, err := read(out)
	if err != nil {
		return nil, fmt.Errorf("read the rewritten text: %w", err)
	}
	if err := compare(flatten(nil, docs), flatten(nil, after), changes); err != nil {
		return nil, err
	}
	return out, nil
}

// flatten lists nodes, each before what it holds.
func flatten(out, nodes []*yaml.Node) []*yaml.Node {
	for _, n := range nodes {
		out = flatten(append(out, n), n.Content)
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
