package observe

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/provision/facts"
	"fairlead/provision/ledger"
)

// errProbe says that the probe's answer is not whole.
var errProbe = errors.New("probe answer")

// endOfAnswer is the last line. No fact can have it in it, whatever a host's users call their files and processes.
const endOfAnswer = "\nend\n"

// parseProbe reads the answer of the probe script: one fact a line, its name and its
// fields separated by tabs, the last line "end". sent and received are the laptop's
// times around the round trip. Only an answer without its end is none: a line that cannot be
// read is a fact of its own, and changes no other.
func parseProbe(answer []byte, sent, received time.Time) (facts.Host, error) {
	f := facts.Host{
		Ports: map[int]string{}, Modules: map[string]bool{}, Sysctls: map[string]string{},
		Files: map[string]facts.File{}, Trees: map[string]bool{}, Contents: map[string][]byte{}, Units: map[string]facts.Unit{},
		Versions: map[string]facts.Version{},
		Images:   map[string]facts.Image{}, Packages: map[string]facts.Package{}, Candidates: map[string]string{},
		Environment: map[string]string{}, Reach: map[string]facts.Reached{}, Readyz: map[string]string{}, Sockets: map[string]bool{}, Symlinks: map[string]bool{}, Absent: map[string]bool{},
		Kubeconfigs: map[string]bool{}, Servers: map[string]string{}, NotEmpty: map[string]bool{}, RegistryImages: map[string]string{},
	}
	if !bytes.HasSuffix(answer, []byte(endOfAnswer)) {
		return f, fmt.Errorf("%w: it ends early, after %d bytes", errProbe, len(answer))
	}
	rules := probeRules()
	var ledgerLines []string
	for line := range strings.SplitSeq(strings.TrimSuffix(string(answer), endOfAnswer), "\n") {
		name, rest, _ := strings.Cut(line, "\t")
		if name == "ledger" { // whatever it holds
			ledgerLines = append(ledgerLines, rest)
			continue
		}
		rules.readLine(&f, line)
	}
	readLedger(&f, ledgerLines)
	// A clock that cannot be read is not one that is decades off.
	if !slices.ContainsFunc(f.Unread, func(u facts.Unread) bool { return u.Fact == "clock" }) {
		f.ClockOffset = clockOffset(f.ClockOffset, sent, received)
	}
	return f, nil
}

// rules are all facts that the probe script may print, by their names.
type rules map[string]rule

// readLine reads one fact, or adds to those that cannot be read.
func (r rules) readLine(f *facts.Host, line string) {
	name, rest, _ := strings.Cut(line, "\t")
	rule, known := r[name]
	if !known {
		f.Unread = append(f.Unread, facts.NewUnread("", "", line, "this fairlead knows no such fact"))
		return
	}
	fields := strings.Split(rest, "\t")
	if err := rule.apply(f, fields); err != nil {
		f.Unread = append(f.Unread, rule.unread(name, fields, err))
	}
}

// clockOffset turns the host's time since 1970 into its distance from the round trip.
func clockOffset(host time.Duration, sent, received time.Time) time.Duration {
	clock := time.Unix(0, int64(host))
	switch {
	case clock.Before(sent):
		return clock.Sub(sent)
	case clock.After(received):
		return clock.Sub(received)
	}
	return 0
}

// readLedger reads the lines of the host's ledger, none of which is needed to understand the rest of an answer: that it is
// damaged is a fact like any other.
func readLedger(f *facts.Host, lines []string) {
	if len(lines) == 0 {
		return
	}
	var err error
	if f.Ledger, err = ledger.Read(lines); err != nil {
		f.LedgerDamage = err.Error()
	}
}
