package images

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// maxTexts is how deep texts are read within texts.
const maxTexts = 3

// search looks into a scalar that is no image itself: it may be a text of objects, or hold images
// as parts.
func (e *editor) search(u use) {
	value := withoutBreaks(u.node)
	if u.key || u.role == roleMetadata || u.node.Tag != "!!str" || value == "" {
		return
	}
	if u.parts != nil {
		e.suspectParts(u)
		return
	}
	if s, ok := e.options.suspect(u); ok {
		e.suspects = append(e.suspects, s)
		return
	}
	if u.role != roleNote && !secret(u.object) && e.objects(u, value) {
		return
	}
	e.parts(u, value)
}

// parts renames the parts of a text that are known images, and reports those that a rule would
// rename.
func (e *editor) parts(u use, value string) {
	found := e.scanner.tokens(value)
	writable := len(found) > 0 && u.role != roleNote && !secret(u.object) && e.lines.writable(u.node)
	for _, t := range found {
		part := value[t.start:t.end]
		if writable && e.known.has(part, false) {
			if to, err := e.options.Rules.Rewrite(part); err == nil && e.replace(u.node, edit{t.start, t.end, to}) == nil {
				u := u
				u.at.line = e.lines.lineIn(u, value[:t.start])
				e.add(u, part, to)
				continue
			}
		}
		if e.options.suspicious(value, t) {
			e.suspects = append(e.suspects, e.options.newSuspect(u, part, e.lines.lineIn(u, value[:t.start])))
		}
	}
}

// objects looks for objects of YAML or JSON in a text, and says if there were some. What was found
// in them is found in the outer text, at its own line.
func (e *editor) objects(u use, value string) bool {
	if !structured(value) || e.depth == maxTexts || !e.lines.writable(u.node) {
		return false
	}
	text := []byte(value)
	docs, err := read(text)
	if err != nil || !holdObjects(docs) {
		return false
	}
	w := newWalker(text)
	if u.role == roleValue || u.role == roleArgument {
		w.role = roleValue
	}
	for _, doc := range docs {
		if w.document(doc) != nil {
			return false
		}
	}
	inner := newEditor(e.options, e.known, text)
	inner.scanner, inner.depth = e.scanner, e.depth+1
	if inner.edit(w.uses) != nil {
		return false
	}
	return e.adopt(u, text, docs, inner)
}

// structured says that a text may be one of objects.
func structured(value string) bool {
	begin := strings.TrimLeft(value, " \t\r\n")
	return strings.Contains(value, "\n") && strings.Contains(value, ": ") || strings.HasPrefix(begin, "{") || strings.HasPrefix(begin, "[")
}

// adopt takes over what was found in a text within the text.
func (e *editor) adopt(u use, text []byte, docs []*yaml.Node, inner *editor) bool {
	spans, err := inner.spans()
	if err != nil {
		return false
	}
	if _, err := apply(text, docs, spans, inner.changes); err != nil {
		return false
	}
	for _, s := range spans {
		if e.replace(u.node, edit{s.start, s.end, s.text}) != nil {
			return false
		}
	}
	for _, i := range inner.images {
		i.Line, i.Path, i.Object = e.lines.lineOf(u, i.Line), u.at.path+": "+i.Path, u.object.String()
		e.images = append(e.images, i)
	}
	for _, s := range inner.suspects {
		s.Line, s.Path, s.Object = e.lines.lineOf(u, s.Line), u.at.path+": "+s.Path, u.object.String()
		e.suspects = append(e.suspects, s)
	}
	return true
}

// holdObjects says that a text is more than a word.
func holdObjects(docs []*yaml.Node) bool {
	for _, doc := range docs {
		for _, n := range doc.Content {
			if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
				return true
			}
		}
	}
	return false
}
