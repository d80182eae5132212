package inventory

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// noJump is what undoes the jump hosts of the file, or those of ssh's own configuration.
const noJump = "none"

// JumpHost is a host to go through, as ssh -J names it.
type JumpHost struct {
	User string // "" where none is named
	Host string // a DNS name, an IP address without brackets, or what ssh_config(5) knows
	Port int    // 0 where none is named
}

// ParseJump reads [USER@]HOST[:PORT], with an IPv6 address in brackets, or ssh://[USER@]HOST[:PORT], as parse_jump in OpenSSH's
// readconf.c does. The error says what is wrong, without the text itself.
func ParseJump(s string) (JumpHost, error) {
	uri, isURI := strings.CutPrefix(s, "ssh://")
	if isURI {
		s = strings.TrimSuffix(uri, "/")
	}
	var j JumpHost
	if at := strings.LastIndex(s, "@"); at >= 0 {
		if j.User, s = s[:at], s[at+1:]; j.User == "" {
			return j, errors.New("has no user before the @")
		}
	}
	if isURI {
		user, err := url.PathUnescape(j.User)
		if err != nil {
			return j, fmt.Errorf("has a user that cannot be read: %w", err)
		}
		j.User = user
	}
	var err error
	if j.Host, j.Port, err = cutJumpPort(s); err != nil {
		return j, err
	}
	switch {
	case j.Host == "":
		return j, errors.New("names no host")
	case odd(j.User):
		return j, fmt.Errorf("%q is not a login name", clip(j.User))
	case odd(j.Host), strings.ContainsAny(j.Host, "/[]@"):
		return j, fmt.Errorf("%q is not the name of a host", clip(j.Host))
	}
	return j, nil
}

// odd says whether ssh would not have this as a user or host: valid_ruser and valid_hostname in OpenSSH's ssh.c.
func odd(s string) bool {
	return strings.HasPrefix(s, "-") || strings.HasSuffix(s, "\\") || strings.ContainsAny(s, "'`\"$;&<>|(){},") ||
		strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// cutJumpPort takes HOST:PORT apart.
func cutJumpPort(s string) (host string, port int, err error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	switch address, err := netip.ParseAddr(bare); {
	case err == nil && address.Is6() && bare == s:
		return "", 0, fmt.Errorf("write the IPv6 address in brackets: [%s]", s)
	case err == nil && len(bare) == len(s)-2:
		return bare, 0, nil
	case !strings.Contains(s, ":"):
		return s, 0, nil
	}
	host, digits, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, errors.New("must be [USER@]HOST[:PORT], with an IPv6 address in brackets")
	}
	if !isPort(digits) {
		return "", 0, fmt.Errorf("must have a port from 1 to 65535 after the colon, got %q", clip(digits))
	}
	port, err = strconv.Atoi(digits)
	return host, port, err
}

// String is [USER@]HOST[:PORT], which ParseJump reads.
func (j JumpHost) String() string {
	text := j.Host
	switch {
	case j.Port != 0:
		text = net.JoinHostPort(j.Host, strconv.Itoa(j.Port))
	case strings.Contains(j.Host, ":"):
		text = "[" + j.Host + "]"
	}
	if j.User != "" {
		return j.User + "@" + text
	}
	return text
}

// jump reads the hosts to go through: text as ssh -J takes it, or a list of such texts. For none it is empty, and not nil.
func (d *decoder) jump(node *yaml.Node, path []string) []string {
	if target(node).Kind != yaml.SequenceNode {
		return d.jumpText(node, path, true)
	}
	all := []string{}
	for i, item := range d.items(node, path) {
		all = append(all, d.jumpText(item, index(path, i), false)...)
	}
	if len(all) == 0 && !d.faultyWithin(path) {
		d.fault(path, "must name a host to go through; write none for a host that is reached without")
	}
	return all
}

func (d *decoder) jumpText(node *yaml.Node, path []string, whole bool) []string {
	text, ok := d.text(node, path)
	if !ok {
		return nil
	}
	all := []string{}
	if strings.EqualFold(text, noJump) && whole {
		return all
	}
	for one := range strings.SplitSeq(text, ",") {
		one = strings.TrimSpace(one)
		j, err := ParseJump(one)
		if err == nil && strings.EqualFold(one, noJump) {
			err = errors.New("stands for no jump host at all, and alone")
		}
		if err != nil {
			d.fault(path, "%q: %v", clip(one), err)
			return nil
		}
		all = append(all, j.String())
	}
	return all
}

// JumpText is SSH.Jump as the file has it, and ssh -J takes it: "" where nothing was given, "none" for none.
func JumpText(jump []string) string {
	if jump != nil && len(jump) == 0 {
		return noJump
	}
	return strings.Join(jump, ",")
}
