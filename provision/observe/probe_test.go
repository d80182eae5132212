package observe

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// TestProbeOfThisMachine runs the real script: whatever machine the tests run on, its
// answer must be understood.
func TestProbeOfThisMachine(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sent := time.Now()
	query := facts.Query{
		Paths: []string{"/etc/hosts", "/etc", "/nonexistent"}, Disks: []string{"/usr/local/bin"}, Folders: []string{"/etc", "/nonexistent"},
		Sysctls: []string{"vm.overcommit_memory", "vm.never"}, Modules: []string{"never"}, Tools: []string{"awk", "no-such-tool"}, Remains: true,
	}
	command := exec.CommandContext(ctx, "/bin/sh", append([]string{"-s", "--"}, query.Arguments()...)...)
	command.Stdin = strings.NewReader(templates.ScriptProbe.Text())
	answer, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen, err := parseProbe(answer, sent, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if seen.CPUs < 1 || seen.MemoryKiB < 1 || seen.OS.ID == "" || len(seen.Disks) == 0 {
		t.Errorf("facts are incomplete: %+v", seen)
	}
	if file, ok := seen.Files["/etc/hosts"]; !ok || len(file.SHA256) != 64 {
		t.Errorf("/etc/hosts is %+v", file)
	}
	if !seen.Trees["/etc"] || seen.Trees["/nonexistent"] {
		t.Errorf("trees are %v", seen.Trees)
	}
	if seen.ClockOffset != 0 {
		t.Errorf("the clock is %v off itself", seen.ClockOffset)
	}
	if _, there := seen.Sysctls["vm.overcommit_memory"]; !there || !seen.Absent["sysctl:vm.never"] || seen.Absent["sysctl:vm.overcommit_memory"] {
		t.Errorf("sysctls %v, absent %v", seen.Sysctls, seen.Absent)
	}
	if loaded, answered := seen.Modules["never"]; loaded || !answered || !seen.NotEmpty["/etc"] || seen.NotEmpty["/nonexistent"] {
		t.Errorf("modules %v, not empty %v", seen.Modules, seen.NotEmpty)
	}
	if !slices.Equal(seen.MissingTools, []string{"no-such-tool"}) {
		t.Errorf("missing tools %v", seen.MissingTools)
	}
}

func TestParseProbe(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct{ name, answer, want string }{
		{"cut off", "uid\t0\n", "ends early"},
		{"empty", "", "ends early"},
	} {
		if _, err := parseProbe([]byte(c.answer), now, now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want one with %q", c.name, err, c.want)
		}
	}
	facts, err := parseProbe([]byte("uid\t0\nclock\t1090000000000\nswap\t/dev/vdb\tpartition\t1024\nledger\tsysctl net.ipv4.ip_forward 0\nend\n"), now, now.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if !facts.Root || facts.ClockOffset != 89*time.Second || facts.Swaps[0].Device != "/dev/vdb" {
		t.Errorf("facts are %+v", facts)
	}
	if want := (ledger.Entry{Kind: "sysctl", Key: "net.ipv4.ip_forward", Was: "0"}); facts.Ledger[0] != want {
		t.Errorf("ledger is %+v", facts.Ledger)
	}
}

// Whatever the ledger's lines hold, the rest of the answer is understood, and a damaged ledger is a fact.
func TestParseDamagedLedger(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, c := range map[string]struct{ lines, damage string }{
		"whole":          {"ledger\tfairlead-ledger 2\nledger\tfile /etc/a\\040b absent\nledger\tend 1\n", ""},
		"of before":      {"ledger\tfile /etc/a absent\n", ""},
		"empty":          {"ledger\t\n", "it is empty"},
		"cut":            {"ledger\tfairlead-ledger 2\nledger\tfile /etc/a absent\n", "its last line, which counts the entries, is missing"},
		"a blank line":   {"ledger\tfile /etc/a absent\nledger\t\n", "line 2 is no entry"},
		"an odd line":    {"ledger\tfile /etc/a absent\nledger\t?a?b\n", "line 2 is no entry"},
		"tabs":           {"ledger\tfile\t/etc/a\tabsent\n", "line 1 is no entry"},
		"a later form":   {"ledger\tfairlead-ledger 9\n", `it is of the form "fairlead-ledger 9", which this fairlead does not know`},
		"gone":           {"ledger-gone\tyes\n", "it is gone, and what it refers to is there"},
		"there was none": {"", ""},
	} {
		seen, err := parseProbe([]byte("uid\t0\n"+c.lines+"cpus\t4\nend\n"), now, now)
		if err != nil || !seen.Root || seen.CPUs != 4 || seen.LedgerDamage != c.damage {
			t.Errorf("%s: %v, the damage is %q, want %q", name, err, seen.LedgerDamage, c.damage)
		}
		if c.damage == "" && c.lines != "" && (len(seen.Ledger) != 1 || !strings.HasPrefix(seen.Ledger[0].Key, "/etc/a")) {
			t.Errorf("%s: the ledger is %+v", name, seen.Ledger)
		}
	}
}

// The kernel escapes blanks in the names of swap files.
func TestParseSwap(t *testing.T) {
	seen, err := parseProbe([]byte("swap\t/swap\\040file\tfile\t1024\nend\n"), time.Now(), time.Now())
	if err != nil || len(seen.Swaps) != 1 || seen.Swaps[0].Device != "/swap file" {
		t.Errorf("%+v, %v", seen.Swaps, err)
	}
}

// Files that are empty have no text, and the answer is understood nevertheless.
func TestProbeOfEmptyFiles(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "daemon.json")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-s", "--"}, facts.Query{Texts: []string{empty}, Paths: []string{"/etc/hosts"}}.Arguments()...)...)
	command.Stdin = strings.NewReader(templates.ScriptProbe.Text())
	answer, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseProbe(answer, time.Now(), time.Now()); err != nil {
		t.Error(err)
	}
}
