package plan

import (
	"fmt"
	"slices"
	"strings"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// Leftovers compares a host after its reset with what its ledger promised before.
func Leftovers(was, now facts.Host) []string {
	var left []string
	found := func(format string, args ...any) { left = append(left, fmt.Sprintf(format, args...)) }
	for _, process := range now.Processes {
		if was.Preexisting(templates.ContainerdService) && strings.HasPrefix(process.Program, templates.PackageContainerd) {
			continue // others had it before
		}
		found("process %s (pid %s)", process.Program, process.PID)
	}
	for _, mount := range now.Mounts {
		found("mount %s", mount)
	}
	for _, link := range now.Links {
		if slices.Contains([]string{"cni0", "flannel.1", "flannel-v6.1", "kube-ipvs0"}, link) {
			found("interface %s", link)
		}
	}
	for _, rules := range now.Netfilter {
		found("netfilter rules in %s", rules)
	}
	for _, entry := range was.Ledger {
		if item := notUndone(entry, now); item != "" {
			found("%s", item)
		}
	}
	if len(now.Ledger) > 0 {
		found("%s/ledger", templates.StateFolder)
	}
	return left
}

// notUndone says what of one ledger entry is still as the cluster had it.
func notUndone(entry ledger.Entry, now facts.Host) string {
	check, ok := map[string]func(ledger.Entry, facts.Host) string{
		ledger.File: fileLeft, ledger.Tree: treeLeft, ledger.Sysctl: sysctlLeft, ledger.Swap: swapLeft, ledger.Unit: unitLeft, ledger.Package: packageLeft,
	}[entry.Kind]
	if !ok {
		return ""
	}
	return check(entry, now)
}

func fileLeft(entry ledger.Entry, now facts.Host) string {
	_, exists := now.Files[entry.Key]
	switch {
	case exists && entry.Was == "absent":
		return "file " + entry.Key
	case !exists && entry.Was != "absent":
		return "file " + entry.Key + " was not put back"
	}
	return ""
}

func treeLeft(entry ledger.Entry, now facts.Host) string {
	if now.Trees[entry.Key] && entry.Was == "absent" {
		return "folder " + entry.Key
	}
	return ""
}

func sysctlLeft(entry ledger.Entry, now facts.Host) string {
	if is, ok := now.Sysctls[entry.Key]; ok && entry.Was != "absent" && is != entry.Was {
		return fmt.Sprintf("sysctl %s is %s and was %s", entry.Key, is, entry.Was)
	}
	return ""
}

func swapLeft(entry ledger.Entry, now facts.Host) string {
	for device := range strings.SplitSeq(entry.Was, ",") {
		if device != "" && !slices.ContainsFunc(now.Swaps, func(s facts.Swap) bool { return s.Device == device }) {
			return "swap on " + device + " was not turned on again"
		}
	}
	return ""
}

func unitLeft(entry ledger.Entry, now facts.Host) string {
	if state, _, _ := strings.Cut(entry.Was, " "); state == "not-found" && now.Units[entry.Key].Load == "loaded" {
		return "unit " + entry.Key
	}
	return ""
}

func packageLeft(entry ledger.Entry, now facts.Host) string {
	if _, installed := now.Packages[entry.Key]; installed && entry.Was == "absent" {
		return "package " + entry.Key
	}
	return ""
}
