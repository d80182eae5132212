package inventory

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// sshFields are the keys of ssh that make sense for many hosts at once.
func sshFields() []field[SSH] {
	return []field[SSH]{
		{"transport", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) {
			s.Transport = d.oneOf(n, p, append([]string{TransportSSH, TransportLocal}, containerTransports()...))
		}},
		{"user", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) { s.User = d.user(n, p) }},
		{"port", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) { s.Port = d.port(n, p) }},
		{"identityFile", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) { s.IdentityFile = d.file(n, p) }},
		{"knownHosts", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) { s.KnownHosts = d.file(n, p) }},
		{"jump", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) { s.Jump = d.jump(n, p) }},
		{"sudo", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) { s.Sudo = d.sudo(n, p) }},
		{"context", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) { s.Context = d.containerName(n, p, "context") }},
	}
}

// hostSSHFields adds what belongs to one host alone.
func hostSSHFields() []field[SSH] {
	return append(sshFields(), []field[SSH]{
		{"address", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) { s.Address = d.sshAddress(n, p) }},
		{"hostKey", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) { s.HostKey = d.hostKey(n, p) }},
		{"container", false, func(d *decoder, n *yaml.Node, p []string, s *SSH) { s.Container = d.containerName(n, p, "container") }},
	}...)
}

// readSSHDefaults reads the top-level ssh.
func readSSHDefaults(d *decoder, node *yaml.Node, path []string, into *SSH) {
	before := len(d.problems)
	d.readSSH(node, path, into, sshFields())
	own := map[string]string{"hostKey": "has its own key", "address": "has its own address", "container": "is a container of its own"}
	for i, p := range d.problems[before:] {
		if len(p.Path) == 2 && own[p.Path[1]] != "" {
			d.problems[before+i].Message = "every host " + own[p.Path[1]] + "; move it to the ssh of that host"
		}
	}
}

// readSSH reads the ssh of a host or of all hosts. Keys that are about a login make no
// sense for this machine and for containers, nor those about containers for a login.
func (d *decoder) readSSH(node *yaml.Node, path []string, into *SSH, fields []field[SSH]) {
	var given []string
	for i, f := range fields {
		fields[i].read = func(d *decoder, n *yaml.Node, p []string, s *SSH) {
			given = append(given, f.key)
			f.read(d, n, p, s)
		}
	}
	mapping(d, node, path, into, fields)
	for _, key := range given {
		if why := meaningless(key, *into); why != "" {
			d.fault(at(path, key), "has no meaning with %s; remove it", why)
		}
	}
}

// meaningless says with what a key of ssh has no meaning, and why; empty where it has one.
func meaningless(key string, s SSH) string {
	aboutContainer := key == "container" || key == "context"
	switch {
	case key == "transport" || s.Transport == "", // one that could not be read
		key == "sudo" && s.Transport == TransportLocal:
		return ""
	case s.InContainer() && !aboutContainer, s.Transport == TransportLocal:
		return "transport: " + s.Transport + ", which logs in nowhere"
	case s.Transport == TransportSSH && aboutContainer:
		return "transport: ssh; it goes with " + strings.Join(containerTransports(), ", ")
	}
	return ""
}

// settled is how a host is reached: what others log in with is nothing to this machine or to a container, and
// of a container nothing to others.
func (s SSH) settled(name string) SSH {
	switch {
	case s.Transport == TransportLocal:
		return SSH{Transport: TransportLocal, Sudo: s.Sudo}
	case s.InContainer():
		return SSH{Transport: s.Transport, User: "root", Container: cmp.Or(s.Container, name), Context: s.Context}
	}
	s.Container, s.Context = "", ""
	return s
}

// containerName reads a name that the clients of containers take: of a container, or of a context.
func (d *decoder) containerName(node *yaml.Node, path []string, what string) string {
	s, ok := d.text(node, path)
	if ok && !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.+-]*$`).MatchString(s) {
		d.fault(path, "%q is not the name of a %s: letters, digits, _, ., + and -, the first one a letter or digit", clip(s), what)
		return ""
	}
	return s
}

// checkTransport reports a second host that is said to be this machine, or the same container.
func (doc *document) checkTransport(places []place) {
	taken := map[[3]string]string{}
	for _, p := range places {
		if p.SSH.Transport != TransportLocal && (!p.SSH.InContainer() || p.SSH.Container == "") {
			continue
		}
		is := [3]string{p.SSH.Transport, p.SSH.Container, p.SSH.Context}
		first, twice := taken[is]
		switch {
		case !twice:
			taken[is] = pathString(p.path)
		case p.SSH.InContainer():
			doc.fault(at(p.path, "ssh", "container"), "is %s, and so is that of %s: each host is a container of its own", p.SSH.Container, first)
		default:
			doc.fault(at(p.path, "ssh", "transport"), "is local, and so is that of %s: only one host can be this machine", first)
		}
	}
}

// sshAddress reads where ssh gets to a host. An alias may be any word that ssh takes for a host: valid_hostname in its ssh.c.
func (d *decoder) sshAddress(node *yaml.Node, path []string) string {
	s, ok := d.text(node, path)
	if !ok {
		return ""
	}
	a, err := netip.ParseAddr(s)
	if problem := sshAddressProblem(s, a, err == nil); problem != "" {
		d.fault(path, "%s", problem)
		return ""
	}
	return s
}

func sshAddressProblem(s string, a netip.Addr, isIP bool) string {
	quoted := strconv.Quote(clip(s))
	_, _, portErr := net.SplitHostPort(s)
	switch {
	case isIP && (a.IsUnspecified() || a.IsMulticast()):
		return quoted + " is no address of one machine"
	case isIP:
		return ""
	case strings.Contains(s, "://"):
		return quoted + " is a URL; give the host's name alone, and its user and port as ssh.user and ssh.port"
	case strings.Contains(s, "@"):
		return quoted + " has a user; give the host's name alone and set ssh.user"
	case portErr == nil:
		return quoted + " has a port; give the host's name alone and set ssh.port"
	case withoutLeadingZeros(s) != s:
		return addressProblem(s)
	case !isAlias(s):
		return quoted + " is neither an IP address nor a name that ssh takes"
	}
	return ""
}

// isAlias says whether ssh takes a word for the name of one host. A colon or a percent sign it takes in addresses only.
func isAlias(s string) bool {
	return !strings.HasPrefix(s, "-") && !strings.ContainsAny(s, "'`\"$\\;&<>|(){}[]/,*?!#:%") &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// user reads a login name.
func (d *decoder) user(node *yaml.Node, path []string) string {
	s, ok := d.text(node, path)
	if ok && (strings.HasPrefix(s, "-") || strings.ContainsFunc(s, unicode.IsSpace) || strings.ContainsAny(s, "@:/")) {
		d.fault(path, "%q is not a login name", clip(s))
		return ""
	}
	return s
}

// port reads a TCP port.
func (d *decoder) port(node *yaml.Node, path []string) int {
	n, ok := d.whole(node, path)
	if ok && (n < 1 || n > 65535) {
		d.fault(path, "must be a port from 1 to 65535, got %s", clip(target(node).Value))
		return 0
	}
	return n
}

// file reads a path and makes it absolute: ~/ is the home folder, and a relative
// path starts at the folder of the cluster file.
func (d *decoder) file(node *yaml.Node, path []string) string {
	s, ok := d.text(node, path)
	if !ok {
		return ""
	}
	if rest, home := strings.CutPrefix(s, "~"); home {
		if rest != "" && !strings.HasPrefix(rest, "/") {
			d.fault(path, "%q names another user's home folder; write the whole path", clip(s))
			return ""
		}
		folder, err := os.UserHomeDir()
		if err != nil {
			d.fault(path, "the home folder is not known (%v); write the whole path", err)
			return ""
		}
		s = filepath.Join(folder, rest)
	} else if !filepath.IsAbs(s) {
		s = filepath.Join(d.folder, s)
	}
	absolute, err := filepath.Abs(s)
	if err != nil {
		d.fault(path, "cannot be made absolute (%v); write the whole path", err)
		return ""
	}
	return absolute
}

// hostKey reads a host's public key, or the SHA-256 fingerprint ssh-keygen -l shows.
func (d *decoder) hostKey(node *yaml.Node, path []string) string {
	s, ok := d.text(node, path)
	if !ok {
		return ""
	}
	s = strings.TrimSpace(s)
	if digest, is := strings.CutPrefix(s, "SHA256:"); is {
		if sum, err := base64.RawStdEncoding.DecodeString(digest); err != nil || len(sum) != 32 {
			d.fault(path, "is not a fingerprint; one is SHA256: and 43 characters of base64, as `ssh-keygen -lf` shows it")
			return ""
		}
		return s
	}
	if !publicKey(s) {
		d.fault(path, "is neither a public key (\"ssh-ed25519 AAAA…\") nor a fingerprint (\"SHA256:…\")")
		return ""
	}
	return s
}

// publicKey says whether s is a key type, the base64 of a key of that type, and
// perhaps a comment. The blob starts with the length and name of its type (RFC 4253
// section 6.6).
func publicKey(s string) bool {
	fields := strings.Fields(s)
	if len(fields) < 2 {
		return false
	}
	switch fields[0] {
	case "ssh-ed25519", "ssh-rsa", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
		"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
	default:
		return false
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil || len(blob) < 4 {
		return false
	}
	length := int64(binary.BigEndian.Uint32(blob))
	blob = blob[4:]
	return length < int64(len(blob)) && string(blob[:length]) == fields[0]
}
