package inventory

import (
	"fmt"
	"net/netip"
	"strings"

	"fairlead/inventory/nearest"
)

// unknownKey words the problem of a key that does not exist: with ours where
// another tool calls it so, with the nearest known one where one is close, else with all of them.
func unknownKey(key string, known []string) string {
	_, err := netip.ParseAddr(strings.TrimSpace(key))
	if _, notSubnet := netip.ParsePrefix(strings.TrimSpace(key)); err == nil || notSubnet == nil {
		return "unknown key; within {} a comma ends a value: write both in a list, such as [192.0.2.11, \"2001:db8::11\"]"
	}
	if ours := inOurWords(key, known); ours != "" {
		return ours
	}
	if near := nearest.Word(key, known); near != "" {
		return fmt.Sprintf("unknown key; did you mean %s?", near)
	}
	return "unknown key; the keys here are " + strings.Join(known, ", ")
}
