package provision

import (
	"fmt"
	"slices"
	"strings"
)

// remains compares a host after its reset with what its ledger promised before.
func remains(was, now HostFacts) []string {
	var left []string
	found := func(format string, args ...any) { left = append(left, fmt.Sprintf(format, args...)) }
	for _, process := range now.Processes {
		if was.there(containerdUnit) && strings.HasPrefix(process.Program, packageContainerd) {
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
		found("%s/ledger", stateFolder)
	}
	return left
}

// notUndone says what of one ledger entry is still as the cluster had it.
func notUndone(entry LedgerEntry, now HostFacts) string {
	check, ok := map[string]func(LedgerEntry, HostFacts) string{
		touchFile: fileLeft, touchTree: treeLeft, touchSysctl: sysctlLeft, touchSwap: swapLeft, touchUnit: unitLeft, touchPackage: packageLeft,
	}[entry.Kind]
	if !ok {
		return ""
	}
	return check(entry, now)
}

func fileLeft(entry LedgerEntry, now HostFacts) string {
	_, exists := now.Files[entry.Key]
	switch {
	case exists && entry.Was == "absent":
		return "file " + entry.Key
	case !exists && entry.Was != "absent":
		return "file " + entry.Key + " was not put back"
	}
	return ""
}

func treeLeft(entry LedgerEntry, now HostFacts) string {
	if now.Trees[entry.Key] && entry.Was == "absent" {
		return "folder " + entry.Key
	}
	return ""
}

func sysctlLeft(entry LedgerEntry, now HostFacts) string {
	if is, ok := now.Sysctls[entry.Key]; ok && entry.Was != "absent" && is != entry.Was {
		return fmt.Sprintf("sysctl %s is %s and was %s", entry.Key, is, entry.Was)
	}
	return ""
}

func swapLeft(entry LedgerEntry, now HostFacts) string {
	for device := range strings.SplitSeq(entry.Was, ",") {
		if device != "" && !slices.ContainsFunc(now.Swaps, func(s Swap) bool { return s.Device == device }) {
			return "swap on " + device + " was not turned on again"
		}
	}
	return ""
}

func unitLeft(entry LedgerEntry, now HostFacts) string {
	if state, _, _ := strings.Cut(entry.Was, " "); state == "not-found" && now.Units[entry.Key].Load == "loaded" {
		return "unit " + entry.Key
	}
	return ""
}

func packageLeft(entry LedgerEntry, now HostFacts) string {
	if _, installed := now.Packages[entry.Key]; installed && entry.Was == "absent" {
		return "package " + entry.Key
	}
	return ""
}
