package inventory

import (
	"fmt"
	"strings"

	"fairlead/inventory/nearest"
)

// unknownKey words the problem of a key that does not exist: with the nearest
// known one where one is close, else with all of them.
func unknownKey(key string, known []string) string {
	if near := nearest.Word(key, known); near != "" {
		return fmt.Sprintf("unknown key; did you mean %s?", near)
	}
	return "unknown key; the keys here are " + strings.Join(known, ", ")
}
