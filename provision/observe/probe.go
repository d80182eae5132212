package observe

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"fairlead/pki"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/templates"
)

// errProbe says that the probe's answer cannot be understood.
var errProbe = errors.New("probe answer")

// parseProbe reads the answer of the probe script: one fact a line, its name and its
// fields separated by tabs, the last line "end". sent and received are the laptop's
// times around the round trip.
func parseProbe(answer []byte, sent, received time.Time) (facts.Host, error) {
	f := facts.Host{
		Ports: map[int]string{}, Modules: map[string]bool{}, Sysctls: map[string]string{},
		Files: map[string]facts.File{}, Trees: map[string]bool{}, Contents: map[string][]byte{}, Units: map[string]facts.Unit{},
		Versions: map[string]facts.Version{},
		Images:   map[string]facts.Image{}, Packages: map[string]facts.Package{}, Candidates: map[string]string{},
		Environment: map[string]string{}, Sockets: map[string]bool{}, Symlinks: map[string]bool{}, Absent: map[string]bool{},
		Kubeconfigs: map[string]bool{}, NotEmpty: map[string]bool{}, RegistryImages: map[string]string{},
	}
	if !bytes.HasSuffix(answer, []byte("\nend\n")) {
		return f, fmt.Errorf("%w: it ends early, after %d bytes", errProbe, len(answer))
	}
	var ledgerLines []string
	for n, line := range strings.Split(strings.TrimSuffix(string(answer), "\nend\n"), "\n") {
		name, rest, _ := strings.Cut(line, "\t")
		if name == "ledger" { // whatever it holds
			ledgerLines = append(ledgerLines, rest)
			continue
		}
		rule, ok := probeRules[name]
		if !ok {
			return f, fmt.Errorf("%w: line %d: unknown fact %q", errProbe, n+1, name)
		}
		fields := strings.Split(rest, "\t")
		if len(fields) != rule.fields {
			return f, fmt.Errorf("%w: line %d: %s has %d fields, want %d", errProbe, n+1, name, len(fields), rule.fields)
		}
		if err := rule.read(&f, fields); err != nil {
			return f, fmt.Errorf("%w: line %d: %s: %w", errProbe, n+1, name, err)
		}
	}
	readLedger(&f, ledgerLines)
	f.ClockOffset = clockOffset(f.ClockOffset, sent, received)
	return f, nil
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

// probeRule says how many fields a fact has and where they go.
type probeRule struct {
	fields int
	read   func(*facts.Host, []string) error
}

// text is the rule of a fact that is kept as it is.
func text(fields int, keep func(*facts.Host, []string)) probeRule {
	return probeRule{fields, func(f *facts.Host, v []string) error { keep(f, v); return nil }}
}

// number is the rule of a fact with one number.
func number(keep func(*facts.Host, int64)) probeRule {
	return probeRule{1, func(f *facts.Host, v []string) error {
		n, err := strconv.ParseInt(v[0], 10, 64)
		if err == nil {
			keep(f, n)
		}
		return err
	}}
}

func readFile(f *facts.Host, v []string) error {
	if v[0] == "" {
		return errors.New("a file without a path")
	}
	mode, err1 := strconv.ParseUint(v[1], 8, 12)
	uid, err2 := strconv.Atoi(v[2])
	gid, err3 := strconv.Atoi(v[3])
	size, err4 := strconv.ParseInt(v[4], 10, 64)
	f.Files[v[0]] = facts.File{Mode: uint32(mode), UID: uid, GID: gid, Size: size}
	return errors.Join(err1, err2, err3, err4)
}

// readSHA256 completes a file that stood before it.
func readSHA256(f *facts.Host, v []string) error {
	file, ok := f.Files[v[0]]
	if !ok {
		return fmt.Errorf("no file %s before its hash", v[0])
	}
	file.SHA256 = v[1]
	f.Files[v[0]] = file
	return nil
}

func readAddress(f *facts.Host, v []string) error {
	prefix, err := netip.ParsePrefix(v[1])
	f.Addresses = append(f.Addresses, facts.LinkAddress{Link: v[0], Prefix: prefix})
	return err
}

func readNameserver(f *facts.Host, v []string) error {
	address, err := netip.ParseAddr(v[0])
	f.Nameservers = append(f.Nameservers, address)
	return err
}

func readPort(f *facts.Host, v []string) error {
	port, err := strconv.ParseUint(v[0], 10, 16)
	f.Ports[int(port)] = v[1]
	return err
}

func readDisk(f *facts.Host, v []string) error {
	size, err1 := strconv.ParseInt(v[2], 10, 64)
	free, err2 := strconv.ParseInt(v[3], 10, 64)
	f.Disks = append(f.Disks, facts.Disk{Folder: v[0], Device: v[1], SizeKiB: size, FreeKiB: free})
	return errors.Join(err1, err2)
}

func readCapabilities(f *facts.Host, v []string) (err error) {
	f.Capabilities, err = strconv.ParseUint(v[0], 16, 64)
	return err
}

// readContent turns the marks of the probe script back into new lines and tabs.
func readContent(f *facts.Host, v []string) {
	f.Contents[v[0]] = []byte(strings.NewReplacer("\x1f", "\n", "\x1e", "\t").Replace(v[1]))
}

func readCertificate(f *facts.Host, v []string) error {
	pem := []byte(strings.ReplaceAll(v[1], "|", "\n"))
	certificates, err := pki.ParseCertificates(pem)
	if err != nil {
		return fmt.Errorf("%s: %w", v[0], err)
	}
	for _, c := range certificates {
		f.Certificates = append(f.Certificates, facts.Certificate{Path: v[0], Subject: c.Subject, Names: c.Names})
	}
	switch v[0] {
	case templates.CACertificate:
		f.CA = pem
	case templates.RegistryCA:
		f.RegistryCA = pem
	case templates.RegistryCertificate:
		f.RegistryCertificate = pem
	}
	return nil
}

// readSwap takes the device's name as it is, of which the kernel escapes blanks.
func readSwap(f *facts.Host, v []string) {
	device, err := ledger.Decode(v[0])
	if err != nil {
		device = v[0]
	}
	f.Swaps = append(f.Swaps, facts.Swap{Device: device})
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
