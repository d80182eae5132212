package convert

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestNothingIsLost puts a key that nobody knows into every mapping of each sample. It has to come through, be noted, or be part
// of something that is noted, or the file is refused for it.
func TestNothingIsLost(t *testing.T) {
	const unknown = "zzz-unknown"
	for file, options := range samples(t) {
		if extension := filepath.Ext(file); extension == ".ini" || extension == ".txt" {
			continue
		}
		data, err := os.ReadFile(file) //nolint:gosec // of this test
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		tried := 0
		mappings(doc.Content[0], "", func(path string, m *yaml.Node) {
			tried++
			before := m.Content
			m.Content = append(append([]*yaml.Node(nil), before...), &yaml.Node{Kind: yaml.ScalarNode, Value: unknown}, &yaml.Node{Kind: yaml.ScalarNode, Value: "x"})
			defer func() { m.Content = before }()
			changed, err := yaml.Marshal(&doc)
			if err != nil {
				t.Fatal(err)
			}
			draft, err := Read(filepath.Base(file), changed, options)
			if err != nil {
				if !strings.Contains(err.Error(), unknown) {
					t.Errorf("%s: at %s: %v", file, path, err)
				}
				return
			}
			text, err := draft.Write()
			if err != nil {
				t.Errorf("%s: at %s: %v", file, path, err)
				return
			}
			isType := strings.HasPrefix(path, "kubeone_") && strings.Contains(path, ".type") // of an output, whose value is what counts
			if !strings.Contains(string(text), unknown) && !noted(draft, path) && !isType {
				t.Errorf("%s: a key below %q is lost", file, path)
			}
		})
		if tried < 4 {
			t.Errorf("%s has %d mappings", file, tried)
		}
	}
}

// noted says whether there is a note about a place or one that it is part of; variables of Ansible are noted by their own names.
func noted(d *Draft, path string) bool {
	for _, n := range d.Notes {
		if n.Key != "" && (path == n.Key || strings.HasPrefix(path, n.Key+".") || strings.HasPrefix(path, n.Key+"[]") || strings.Contains("."+path+".", "."+n.Key+".")) {
			return true
		}
	}
	return false
}

// mappings calls a function for each mapping, with its place as notes have it.
func mappings(n *yaml.Node, path string, visit func(path string, m *yaml.Node)) {
	switch n.Kind {
	case yaml.MappingNode:
		visit(path, n)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != "<<" {
				mappings(n.Content[i+1], join(path, n.Content[i].Value), visit)
			}
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			mappings(item, path+"[]", visit)
		}
	}
}
