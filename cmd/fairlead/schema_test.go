package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fairlead/provision/event"
	"fairlead/provision/plan"
)

// schemaObject is the part of a JSON schema that the test reads.
type schemaObject struct {
	Enum       []string                `json:"enum"`
	Required   []string                `json:"required"`
	Properties map[string]schemaObject `json:"properties"`
}

func eventSchema(t *testing.T) schemaObject {
	t.Helper()
	data, err := os.ReadFile("../../docs/events.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema schemaObject
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSchemaHasAllFields(t *testing.T) {
	schema := eventSchema(t)
	sameFields(t, schema, reflect.TypeFor[event.Event]())
	sameFields(t, schema.Properties["finding"], reflect.TypeFor[plan.Finding]())
	sameFields(t, schema.Properties["key"], reflect.TypeFor[event.Key]())
}

// sameFields compares a schema's properties with a type's JSON fields, and its required
// ones with those that are never left out.
func sameFields(t *testing.T, schema schemaObject, typ reflect.Type) {
	t.Helper()
	var names, required []string
	for i := range typ.NumField() {
		name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
		if _, ok := schema.Properties[name]; !ok {
			t.Errorf("the schema lacks %s.%s", typ, name)
		}
	}
	for name := range schema.Properties {
		if !slices.Contains(names, name) {
			t.Errorf("the schema has %s, which %s lacks", name, typ)
		}
	}
	if !slices.Equal(schema.Required, required) {
		t.Errorf("the schema requires %v, %s always has %v", schema.Required, typ, required)
	}
}

func TestSchemaHasAllKinds(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../provision/event/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, named := spec.Type.(*ast.Ident); !named || typ.Name != "Kind" {
			return true
		}
		for _, value := range spec.Values {
			text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, text)
		}
		return true
	})
	if want := eventSchema(t).Properties["kind"].Enum; !slices.Equal(want, kinds) {
		t.Errorf("the schema has the kinds %v, package provision %v", want, kinds)
	}
	table, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		if !strings.Contains(string(table), "\n| `"+kind+"` |") {
			t.Errorf("docs/events.md lacks %s", kind)
		}
	}
}
