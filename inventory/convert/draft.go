package convert

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fairlead/inventory"
)

// Setting is a value and where it was read. The zero Setting was not given.
type Setting struct {
	Value string
	Key   string // as the file calls it
	Line  int
	Given string // as the file has it, where that is another form of the value
}

// Host is a host of a draft.
type Host struct {
	inventory.Host
	Line int    // where it was read
	From string // what the file calls it
	Pods bool   // a control plane that takes ordinary pods, too

	apart string // what it is called where the file has no name for it, and an address that is another's as well
}

// Note is something that the file says and the cluster file does not, or not so.
type Note struct {
	Line int    // 0 when it belongs to none
	Key  string // as the file calls it; may be empty
	Why  string
}

// Draft is a cluster file in the making.
type Draft struct {
	Source string // what it was read from: "hosts.ini, an Ansible inventory"

	Name, Version, PodSubnet, ServiceSubnet, Endpoint Setting

	Schedulable bool
	WithoutSSH  bool // nothing says how to log in to the hosts
	Hosts       []Host
	Notes       []Note
	Away        []Note // hosts that are there and not to be reached now; each is among Notes, too
}

// AddNote adds a note.
func (d *Draft) AddNote(line int, key, why string) {
	d.Notes = append(d.Notes, Note{Line: line, Key: key, Why: why})
}

// addAway notes a host that is left out as it cannot be reached now.
func (d *Draft) addAway(name, why string) {
	d.Away = append(d.Away, Note{Key: name, Why: why})
	d.AddNote(0, name, "left out: "+why)
}

// Options are what a user says about a file.
type Options struct {
	// ControlPlane names hosts, or groups of an Ansible inventory: they, and no others, are the control plane.
	ControlPlane []string
	// Addresses are those of hosts, by the names that the file has for them: they overrule the file's.
	Addresses map[string]netip.Addr
	// Network is where the addresses of Vagrant's machines are to be taken from; the zero one has them tell by themselves.
	Network netip.Prefix
}

// Finish makes the hosts' names fit for a cluster file and applies the options to what was read. What a file calls a host stays
// in From. The error says which name of the options no host has.
func (d *Draft) Finish(o Options) error {
	d.tellApart()
	if err := d.overrule(o); err != nil {
		return err
	}
	hosts := make([]inventory.Host, len(d.Hosts))
	for i := range d.Hosts {
		h := &d.Hosts[i]
		h.settle()
		h.Name = strings.ToLower(strings.NewReplacer("_", "-", " ", "-").Replace(h.From))
		if _, err := netip.ParseAddr(h.Name); err == nil {
			h.Name = ""
		}
	}
	d.settleSeconds()
	for i := range d.Hosts {
		hosts[i] = d.Hosts[i].Host
	}
	d.settlePods()
	inventory.NameHosts(hosts)
	for i := range d.Hosts {
		h := &d.Hosts[i]
		h.Name = hosts[i].Name
		if h.From != "" && h.From != h.Name {
			d.AddNote(h.Line, h.From, "is called "+h.Name+" here")
		}
	}
	return nil
}

// settlePods decides for all control planes what files can say of each.
func (d *Draft) settlePods() {
	if d.Schedulable {
		return
	}
	takes := func(h Host) bool { return h.Role == inventory.RoleControlPlane && h.Pods }
	switch isWorker := func(h Host) bool { return h.Role == inventory.RoleWorker }; {
	case slices.ContainsFunc(d.Hosts, takes):
		d.Schedulable = true
		for _, h := range d.Hosts {
			if !takes(h) && !isWorker(h) {
				d.AddNote(h.Line, h.Called(), "takes ordinary pods here, as another control-plane host does; schedulable is one for all")
			}
		}
	case !slices.ContainsFunc(d.Hosts, isWorker):
		d.Schedulable = true
		d.AddNote(0, "", "ordinary pods may run on control-plane nodes, as there are no others")
	}
}

// overrule applies the options.
func (d *Draft) overrule(o Options) error {
	for name, address := range o.Addresses {
		i := slices.IndexFunc(d.Hosts, func(h Host) bool { return h.Called() == name })
		if i < 0 {
			return fmt.Errorf("%s: no host of the file is called so; its hosts are %s", name, d.names())
		}
		h := &d.Hosts[i]
		if h.SSH.Address == "" && h.Address.IsValid() && h.SSH.Transport != inventory.TransportLocal {
			h.SSH.Address = h.Address.String()
		}
		h.Address = address
	}
	if len(o.ControlPlane) == 0 {
		return nil
	}
	for i := range d.Hosts {
		d.Hosts[i].Role = inventory.RoleWorker
	}
	for _, name := range o.ControlPlane {
		i := slices.IndexFunc(d.Hosts, func(h Host) bool { return h.Called() == name })
		if i < 0 {
			return fmt.Errorf("%s: no host of the file is called so; its hosts are %s", name, d.names())
		}
		d.Hosts[i].Role = inventory.RoleControlPlane
	}
	return nil
}

func (d *Draft) names() string {
	names := make([]string, len(d.Hosts))
	for i, h := range d.Hosts {
		names[i] = h.Called()
	}
	return list(names)
}

// list writes the first of some words.
func list(words []string) string {
	const most = 8
	if len(words) > most {
		return strings.Join(words[:most], ", ") + fmt.Sprintf(" and %d more", len(words)-most)
	}
	return strings.Join(words, ", ")
}

// Unaddressed are the hosts whose address, which other hosts reach them by, is not known. SSH.Address of such a one is where
// it is reached from here, if that is known: a name, or an address of this machine.
func (d *Draft) Unaddressed() []*Host {
	var all []*Host
	for i := range d.Hosts {
		if !d.Hosts[i].Address.IsValid() {
			all = append(all, &d.Hosts[i])
		}
	}
	return all
}

// Called is what people can call a host by: its name, or its address where the file has no names.
func (h Host) Called() string {
	address := ""
	if h.Address.IsValid() {
		address = h.Address.String()
	}
	return cmp.Or(h.From, h.apart, h.SSH.Address, address)
}

// settle makes one of two addresses that are the same.
func (h *Host) settle() {
	if a, ok := usable(h.SSH.Address); ok && !h.Address.IsValid() {
		h.Address = a
	}
	if h.Address.IsValid() && h.SSH.Address == h.Address.String() {
		h.SSH.Address = ""
	}
}

// usable reads an address that other hosts can reach a host by.
func usable(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	a = a.Unmap()
	return a, !a.IsLoopback() && !a.IsUnspecified() && !a.IsMulticast()
}
