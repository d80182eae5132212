package model

import (
	"maps"
	"slices"
	"strings"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// resetHost does what the script does, in its order; it can be cut off between any two of its parts.
func (s *Simulation) resetHost(step plan.Step) error {
	return s.undoParts(step, resetParts(s.Facts.Hosts[step.Host]))
}

func (s *Simulation) undoParts(step plan.Step, parts []func(*facts.Host) error) error {
	delete(s.letIn, step.Host)
	for _, part := range parts {
		if err := s.place(step); err != nil {
			return err
		}
		if err := s.change(step.Host, part); err != nil {
			return err
		}
	}
	for name := range s.cluster.etcd { // whose data is gone
		if !s.Facts.Hosts[name].NotEmpty[etcdData] {
			delete(s.cluster.etcd, name)
		}
	}
	return nil
}

// kindParts are those of the script that goes without a ledger.
func kindParts() []func(*facts.Host) error {
	folders := func(folders ...string) func(*facts.Host) error {
		return func(h *facts.Host) error {
			for _, folder := range folders {
				remove(h, slices.DeleteFunc(below(h, folder), func(path string) bool { return path == templates.CACertificate })...)
			}
			return nil
		}
	}
	return []func(*facts.Host) error{
		stopPrograms,
		func(h *facts.Host) error {
			h.Links = slices.DeleteFunc(slices.Clone(h.Links), ofCluster)
			return nil
		},
		folders("/var/lib/kubelet", "/var/log/pods"), folders(etcdData), folders(kubernetesFolder),
		func(h *facts.Host) error { remove(h, templates.CACertificate); return nil },
	}
}

func resetParts(h facts.Host) []func(*facts.Host) error {
	was := slices.Clone(h.Ledger)
	parts := []func(*facts.Host) error{stopPrograms, emptyNamespace, removeLinks, removePackages, disableUnits}
	for _, entry := range slices.Backward(was) {
		parts = append(parts, func(h *facts.Host) error { undo(h, entry); return nil })
	}
	return append(parts, reloadUnits, startAgain("inactive"), startAgain("active"), swapOn, forget)
}

// ownUnits are the units that fairlead brought.
func ownUnits(h *facts.Host) []string {
	var units []string
	for _, entry := range h.Ledger {
		if entry.Kind == ledger.Unit && strings.HasPrefix(entry.Was, "not-found ") {
			units = append(units, entry.Key)
		}
	}
	return units
}

func stopPrograms(h *facts.Host) error {
	delete(h.Units, templates.KubeadmService)
	for _, unit := range append(ownUnits(h), templates.KubeletService) {
		if is, exists := h.Units[unit]; exists {
			is.Active = "inactive"
			h.Units[unit] = is
		}
	}
	h.Processes = nil
	return nil
}

// emptyNamespace takes Kubernetes' images out of a containerd that is not fairlead's, but for those of before.
func emptyNamespace(h *facts.Host) error {
	if !slices.Contains(ownUnits(h), templates.ContainerdService) && h.Units[templates.ContainerdService].Active == "active" {
		kept := strings.Split(string(h.Contents[saved+"images"]), "\n")
		remove(h, slices.DeleteFunc(below(h, strings.TrimSuffix(imageFolder, "/")), func(path string) bool { return slices.Contains(kept, path) })...)
	}
	return nil
}

func removeLinks(h *facts.Host) error {
	kept := strings.Split(string(h.Contents[saved+"links"]), "\n")
	h.Links = slices.DeleteFunc(slices.Clone(h.Links), func(link string) bool { return ofCluster(link) && !slices.Contains(kept, link) })
	return nil
}

// removePackages removes those that the ledger has and that no other one needs.
func removePackages(h *facts.Host) error {
	settlePackages(h)
	ours := map[string]bool{}
	for _, entry := range h.Ledger {
		ours[entry.Key] = ours[entry.Key] || entry.Kind == ledger.Package
	}
	uninstall(h, ours)
	for _, path := range below(h, indexFolder) {
		remove(h, path)
	}
	return nil
}

func disableUnits(h *facts.Host) error {
	for _, unit := range ownUnits(h) {
		if is, exists := h.Units[unit]; exists {
			is.Enabled = "disabled"
			h.Units[unit] = is
		}
	}
	return nil
}

// undo puts a thing back as the ledger says that it was.
func undo(h *facts.Host, entry ledger.Entry) {
	was, detail, _ := strings.Cut(entry.Was, " ")
	switch entry.Kind {
	case ledger.File:
		remove(h, entry.Key)
		if was == "saved" {
			name, _, _ := strings.Cut(detail, " ")
			putBack(h, entry.Key, name)
		}
	case ledger.Tree:
		name, _, _ := strings.Cut(detail, ".")
		kept := strings.Split(string(h.Contents[saved+name]), "\n")
		for _, path := range below(h, entry.Key) {
			if was == "absent" || !slices.Contains(kept, path) {
				remove(h, path)
			}
		}
	case ledger.Sysctl:
		if entry.Was != "absent" {
			h.Sysctls[entry.Key] = entry.Was
		}
	case ledger.Module:
		h.Modules[entry.Key] = was == "loaded"
		if entry.Key == "br_netfilter" && was != "loaded" { // its parameters go with it
			maps.DeleteFunc(h.Sysctls, func(key, _ string) bool { return strings.HasPrefix(key, "net.bridge.") })
		}
	case ledger.Unit:
		switch unit := h.Units[entry.Key]; {
		case was != "not-found":
			unit.Load, unit.Enabled = "loaded", was
			h.Units[entry.Key] = unit
		case strings.HasSuffix(entry.Key, ".swap"): // it was masked before there was any
			delete(h.Units, entry.Key)
		}
	}
}

// putBack puts a file in its place from its saved copy.
func putBack(h *facts.Host, path, name string) {
	h.Files[path] = h.Files[saved+name]
	if content, known := h.Contents[saved+name]; known {
		h.Contents[path] = content
	}
}

// takeAway takes files of fairlead's away: what was in their place comes back, and the ledger forgets them.
func takeAway(h *facts.Host, paths []string) {
	for _, path := range paths {
		remove(h, path)
		h.Ledger = slices.DeleteFunc(h.Ledger, func(entry ledger.Entry) bool {
			if entry.Kind != ledger.File || entry.Key != path {
				return false
			}
			if fields := strings.Fields(entry.Was); fields[0] == "saved" {
				putBack(h, path, fields[1])
				remove(h, saved+fields[1])
			}
			return true
		})
	}
}

// reloadUnits has systemd forget the units whose files are gone.
func reloadUnits(h *facts.Host) error {
	for _, name := range ownUnits(h) {
		if unitPath(h, name) == "" {
			delete(h.Units, name)
		}
	}
	delete(h.Units, templates.RegistryWriterService)
	return nil
}

// startAgain starts the units that ran before; services, which may run with other files, anew.
func startAgain(active string) func(*facts.Host) error {
	return func(h *facts.Host) error {
		for _, entry := range h.Ledger {
			if unit := h.Units[entry.Key]; entry.Kind == ledger.Unit && strings.HasSuffix(entry.Was, " active") {
				unit.Active = active
				h.Units[entry.Key] = unit
			}
		}
		return nil
	}
}

func swapOn(h *facts.Host) error {
	for _, device := range strings.Fields(string(h.Contents[saved+"swaps"])) {
		if !slices.ContainsFunc(h.Swaps, func(s facts.Swap) bool { return s.Device == device }) {
			h.Swaps = append(h.Swaps, facts.Swap{Device: device})
		}
	}
	return nil
}

// forget removes the ledger, which goes last.
func forget(h *facts.Host) error {
	h.Ledger = nil
	remove(h, below(h, templates.StateFolder)...)
	return nil
}
