package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// promise is what a kind of ledger entry promises: what has to be asked to see whether an entry is
// undone, whether that was answered, and what is left of it. A whole answer to a question counts as
// answered, where answered is nil.
type promise struct {
	asks     func(key string) facts.Query
	answered func(key string, now facts.Host) bool
	left     func(entry ledger.Entry, now facts.Host) string
}

// promises has a row for each kind of ledger entry.
func promises() map[string]promise {
	path := func(key string) facts.Query { return facts.Query{Paths: []string{key}} }
	kept := func(ledger.Entry, facts.Host) string { return "" } // reset says itself what it keeps, and why
	return map[string]promise{
		ledger.File:    {asks: path, left: fileLeft},
		ledger.Tree:    {asks: path, left: treeLeft},
		ledger.Dir:     {asks: path, left: kept},
		ledger.Sysctl:  {asks: func(key string) facts.Query { return facts.Query{Sysctls: []string{key}} }, answered: sysctlAnswered, left: sysctlLeft},
		ledger.Module:  {asks: func(key string) facts.Query { return facts.Query{Modules: []string{key}} }, answered: moduleAnswered, left: kept},
		ledger.Unit:    {asks: func(key string) facts.Query { return facts.Query{Units: []string{key}} }, answered: unitAnswered, left: unitLeft},
		ledger.Swap:    {asks: func(string) facts.Query { return facts.Query{} }, left: swapLeft},
		ledger.Net:     {asks: func(string) facts.Query { return facts.Query{Remains: true} }, left: kept}, // its own facts say it
		ledger.Package: {asks: func(key string) facts.Query { return facts.Query{Packages: []string{key}} }, left: packageLeft},
	}
}

// AsksAfterReset is what has to be asked of a host to see whether all of its ledger is undone, or, without one, a cluster of kind's.
func AsksAfterReset(was facts.Host) facts.Query {
	if len(was.Ledger) == 0 {
		return asksOfResetKind()
	}
	queries, all := []facts.Query{{Remains: true}}, promises()
	for _, entry := range was.Ledger {
		if promise, known := all[entry.Kind]; known {
			queries = append(queries, promise.asks(entry.Key))
		}
	}
	return facts.Ask(queries...)
}

// unknownEntries are those that this fairlead does not understand: a later one wrote them, or they are damaged.
func unknownEntries(entries []ledger.Entry) []string {
	var unknown []string
	for _, entry := range entries {
		if !entry.Understood() {
			unknown = append(unknown, entry.Kind+" "+entry.Key)
		}
	}
	return unknown
}

// undoneBy are the facts that show whether entries of a ledger are undone.
func undoneBy() []string {
	return []string{
		"file", "sha256", "tree", "socket", "symlink", "sysctl", "absent", "module", "unit", "swap", "package",
		"process", "mount", "link", "netfilter", "ledger-gone",
	}
}

// Leftovers compares a host after its reset with what its ledger promised before. The error names the entries of which nobody has
// said whether they are undone, and what was said of them and cannot be read.
func Leftovers(was, now facts.Host) ([]string, error) {
	left, all := remains(was, now), promises()
	var errs []error
	if len(was.Ledger) == 0 {
		left = append(left, kindLeft(now)...)
	}
	for _, entry := range was.Ledger {
		promise, known := all[entry.Kind]
		if !known || !promise.wasAnswered(entry.Key, now) {
			errs = append(errs, fmt.Errorf("ledger entry %s %s: nobody has said whether it is undone", entry.Kind, entry.Key))
			continue
		}
		if item := promise.left(entry, now); item != "" {
			left = append(left, item)
		}
	}
	for _, unread := range now.Unread {
		if unread.Fact == "" || slices.Contains(undoneBy(), unread.Fact) {
			errs = append(errs, fmt.Errorf("%v: nobody has said whether all is undone", unread))
		}
	}
	if len(now.Ledger) > 0 || now.LedgerDamage != "" {
		left = append(left, templates.StateFolder+"/ledger")
	}
	return left, errors.Join(errs...)
}

// resetLinks are the interfaces that a reset removes (scripts/reset-network.sh): flannel's and kube-proxy's.
func resetLinks() []string { return []string{"cni0", "flannel.1", "flannel-v6.1", "kube-ipvs0"} }

// remains are processes, mounts, interfaces and rules, of which a reset must leave none.
func remains(was, now facts.Host) []string {
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
		if slices.Contains(resetLinks(), link) {
			found("interface %s", link)
		}
	}
	for _, rules := range now.Netfilter {
		found("netfilter rules in %s", rules)
	}
	return left
}

// wasAnswered says that a host was asked what an entry needs, and has answered.
func (p promise) wasAnswered(key string, now facts.Host) bool {
	if !now.Asked.Includes(p.asks(key)) {
		return false
	}
	return p.answered == nil || p.answered(key, now)
}

func sysctlAnswered(key string, now facts.Host) bool {
	_, there := now.Sysctls[key]
	return there || now.Absent["sysctl:"+key]
}

func moduleAnswered(key string, now facts.Host) bool {
	_, answered := now.Modules[key]
	return answered
}

func unitAnswered(key string, now facts.Host) bool {
	_, answered := now.Units[key]
	return answered
}

func fileLeft(entry ledger.Entry, now facts.Host) string {
	_, exists := now.Files[entry.Key]
	exists = exists || now.Sockets[entry.Key] || now.Symlinks[entry.Key]
	switch {
	case exists && entry.Was == "absent":
		return "file " + entry.Key
	case !exists && entry.Was != "absent":
		return "file " + entry.Key + " was not put back"
	}
	if is, sum := now.Files[entry.Key].SHA256, entry.SavedSHA256(); is != "" && sum != "" && is != sum {
		return "file " + entry.Key + " is not what it was"
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
	var off []string
	for _, device := range entry.Devices() {
		device = facts.Printable(device) // as facts have it
		if !slices.ContainsFunc(now.Swaps, func(s facts.Swap) bool { return s.Device == device }) {
			off = append(off, device)
		}
	}
	if len(off) == 0 {
		return ""
	}
	return "swap on " + strings.Join(off, ", ") + " was not turned on again"
}

func unitLeft(entry ledger.Entry, now facts.Host) string {
	state, _, _ := strings.Cut(entry.Was, " ")
	switch is := now.Units[entry.Key]; {
	case is.Enabled == "masked" && !strings.HasPrefix(state, "masked"):
		return "unit " + entry.Key + " is masked and was not"
	case state == "not-found" && is.Load == "loaded" && !strings.HasSuffix(entry.Key, ".swap"): // swap is turned on by whatever made it
		return "unit " + entry.Key
	}
	return ""
}

func packageLeft(entry ledger.Entry, now facts.Host) string {
	if _, installed := now.Packages[entry.Key]; installed {
		return "package " + entry.Key
	}
	return ""
}
