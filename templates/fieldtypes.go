package templates

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fieldTypes maps the JSON names of a struct's fields to their types; the fields
// of embedded structs count as its own.
func fieldTypes(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			maps.Copy(fields, fieldTypes(f.Type))
		case f.IsExported() && name != "":
			fields[name] = f.Type
		}
	}
	return fields
}

// decodesItself tells whether values of t are read by their own JSON decoder.
func decodesItself(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

// custom checks v with the JSON decoder of t.
func (c *checker) custom(t reflect.Type, v any, path []string) {
	err := decode(t, v)
	switch {
	case err == nil:
	case t == reflect.TypeFor[metav1.Duration]():
		c.report(path, "must be a duration such as 30s or 5m, not %s", describe(v))
	default:
		c.report(path, "cannot be read: %v", err)
	}
}

// fits tells whether the scalar v can be stored in t without loss. A decoder's
// date is no string: it would not come out as it was written.
func fits(t reflect.Type, v any) bool {
	if _, date := v.(time.Time); date {
		return false
	}
	return decode(t, v) == nil
}

// decode reads v into a new value of t as a JSON decoder would.
func decode(t reflect.Type, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, reflect.New(t).Interface())
}

// scalarKind is the kind of a boolean, number, string or time; ok is false for
// everything else. All numbers count as float64, a time as a struct.
func scalarKind(v any) (k reflect.Kind, ok bool) {
	if _, ok := v.(time.Time); ok {
		return reflect.Struct, true
	}
	value := reflect.ValueOf(v)
	switch {
	case value.CanInt() || value.CanUint() || value.CanFloat():
		return reflect.Float64, true
	case value.Kind() == reflect.String || value.Kind() == reflect.Bool:
		return value.Kind(), true
	default:
		return reflect.Invalid, false
	}
}

// typeName names a scalar type for the reader of an inventory.
func typeName(t reflect.Type) string {
	value := reflect.New(t).Elem()
	switch {
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.String:
		return "a string"
	case value.CanInt():
		return fmt.Sprintf("a whole number of %d bits", t.Bits())
	case value.CanUint():
		return fmt.Sprintf("a whole number of %d bits, 0 or more", t.Bits())
	default:
		return "a number"
	}
}

// describe names what was found, without quoting long values.
func describe(v any) string {
	if _, ok := v.(time.Time); ok {
		return "a date"
	}
	switch k, _ := scalarKind(v); k {
	case reflect.String:
		if s := fmt.Sprint(v); len(s) <= 40 {
			return fmt.Sprintf("the string %q", s)
		}
		return "a string"
	case reflect.Bool:
		return fmt.Sprintf("%v", v)
	case reflect.Float64:
		return fmt.Sprintf("the number %v", v)
	}
	switch reflect.ValueOf(v).Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Map:
		if _, ok := v.(map[string]any); !ok {
			return "a map with keys that are no strings"
		}
		return "a map"
	default:
		return fmt.Sprintf("a %T", v)
	}
}
