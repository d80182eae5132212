package inventory

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"fairlead/inventory/nearest"

	"gopkg.in/yaml.v3"
)

// text reads a string that is not empty.
func (d *decoder) text(node *yaml.Node, path []string) (string, bool) {
	s, ok := d.anyText(node, path)
	if ok && strings.TrimSpace(s) == "" {
		d.fault(path, "must not be empty")
		return "", false
	}
	return s, ok
}

// anyText reads a string, which may be empty.
func (d *decoder) anyText(node *yaml.Node, path []string) (string, bool) {
	s, ok := d.rawText(node, path)
	if ok && strings.ContainsFunc(s, unicode.IsControl) {
		d.fault(path, "contains a control character or a line break")
		return "", false
	}
	return s, ok
}

// lines reads a string of one or more lines that is not blank.
func (d *decoder) lines(node *yaml.Node, path []string) (string, bool) {
	s, ok := d.rawText(node, path)
	switch {
	case !ok:
		return "", false
	case strings.TrimSpace(s) == "":
		d.fault(path, "must not be empty")
		return "", false
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) }):
		d.fault(path, "contains a control character")
		return "", false
	}
	return s, true
}

// rawText reads any string.
func (d *decoder) rawText(node *yaml.Node, path []string) (string, bool) {
	if !d.scalar(node, path, "text") {
		return "", false
	}
	node = target(node)
	switch tag := node.ShortTag(); tag {
	case "!!str":
		return node.Value, true
	case "!!int", "!!float", "!!bool", "!!timestamp":
		d.fault(path, "must be text, got %s; put it in quotes: %q", describe(node), clip(node.Value))
	default:
		d.fault(path, "has the tag %s, which is not supported", tag)
	}
	return "", false
}

// whole reads an integer that is written as people count.
func (d *decoder) whole(node *yaml.Node, path []string) (int, bool) {
	if !d.scalar(node, path, "a whole number") {
		return 0, false
	}
	node = target(node)
	if problem := numeralProblem(node); problem != "" {
		d.fault(path, "%s", problem)
		return 0, false
	}
	var n int
	if node.ShortTag() != "!!int" || node.Decode(&n) != nil {
		d.fault(path, "must be a whole number, got %s", describe(node))
		return 0, false
	}
	return n, true
}

// numeralProblem says what to write for a number that YAML reads in another way than most people: 022 is 18 to it.
func numeralProblem(node *yaml.Node) string {
	if tag := node.ShortTag(); tag != "!!int" && tag != "!!float" {
		return ""
	}
	sign, plain := "", strings.ReplaceAll(node.Value, "_", "")
	if strings.HasPrefix(plain, "-") {
		sign, plain = "-", plain[1:]
	}
	plain = strings.TrimPrefix(plain, "+")
	if digits := strings.TrimLeft(plain, "0"); isDigits(plain) && digits != plain && plain != "0" {
		return fmt.Sprintf("has a leading zero, which makes %s another number to YAML; write %s", clip(node.Value), clip(sign+cmp.Or(digits, "0")))
	}
	if sign+plain == node.Value && regexp.MustCompile(`^-?[0-9]+(\.[0-9]*)?$`).MatchString(sign+plain) {
		return ""
	}
	var n int64
	if node.ShortTag() != "!!int" || node.Decode(&n) != nil {
		return ""
	}
	return fmt.Sprintf("must be a plain decimal number; write %d for %s", n, clip(node.Value))
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// boolean reads true or false.
func (d *decoder) boolean(node *yaml.Node, path []string) bool {
	if !d.scalar(node, path, "true or false") {
		return false
	}
	node = target(node)
	var b bool
	if node.ShortTag() != "!!bool" || node.Decode(&b) != nil {
		d.fault(path, "must be true or false, got %s", describe(node))
		return false
	}
	return b
}

// scalar checks that the node is a single value that is given.
func (d *decoder) scalar(node *yaml.Node, path []string, want string) bool {
	node = target(node)
	switch {
	case !d.count(path, 1):
		return false
	case node.Kind != yaml.ScalarNode:
		d.fault(path, "must be %s, got %s", want, describe(node))
		return false
	case node.ShortTag() == "!!null":
		d.fault(path, "has no value; give one or remove the key")
		return false
	}
	return true
}

// only reads a string of which one value exists so far.
func (d *decoder) only(node *yaml.Node, path []string, value string, into *string) {
	if s, ok := d.text(node, path); ok && s != value {
		d.fault(path, "%q is not supported; it can only be %s", clip(s), value)
	} else if ok {
		*into = s
	}
}

// oneOf reads one of several words.
func (d *decoder) oneOf(node *yaml.Node, path []string, words []string) string {
	s, ok := d.text(node, path)
	if !ok || slices.Contains(words, s) {
		return s
	}
	if near := nearest.Word(s, words); near != "" {
		d.fault(path, "%q is not supported; did you mean %s?", clip(s), near)
	} else {
		d.fault(path, "%q is not supported; it can be %s", clip(s), either(words))
	}
	return ""
}

// either writes words as in "a, b or c".
func either(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
