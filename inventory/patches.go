package inventory

import "gopkg.in/yaml.v3"

// Patch changes objects of a set. Exactly one of Inline and File is given.
type Patch struct {
	Target PatchTarget // zero: the patch names its object itself
	Inline string      // YAML of a strategic merge patch or a JSON patch (RFC 6902)
	File   string      // path of a file with such a patch
}

// PatchTarget selects objects as kustomize does: what is "" fits every object.
type PatchTarget struct {
	Group, Version, Kind, Name, Namespace string
	LabelSelector, AnnotationSelector     string
}

// patches reads a list of patches.
func (d *decoder) patches(node *yaml.Node, path []string) []Patch {
	patches := list(d, node, path, "{file: ./patch.yaml}", patchFields())
	for i, p := range patches {
		d.checkPatch(index(path, i), p)
	}
	return patches
}

func patchFields() []field[Patch] {
	return []field[Patch]{
		{"target", false, func(d *decoder, n *yaml.Node, p []string, t *Patch) {
			mapping(d, n, p, &t.Target, patchTargetFields())
		}},
		{"patch", false, func(d *decoder, n *yaml.Node, p []string, t *Patch) { t.Inline = d.inline(n, p) }},
		{"file", false, func(d *decoder, n *yaml.Node, p []string, t *Patch) { t.File = d.file(n, p) }},
	}
}

func patchTargetFields() []field[PatchTarget] {
	into := func(key string, part func(*PatchTarget) *string) field[PatchTarget] {
		return field[PatchTarget]{key: key, read: func(d *decoder, n *yaml.Node, p []string, t *PatchTarget) {
			*part(t), _ = d.text(n, p)
		}}
	}
	return []field[PatchTarget]{
		into("group", func(t *PatchTarget) *string { return &t.Group }),
		into("version", func(t *PatchTarget) *string { return &t.Version }),
		into("kind", func(t *PatchTarget) *string { return &t.Kind }),
		into("name", func(t *PatchTarget) *string { return &t.Name }),
		into("namespace", func(t *PatchTarget) *string { return &t.Namespace }),
		into("labelSelector", func(t *PatchTarget) *string { return &t.LabelSelector }),
		into("annotationSelector", func(t *PatchTarget) *string { return &t.AnnotationSelector }),
	}
}

// inline reads the text of a patch. A patch that is written as YAML of the cluster
// file itself would lose its form on the way.
func (d *decoder) inline(node *yaml.Node, path []string) string {
	if n := target(node); n.Kind != yaml.ScalarNode {
		d.fault(path, "must be text, got %s; write `patch: |` and the patch on lines of its own", describe(n))
		return ""
	}
	s, ok := d.lines(node, path)
	if !ok {
		return ""
	}
	if patchKind(s) == 0 {
		d.fault(path, "must be YAML of a patch: a mapping (strategic merge) or a list of operations (RFC 6902)")
		return ""
	}
	return s
}

// patchKind is what the first document of a patch is: yaml.MappingNode,
// yaml.SequenceNode, or 0 for what is neither or no YAML.
func patchKind(s string) yaml.Kind {
	var doc yaml.Node
	if yaml.Unmarshal([]byte(s), &doc) != nil || doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return 0
	}
	if kind := doc.Content[0].Kind; kind == yaml.MappingNode || kind == yaml.SequenceNode {
		return kind
	}
	return 0
}

// checkPatch reports what is missing or too much of patch, file and target.
func (d *decoder) checkPatch(path []string, p Patch) {
	hasInline, hasFile := d.given(path, "patch", p.Inline), d.given(path, "file", p.File)
	switch {
	case d.faulty(path):
	case !hasInline && !hasFile:
		d.fault(path, "must have a patch or a file")
	case hasInline && hasFile:
		d.fault(at(path, "file"), "cannot be given beside patch; make two patches of them")
	case p.Target == (PatchTarget{}) && patchKind(p.Inline) == yaml.SequenceNode && !d.faultyWithin(at(path, "target")):
		d.fault(at(path, "target"), "is required, as operations do not name their object; write {kind: Deployment, name: web}")
	}
}
