package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fairlead/inventory"
	"fairlead/provision/remote/sshconfig"
)

// hostWord is a host as people write it: [USER@]HOST[:PORT], and of nodeWord the addresses of its node.
type hostWord struct {
	word, user, host string
	port             int          // 0 where none is given
	addresses        []netip.Addr // of its node, in their order; none where nothing is said of them
	otherwise        string       // follows on errors about the address: how to say it
}

// readWord reads one word. It looks nothing up.
func readWord(word string) (hostWord, error) {
	w := hostWord{word: word}
	user, rest, found := cutLast(word, "@")
	if found {
		if user == "" {
			return w, fmt.Errorf("%s: has no user before the @: write USER@HOST, or HOST alone", word)
		}
		if strings.HasPrefix(user, "-") || strings.ContainsAny(user, "@:/ \t") {
			return w, fmt.Errorf("%s: %q is not a login name", word, user)
		}
		w.user = user
	}
	var err error
	if w.host, w.port, err = splitPort(rest); err != nil {
		return w, fmt.Errorf("%s: %w", word, err)
	}
	if err := isHost(w.host); err != nil {
		return w, fmt.Errorf("%s: %w", word, err)
	}
	return w, nil
}

// nodeWord reads a host with the addresses of its node, where these are not the way there: [USER@]HOST[:PORT][=ADDRESS[,ADDRESS]].
// Of [USER@]ADDRESS,ADDRESS, a host of two IP families, the first one is the way, too.
func nodeWord(word string) (hostWord, error) {
	way, said, given := strings.Cut(word, "=")
	second, two := "", false
	if !given {
		way, second, two = strings.Cut(word, ",")
	}
	w, err := readWord(way)
	if err != nil {
		return w, err
	}
	w.word, w.otherwise = word, ", as "+way+"=ADDRESS"
	if two {
		said = w.host + "," + second
	}
	if !given && !two {
		return w, nil
	}
	for text := range strings.SplitSeq(said, ",") {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return w, fmt.Errorf("%s: %q is not an IP address", word, text)
		}
		w.addresses = append(w.addresses, address.Unmap())
	}
	if len(w.addresses) > 2 || len(w.addresses) == 2 && w.addresses[0].Is4() == w.addresses[1].Is4() {
		return w, fmt.Errorf("%s: a node has one address, or two of two IP families", word)
	}
	return w, nil
}

// isHost refuses what can be neither an address nor a name.
func isHost(text string) error {
	if _, err := netip.ParseAddr(text); err != nil && !regexp.MustCompile(`^[A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?\.?$`).MatchString(text) {
		return fmt.Errorf("%q is neither an IP address nor a host name", text)
	}
	if strings.HasSuffix(text, ".yaml") || strings.HasSuffix(text, ".yml") {
		return fmt.Errorf("is not a host; name the file with -f %s", text)
	}
	return nil
}

// find is the host that a word names. Nodes know each other by addresses, so the one of a name is looked up where the word does not
// say it; the way to it stays the name, by which known_hosts and ssh's configuration know it.
func (w hostWord) find(ctx context.Context, find directory) (inventory.Host, sshconfig.Answer, error) {
	h := inventory.Host{SSH: inventory.SSH{User: w.user, Port: w.port}}
	way, err := netip.ParseAddr(w.host)
	if err == nil {
		h.Address = way.Unmap()
		return h, sshconfig.Answer{}, w.place(&h)
	}
	config, err := find.config(ctx, sshconfig.Question{Name: w.host, User: w.user, Port: w.port})
	if err != nil {
		return h, config, fmt.Errorf("%s: %w", w.word, err)
	}
	h.Name, _, _ = strings.Cut(strings.ToLower(w.host), ".")
	h.SSH.Address = w.host
	if len(w.addresses) == 0 {
		if h.Address, err = find.one(ctx, config.Hostname); err != nil {
			return h, config, fmt.Errorf("%s: %w%s", w.word, err, w.otherwise)
		}
	}
	return h, config, w.place(&h)
}

// place gives a host the addresses that the word says, and its own one becomes the way there if it is another. All have to be such that
// hosts can have them.
func (w hostWord) place(h *inventory.Host) error {
	if len(w.addresses) > 0 {
		if h.Address.IsValid() && h.Address != w.addresses[0] {
			h.SSH.Address = w.host
		}
		h.Address = w.addresses[0]
	}
	if len(w.addresses) > 1 {
		h.Second = w.addresses[1]
	}
	for _, address := range h.Addresses() {
		if err := usable(w.word, address); err != nil {
			if address.Zone() == "" {
				err = fmt.Errorf("%w%s", err, w.otherwise)
			}
			return err
		}
	}
	return nil
}

// one finds the one address of a name.
func (d directory) one(ctx context.Context, name string) (netip.Addr, error) {
	if address, err := netip.ParseAddr(name); err == nil {
		return address.Unmap(), nil
	}
	found, err := d.addresses(ctx, name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("its address cannot be found (%w): give the IP address", err)
	}
	var v4, v6 []netip.Addr
	for _, address := range found {
		if address = address.Unmap(); address.Is4() && !slices.Contains(v4, address) {
			v4 = append(v4, address)
		} else if address.Is6() && !slices.Contains(v6, address) {
			v6 = append(v6, address)
		}
	}
	if len(v4) == 0 {
		v4 = v6
	}
	if len(v4) != 1 {
		return netip.Addr{}, fmt.Errorf("has %d addresses %v: give the one that the other hosts reach it by", len(v4), v4)
	}
	return v4[0], nil
}

// usable refuses addresses that the cluster file refuses, in the words of a command line.
func usable(word string, address netip.Addr) error {
	switch {
	case address.IsLoopback() || address.IsUnspecified() || address.IsMulticast():
		return fmt.Errorf("%s: %s is not an address that other hosts can reach it by: give that one", word, address)
	case address.Zone() != "":
		return fmt.Errorf("%s: %s has a zone: give an address without one", word, address)
	}
	return nil
}

// cutLast cuts text at the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return "", text, false
}

// splitPort takes the port off HOST:PORT and [HOST]:PORT; 0 where none is given. An IPv6 address without brackets has none.
func splitPort(text string) (host string, port int, err error) {
	if inner, closed := strings.CutSuffix(text, "]"); closed && strings.HasPrefix(inner, "[") {
		return inner[1:], 0, nil
	}
	if strings.Count(text, ":") > 1 && !strings.HasPrefix(text, "[") || !strings.Contains(text, ":") {
		return text, 0, nil
	}
	host, digits, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, errors.New("is not HOST, HOST:PORT or [IPv6]:PORT")
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || number == 0 || digits[0] == '0' {
		return "", 0, fmt.Errorf("must have a port from 1 to 65535 after the colon, got %q", digits)
	}
	return host, int(number), nil
}
