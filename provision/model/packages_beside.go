package model

import (
	"maps"
	"slices"
	"strings"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// addPackages installs packages by their names. What for is written down before they come.
func addPackages(h *facts.Host, names []string, half, late bool) error {
	settlePackages(h)
	brought, err := transaction(*h, names)
	if err != nil {
		return err
	}
	lines := strings.Split(string(h.Contents[templates.PackagesRecord]), "\n")
	for _, name := range brought {
		if lines = append(lines, "brought "+name); slices.Contains(names, name) {
			lines = append(lines, "wanted "+name)
		}
	}
	recordPackages(h, lines)
	return getPackages(h, names, half, late)
}

// recordPackages writes down what was added.
func recordPackages(h *facts.Host, lines []string) {
	lines = slices.Compact(slices.Sorted(slices.Values(lines)))
	world.Written(h, templates.PackagesRecord, 0o600, []byte(strings.TrimPrefix(strings.Join(lines, "\n"), "\n")+"\n"))
}

// keepPackages removes what was added and is not to be kept. It can be cut off when some of that is gone, or all, before it is
// forgotten.
func keepPackages(h *facts.Host, kept []string, half, late bool) {
	settlePackages(h)
	going, left := map[string]bool{}, map[string]bool{}
	lines := strings.Fields(string(h.Contents[templates.PackagesRecord]))
	for i := 0; i+1 < len(lines); i += 2 {
		if name := lines[i+1]; lines[i] == "brought" && !slices.Contains(kept, name) {
			going[name] = slices.ContainsFunc(h.Ledger, func(e ledger.Entry) bool { return e.Kind == ledger.Package && e.Key == name })
		}
	}
	if half && !late {
		for name := range going {
			left[name] = going[name] && len(packageModels()[name].needs) > 0
		}
		uninstall(h, left)
		return
	}
	if uninstall(h, going); half {
		return
	}
	h.Ledger = slices.DeleteFunc(slices.Clone(h.Ledger), func(e ledger.Entry) bool {
		_, there := h.Packages[e.Key]
		return e.Kind == ledger.Package && going[e.Key] && !there
	})
	var remaining []string
	for i := 0; i+1 < len(lines); i += 2 {
		name := lines[i+1]
		if _, there := h.Packages[name]; !there || lines[i] != "brought" {
			continue
		}
		if remaining = append(remaining, "brought "+name); slices.Contains(kept, name) {
			remaining = append(remaining, "wanted "+name)
		}
	}
	recordPackages(h, remaining)
}

// uninstall removes packages, but for those that others need.
func uninstall(h *facts.Host, going map[string]bool) {
	for again := true; again; {
		again = false
		for name := range h.Packages {
			for _, need := range packageModels()[name].needs {
				if going[need] && !going[name] {
					going[need], again = false, true
				}
			}
		}
	}
	for name := range h.Packages {
		if !going[name] {
			continue
		}
		delete(h.Packages, name)
		model := packageModels()[name]
		remove(h, "/usr/bin/"+model.program, "/usr/lib/systemd/system/"+model.unit, model.config)
		if unitPath(h, model.unit) == "" && !slices.Contains(ownUnits(h), model.unit) {
			delete(h.Units, model.unit)
		}
	}
}

// transaction are the packages that an install would bring.
func transaction(h facts.Host, specs []string) ([]string, error) {
	to := cloneHost(h)
	err := installPackages(&to, specs, false)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(to.Packages)), func(name string) bool { _, there := h.Packages[name]; return there }), err
}
