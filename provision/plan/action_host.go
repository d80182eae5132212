package plan

import (
	"fmt"
	"strings"

	"fairlead/provision/ledger"
	"fairlead/templates"
)

// PutFile writes one small file of ours, as root and atomically.
type PutFile struct {
	Path    string
	Mode    uint32
	Content []byte
	Before  []byte // what was observed, for the diff
	Secret  bool   // the content is shown to nobody
}

// Describe implements Action.
func (a PutFile) Describe() string { return fmt.Sprintf("write %s (mode %04o)", a.Path, a.Mode) }

// Diff implements Differ.
func (a PutFile) Diff() (path string, before, after []byte) {
	if a.Secret {
		return a.Path, nil, []byte("(secret)\n")
	}
	return a.Path, a.Before, a.Content
}

// Touches implements Toucher.
func (a PutFile) Touches() []ledger.Touch { return ledger.Files(a.Path) }

// Script runs a shell script as root. Its text is fixed; what varies are its arguments.
type Script struct {
	Title   string
	Name    templates.Script
	Args    []string
	Touched []ledger.Touch
}

// Describe implements Action.
func (a Script) Describe() string { return a.Title }

// Touches implements Toucher.
func (a Script) Touches() []ledger.Touch { return a.Touched }

// LoadModules loads kernel modules now.
func LoadModules(modules []string) Script {
	var touched []ledger.Touch
	for _, module := range modules {
		touched = append(touched, ledger.Touch{Kind: ledger.Module, Key: module})
	}
	return Script{Title: "modprobe " + strings.Join(modules, " "), Name: templates.ScriptLoadModules, Args: modules, Touched: touched}
}

// SetSysctls sets kernel parameters, given as KEY=VALUE, and reads them back.
func SetSysctls(assignments []string) Script {
	var touched []ledger.Touch
	for _, assignment := range assignments {
		key, _, _ := strings.Cut(assignment, "=")
		touched = append(touched, ledger.Touch{Kind: ledger.Sysctl, Key: key})
	}
	return Script{Title: "sysctl -w " + strings.Join(assignments, " "), Name: templates.ScriptSetSysctls, Args: assignments, Touched: touched}
}

// StopUnit stops a systemd unit whose files are about to change.
func StopUnit(unit string) Script {
	return Script{Title: "systemctl stop " + unit, Name: templates.ScriptStopUnit, Args: []string{unit}, Touched: []ledger.Touch{{Kind: ledger.Unit, Key: unit}}}
}

// StartUnit enables a systemd unit, and starts it if it has to run by now.
func StartUnit(unit string, start bool) Script {
	args, title := []string{unit}, "systemctl enable "+unit
	if start {
		args, title = append(args, "start"), "systemctl enable --now "+unit
	}
	return Script{Title: title, Name: templates.ScriptStartUnit, Args: args, Touched: []ledger.Touch{{Kind: ledger.Unit, Key: unit}}}
}

// RestartUnit restarts a systemd unit that runs with the right files.
func RestartUnit(unit string) Script {
	return Script{Title: "systemctl restart " + unit, Name: templates.ScriptRestartUnit, Args: []string{unit}}
}

// RemoveFiles takes away files that an earlier step has put there: what was in their place before comes back.
func RemoveFiles(paths []string) Script {
	return Script{Title: "remove " + strings.Join(paths, ", "), Name: templates.ScriptRemoveFiles, Args: paths, Touched: ledger.Files(paths...)}
}

// RefreshRepositories reads the indexes of package repositories anew and verifies them.
func RefreshRepositories(manager templates.PackageManager, names []string) Script {
	return packagesScript(manager, "read the indexes of "+strings.Join(names, ", "), "refresh", names)
}

// FetchKey fetches the key of a package repository.
func FetchKey(manager templates.PackageManager, url, path string) Script {
	script := packagesScript(manager, "fetch "+url+" to "+path, "key", []string{url, path})
	script.Touched = ledger.Files(path)
	return script
}

// InstallPackages installs packages; the script writes into the ledger which ones are new.
func InstallPackages(manager templates.PackageManager, specs []string) Script {
	return packagesScript(manager, "install packages "+strings.Join(specs, ", "), "install", specs)
}

// ReinstallPackages installs packages again of which files were changed.
func ReinstallPackages(manager templates.PackageManager, specs []string) Script {
	return packagesScript(manager, "install packages again: "+strings.Join(specs, ", "), "reinstall", specs)
}

// AccountPackages writes into the ledger what an install that was cut off has brought.
func AccountPackages(manager templates.PackageManager) Script {
	return packagesScript(manager, "write down the packages of an install that was cut off", "account", nil)
}

// AddPackages installs packages beside what fairlead itself needs, by exactly these names. Which ones were asked for stands
// beside the ledger.
func AddPackages(manager templates.PackageManager, names []string) Script {
	script := packagesScript(manager, "install packages "+strings.Join(names, ", "), "add", names)
	script.Touched = ledger.Files(templates.PackagesRecord)
	return script
}

// WithdrawPackages removes what was added and is not among the kept ones, with all that came along, but for what others need.
func WithdrawPackages(manager templates.PackageManager, withdrawn, kept []string) Script {
	return packagesScript(manager, "remove packages "+strings.Join(withdrawn, ", ")+" and what came along with them", "keep", kept)
}

// HoldPackages keeps packages at their version.
func HoldPackages(manager templates.PackageManager, names []string) Script {
	return packagesScript(manager, "hold packages "+strings.Join(names, ", "), "hold", names)
}

func packagesScript(manager templates.PackageManager, title, verb string, args []string) Script {
	return Script{Title: string(manager) + ": " + title, Name: templates.Packages(manager), Args: append([]string{verb}, args...)}
}
