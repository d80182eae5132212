package plan

import (
	"testing"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// The sum of a file is that of its content, also when a host has another one under the same path.
func TestSumsAreKeptByContent(t *testing.T) {
	p := newPlanner(world.State(t, nil), facts.Facts{}).withCommon()
	for range 2 {
		for content, want := range map[string]string{
			"a": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
			"b": "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",
		} {
			if got := p.common.sum(templates.HostFile{Path: "/x", Content: []byte(content)}); got != want {
				t.Errorf("the sum of %s is %s", content, got)
			}
		}
	}
}
