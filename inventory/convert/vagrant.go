package convert

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"fairlead/inventory"
)

// VagrantMachine is a machine of Vagrant.
type VagrantMachine struct {
	Name string
	// Away is why it is left out, and empty for a machine that runs.
	Away string
	// SSHConfig is what `vagrant ssh-config NAME` says of it.
	SSHConfig []byte
	// Guest is what VagrantQuestion printed in it.
	Guest []byte
}

// The lines around the parts of an answer, as a login shell's profile may print something before them.
const (
	guestKeys      = "fairlead: host keys"
	guestAddresses = "fairlead: addresses"
	guestEnd       = "fairlead: end"
)

// VagrantQuestion is what a machine is asked by `vagrant ssh NAME -c`: its host keys and its addresses. It has no quotes, as versions
// of Vagrant differ in how they put these into their own.
const VagrantQuestion = "echo " + guestKeys + "; cat /etc/ssh/ssh_host_*_key.pub; echo " + guestAddresses + "; " +
	"ip -o addr show scope global || /sbin/ip -o addr show scope global; echo " + guestEnd

// Vagrant makes a draft of the machines that run. Their addresses are those by which they reach each other: Options.Addresses, or what is
// theirs alone in the network that they share and that Options.Network or the addresses themselves tell. Host keys are pinned where Vagrant
// reaches a machine by this one or a private network, and through nothing else. The error says which machines it is about, and what to do.
func Vagrant(source string, machines []VagrantMachine, o Options) (*Draft, error) {
	r := &reading{options: o, draft: &Draft{Source: source}, whys: vagrantWhys()}
	var blocks []byte
	var guests []guest
	for _, m := range machines {
		if m.Away != "" {
			r.draft.addAway(m.Name, m.Away)
			continue
		}
		blocks = append(append(blocks, block(m.SSHConfig)...), '\n')
		g, err := readGuest(m)
		if err != nil {
			return nil, err
		}
		guests = append(guests, g)
	}
	if len(guests) == 0 {
		return nil, fmt.Errorf("%s: no machine runs; start them with: vagrant up", source)
	}
	readSSHConfig(r, blocks)
	if len(r.problems) > 0 {
		return nil, &inventory.Invalid{File: source, Problems: r.problems}
	}
	if err := r.vagrantHosts(guests); err != nil {
		return nil, err
	}
	for i := range r.draft.Notes {
		r.draft.Notes[i].Line = 0 // of a text that nobody has seen
	}
	for i := range r.draft.Hosts {
		r.draft.Hosts[i].Line = 0
	}
	if err := r.draft.Finish(o); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return r.draft, nil
}

// block is an answer without what stands above it: to its standard output Vagrant writes warnings, too, such as of not being the vendor's build.
func block(answer []byte) []byte {
	if at := regexp.MustCompile(`(?m)^\s*Host\s`).FindIndex(answer); at != nil {
		answer = answer[at[0]:]
	}
	return bytes.TrimRight(answer, "\r\n")
}

// vagrantWhys are those of a configuration of ssh, with where the host keys are from.
func vagrantWhys() map[string]string {
	whys := maps.Clone(sshConfigWhys())
	for _, key := range []string{"userknownhostsfile", "stricthostkeychecking"} {
		whys[key] = "left out: it would turn the check of host keys off, which fairlead never does"
	}
	return whys
}

// vagrantHosts completes what Vagrant says by what the machines say themselves.
func (r *reading) vagrantHosts(guests []guest) error {
	d := r.draft
	for i := range guests {
		at := slices.IndexFunc(d.Hosts, func(h Host) bool { return h.From == guests[i].name })
		if at < 0 {
			return fmt.Errorf("machine %s: vagrant ssh-config says nothing of it", guests[i].name)
		}
		guests[i].host = &d.Hosts[at]
	}
	var pinned, unpinned []string
	for _, g := range guests {
		if g.hostKey != "" && g.direct && near(g.host.SSH.Address) {
			g.host.SSH.HostKey = g.hostKey
			pinned = append(pinned, g.name)
		} else {
			unpinned = append(unpinned, g.name)
		}
	}
	if len(pinned) > 0 {
		d.AddNote(0, "hostKey", "was read by `vagrant ssh`, which takes whatever host key it is shown: it is as good as Vagrant's own way to the machine was at that moment")
	}
	if len(unpinned) > 0 {
		d.AddNote(0, "hostKey", "not known of "+list(unpinned)+": `fairlead trust` shows the keys; Vagrant's way there goes beyond this machine and private networks, or none could be read")
	}
	return r.vagrantAddresses(guests)
}

// near says that an address is this machine's, or in a private network.
func near(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && (address.Unmap().IsLoopback() || address.Unmap().IsPrivate())
}

// guest is a machine by its own words.
type guest struct {
	name      string
	host      *Host
	hostKey   string
	direct    bool // Vagrant goes there through nothing
	addresses []guestAddress
}

// guestAddress is an address of a machine.
type guestAddress struct {
	device string
	prefix netip.Prefix // the address, and how long its network's prefix is
}

func (a guestAddress) String() string { return a.prefix.String() + " (" + a.device + ")" }

func (a guestAddress) network() netip.Prefix { return a.prefix.Masked() }

// readGuest reads what VagrantQuestion has printed.
func readGuest(m VagrantMachine) (guest, error) {
	g := guest{name: m.Name, direct: !regexp.MustCompile(`(?im)^\s*Proxy(Command|Jump)\b`).Match(m.SSHConfig)}
	keys := map[string]string{}
	part := ""
	for line := range strings.Lines(string(m.Guest)) {
		line = strings.TrimSpace(line)
		switch {
		case line == guestKeys, line == guestAddresses, line == guestEnd:
			part = line
		case part == guestKeys:
			if words := strings.Fields(line); len(words) >= 2 && keys[words[0]] == "" && isBase64(words[1]) {
				keys[words[0]] = words[0] + " " + words[1]
			}
		case part == guestAddresses:
			if a, ok := readAddress(line); ok {
				g.addresses = append(g.addresses, a)
			}
		}
	}
	if part != guestEnd {
		return guest{}, fmt.Errorf("machine %s: its answer by vagrant ssh is not whole: is its login shell one of POSIX?", m.Name)
	}
	for _, kind := range []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"} {
		if g.hostKey == "" {
			g.hostKey = keys[kind]
		}
	}
	return g, nil
}

func isBase64(text string) bool {
	_, err := base64.StdEncoding.DecodeString(text)
	return err == nil
}

// readAddress reads a line of `ip -o addr`: 3: eth1    inet 192.168.56.11/24 brd 192.168.56.255 scope global eth1\ …
// Those that come and go, or that a machine has beside another one of the same network, are none to write down.
func readAddress(line string) (guestAddress, bool) {
	words := strings.Fields(line)
	if len(words) < 4 || words[2] != "inet" && words[2] != "inet6" {
		return guestAddress{}, false
	}
	for _, flag := range []string{"secondary", "temporary", "deprecated", "tentative", "dadfailed"} {
		if slices.Contains(words[4:], flag) {
			return guestAddress{}, false
		}
	}
	prefix, err := netip.ParsePrefix(words[3])
	return guestAddress{device: words[1], prefix: prefix}, err == nil
}
