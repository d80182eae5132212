package observe

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
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

func readClock(f *facts.Host, v []string) error {
	n, err := unsigned(v[0])
	if err == nil {
		f.ClockOffset = time.Duration(n)
	}
	return err
}

// readSystemd takes the first number: a distribution writes 252.39-1~deb12u1, others v251.
func readSystemd(f *facts.Host, v []string) error {
	digit := func(r rune) bool { return r >= '0' && r <= '9' }
	version := v[0]
	if begin := strings.IndexFunc(version, digit); begin >= 0 {
		version = version[begin:]
	}
	if end := strings.IndexFunc(version, func(r rune) bool { return !digit(r) }); end >= 0 {
		version = version[:end]
	}
	n, err := parsed(strconv.ParseInt(version, 10, 32))
	if err == nil {
		f.Systemd = int(n)
	}
	return err
}

func readFile(f *facts.Host, v []string) error {
	mode, err1 := parsed(strconv.ParseUint(v[1], 8, 12))
	uid, err2 := parsed(strconv.ParseInt(v[2], 10, 33))
	gid, err3 := parsed(strconv.ParseInt(v[3], 10, 33))
	size, err4 := unsigned(v[4])
	for i, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return fmt.Errorf("%s: %w", []string{"mode", "owner", "group", "size"}[i], err)
		}
	}
	f.Files[v[0]] = facts.File{Mode: uint32(mode & 0o7777), UID: int(uid), GID: int(gid), Size: size}
	return nil
}

// readSHA256 completes a file that stood before it.
func readSHA256(f *facts.Host, v []string) error {
	file, ok := f.Files[v[0]]
	sum, err := hex.DecodeString(v[1])
	switch {
	case !ok:
		return errors.New("there is no such file before its hash")
	case err != nil || len(sum) != sha256.Size:
		return errors.New("it is no SHA-256")
	}
	file.SHA256 = v[1]
	f.Files[v[0]] = file
	return nil
}

// readAddress reads 192.0.2.1/24, and 10.8.0.2 alone, as the near end of a tunnel has it.
func readAddress(f *facts.Host, v []string) error {
	text, bits, hasBits := strings.Cut(v[1], "/")
	address, err := netip.ParseAddr(text)
	if err != nil {
		return errors.New("it is no address")
	}
	address = address.WithZone("") // which is the link
	prefix := netip.PrefixFrom(address, address.BitLen())
	if hasBits {
		n, err := strconv.ParseUint(bits, 10, 8)
		if prefix = netip.PrefixFrom(address, int(n)); err != nil || !prefix.IsValid() {
			return errors.New("it has no length of a network")
		}
	}
	f.Addresses = append(f.Addresses, facts.LinkAddress{Link: v[0], Prefix: prefix})
	return nil
}

func readNameserver(f *facts.Host, v []string) error {
	address, err := netip.ParseAddr(v[0])
	if err != nil {
		return errors.New("it is no address")
	}
	f.Nameservers = append(f.Nameservers, address)
	return nil
}

func readPort(f *facts.Host, v []string) error {
	port, err := unsigned(v[0])
	if err == nil && port > 65535 {
		err = errors.New("the number is too large")
	}
	if err == nil {
		f.Ports[int(port)] = v[1]
	}
	return err
}

// readDisk takes what is less than nothing for nothing: root may use more than is free for others.
func readDisk(f *facts.Host, v []string) error {
	size, err := unsigned(v[2])
	if err != nil {
		return fmt.Errorf("size: %w", err)
	}
	free, err := strconv.ParseInt(v[3], 10, 64)
	if err != nil {
		_, err = parsed(free, err)
		return fmt.Errorf("free: %w", err)
	}
	f.Disks = append(f.Disks, facts.Disk{Folder: v[0], Device: v[1], SizeKiB: size, FreeKiB: max(free, 0)})
	return nil
}

func readCapabilities(f *facts.Host, v []string) error {
	set, err := parsed(strconv.ParseUint(v[0], 16, 64))
	if err == nil {
		f.Capabilities = set
	}
	return err
}

// readUnit keeps systemd's own words, which are words.
func readUnit(f *facts.Host, v []string) error {
	for _, state := range []string{v[1], v[2], v[4]} {
		if strings.ContainsFunc(state, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' }) {
			return errors.New("a state of it is no word")
		}
	}
	if _, err := either(v[8], "yes", "no"); v[8] != "" && err != nil {
		return err
	}
	f.Units[v[0]] = facts.Unit{Load: v[1], Active: v[2], Enabled: v[4], Path: v[5], NeedsReload: v[8] == "yes"}
	return nil
}

func readModule(f *facts.Host, v []string) error {
	loaded, err := either(v[1], "loaded", "absent")
	if err == nil {
		f.Modules[v[0]] = loaded
	}
	return err
}

func readPackage(f *facts.Host, v []string) error {
	held, err := either(v[2], "held", "-")
	if err == nil && v[1] == "" {
		err = errors.New("it has no version")
	}
	if err == nil {
		f.Packages[v[0]] = facts.Package{Version: templates.UpstreamVersion(v[1]), Held: held}
	}
	return err
}

// readAbsent is of kernel parameters, the only things of which the probe says so.
func readAbsent(f *facts.Host, v []string) error {
	if v[0] != "sysctl" || v[1] == "" {
		return errors.New("it is no kernel parameter")
	}
	f.Absent[v[0]+":"+strings.ReplaceAll(v[1], "/", ".")] = true
	return nil
}

func readEnvironment(f *facts.Host, v []string) error {
	f.Environment[strings.ToUpper(v[0])] = facts.Printable(unquote(v[1]))
	return nil
}

// readContent turns the marks of the probe script back into new lines and tabs.
func readContent(f *facts.Host, v []string) error {
	f.Contents[v[0]] = []byte(strings.NewReplacer("\x1f", "\n", "\x1e", "\t").Replace(v[1]))
	return nil
}

func readCertificate(f *facts.Host, v []string) error {
	pem := []byte(strings.ReplaceAll(v[1], "|", "\n"))
	certificates, err := pki.ParseCertificates(pem)
	if err != nil {
		return cmp.Or(errors.Unwrap(err), err)
	}
	for _, c := range certificates {
		names := printable(c.Names, -1)
		if len(c.Names) == 0 {
			names = nil
		}
		f.Certificates = append(f.Certificates, facts.Certificate{Path: v[0], Subject: facts.Printable(c.Subject), Names: names})
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
	f.Swaps = append(f.Swaps, facts.Swap{Device: facts.Printable(device)})
}

func readReach(f *facts.Host, v []string) error {
	switch reached := facts.Reached(v[1]); reached {
	case facts.Connected, facts.Refused, facts.Unreachable, facts.NoAddress, facts.NoAnswer:
		f.Reach[v[0]] = reached
		return nil
	}
	return errors.New("it is no word for what comes of connecting")
}
