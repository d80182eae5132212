package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

const saved = templates.StateFolder + "/saved/"

func savedName(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:8])
}

// record is how a thing is before it is touched, as the script for the ledger writes it.
func record(h *facts.Host, t ledger.Touch) string {
	name := savedName(t.Key)
	switch t.Kind {
	case ledger.Unit:
		if t.Key == templates.ContainerdService && h.Units[t.Key].Active == "active" && len(h.Images) > 0 {
			world.Written(h, saved+"images", 0o600, []byte(strings.Join(below(h, strings.TrimSuffix(imageFolder, "/")), "\n")))
		}
		if unit := h.Units[t.Key]; unit.Load == "loaded" {
			return unit.Enabled + " " + unit.Active
		}
		return "not-found inactive"
	case ledger.File:
		if is, exists := h.Files[t.Key]; exists {
			h.Files[saved+name], h.Contents[saved+name] = is, h.Contents[t.Key]
			return fmt.Sprintf("saved %s %d %s", name, is.Size, is.SHA256)
		}
	case ledger.Tree:
		if files := below(h, t.Key); len(files) > 0 {
			world.Written(h, saved+name, 0o600, []byte(strings.Join(files, "\n")))
			return "existed " + name + ".names 755 0:0"
		}
	case ledger.Sysctl:
		if value, exists := h.Sysctls[t.Key]; exists {
			return value
		}
	case ledger.Module:
		if h.Modules[t.Key] {
			return "loaded"
		}
	case ledger.Swap:
		var devices []string
		for _, swap := range h.Swaps {
			devices = append(devices, swap.Device)
		}
		world.Written(h, saved+"swaps", 0o600, []byte(strings.Join(devices, "\n")))
		return strings.Join(devices, ",")
	case ledger.Net:
		world.Written(h, saved+"links", 0o600, []byte(strings.Join(h.Links, "\n")))
		return "saved"
	}
	return "absent"
}
