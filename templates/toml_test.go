package templates

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// tomlTable is a table of a TOML file with its keys; the root table has no name.
type tomlTable struct {
	name   []string
	values map[string]any
}

// readTOML reads the forms of TOML that are written here, and reports every other.
func readTOML(t *testing.T, text string) []tomlTable {
	t.Helper()
	const part = `[A-Za-z0-9_-]+|'[^'\x00-\x1f]*'|"(?:[^"\\\x00-\x1f\x7f]|\\.)*"`
	header := regexp.MustCompile(`^\[((?:` + part + `)(?:\.(?:` + part + `))*)\]$`)
	parts := regexp.MustCompile(part)
	pair := regexp.MustCompile(`^ *([A-Za-z_]+) = (.+)$`)
	if !strings.HasSuffix(text, "\n") {
		t.Error("the last line does not end")
	}
	tables := []tomlTable{{values: map[string]any{}}}
	seen := map[string]bool{"": true}
	for i, line := range strings.Split(text, "\n") {
		switch h, p := header.FindStringSubmatch(line), pair.FindStringSubmatch(line); {
		case line == "" || strings.HasPrefix(line, "#"):
		case h != nil:
			table := tomlTable{values: map[string]any{}}
			for _, name := range parts.FindAllString(h[1], -1) {
				table.name = append(table.name, tomlKey(t, name))
			}
			if key := strings.Join(table.name, "\x00"); seen[key] {
				t.Errorf("line %d: table %q is there twice", i+1, table.name)
			} else {
				seen[key] = true
			}
			tables = append(tables, table)
		case p != nil:
			values := tables[len(tables)-1].values
			if _, is := values[p[1]]; is {
				t.Errorf("line %d: key %s is there twice", i+1, p[1])
			}
			values[p[1]] = tomlValue(t, p[2])
		default:
			t.Errorf("line %d is no TOML that is known here: %q", i+1, line)
		}
	}
	return tables
}

func tomlKey(t *testing.T, text string) string {
	t.Helper()
	if strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'") {
		key, _ := tomlValue(t, text).(string)
		return key
	}
	return text
}

func tomlValue(t *testing.T, text string) any {
	t.Helper()
	basic := regexp.MustCompile(`^"(?:[^"\\\x00-\x1f\x7f]|\\(?:["\\btnfr]|u[0-9A-Fa-f]{4}))*"$`)
	switch {
	case text == "true" || text == "false":
		return text == "true"
	case regexp.MustCompile(`^[0-9]+$`).MatchString(text):
		number, err := strconv.Atoi(text)
		if err != nil {
			t.Error(err)
		}
		return number
	case regexp.MustCompile(`^'[^'\x00-\x1f\x7f]*'$`).MatchString(text):
		return strings.Trim(text, "'")
	case basic.MatchString(text): // Go reads these as TOML does
		value, err := strconv.Unquote(text)
		if err != nil {
			t.Errorf("read %s: %v", text, err)
		}
		return value
	case strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]"):
		var list []any
		for element := range strings.SplitSeq(strings.Trim(text, "[]"), ", ") {
			list = append(list, tomlValue(t, element))
		}
		return list
	}
	t.Errorf("%s is no value that is known here", text)
	return nil
}
