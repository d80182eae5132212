package convert

import (
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// settleSeconds takes second addresses where they make a cluster of two IP families, and says of each one that is left out why.
func (d *Draft) settleSeconds() {
	why := d.oneFamily()
	for i := range d.Hosts {
		if h := &d.Hosts[i]; why != "" && h.Second.IsValid() {
			d.AddNote(h.Line, h.Called(), "its second address, "+h.Second.String()+", is left out: "+why)
			h.Second = netip.Addr{}
		}
	}
}

// oneFamily is why a cluster is of one IP family; empty where it can be of two.
func (d *Draft) oneFamily() string {
	for _, h := range d.Hosts {
		first := d.Hosts[0].Address
		if !h.Address.IsValid() || !h.Second.IsValid() || h.Address.Is4() == h.Second.Is4() || h.Address.Is4() != first.Is4() {
			return "not all hosts have two addresses of two IP families, in one order"
		}
	}
	for _, s := range []Setting{d.PodSubnet, d.ServiceSubnet} {
		if s.Value != "" && !strings.Contains(s.Value, ",") {
			return s.Key + " is of one IP family"
		}
	}
	return ""
}

// both joins the subnets of two IP families.
func both(first, second Setting) Setting {
	if first.Value == "" || second.Value == "" {
		return first
	}
	first.Value += "," + second.Value
	return first
}

// nth is one of some settings, and no setting where there are fewer.
func nth(all []Setting, i int) Setting {
	if i < len(all) {
		return all[i]
	}
	return Setting{}
}

// firsts reads the items of the list at a key, of each the value, or the first one where it is a list itself. Items that say nothing keep
// their places, as lists beside it have theirs.
func (t tree) firsts(key string) []Setting {
	var all []Setting
	for _, item := range t.items(key) {
		if empty(item.node) {
			all = append(all, Setting{})
			continue
		}
		if item.node.Kind == yaml.SequenceNode {
			item.node = target(item.node.Content[0])
		}
		all = append(all, item.value())
	}
	return all
}

// hostKey is a public key as a cluster file has it. KubeOne's have no type in front of them; it is in what they encode (RFC 4253, 6.6).
func hostKey(s Setting) string {
	const length = 4
	blob, err := base64.StdEncoding.DecodeString(s.Value)
	if err != nil || len(blob) < length || int64(binary.BigEndian.Uint32(blob)) > int64(len(blob)-length) {
		return s.Value // Write says of one that is none that it is left out
	}
	return string(blob[length:length+binary.BigEndian.Uint32(blob)]) + " " + s.Value
}

// tellApart gives hosts that are called by the same address, as they are by ports of this machine, their ports as well.
func (d *Draft) tellApart() {
	count := map[string]int{}
	for _, h := range d.Hosts {
		count[h.Called()]++
	}
	for i := range d.Hosts {
		if h := &d.Hosts[i]; h.From == "" && h.SSH.Port != 0 && count[h.Called()] > 1 {
			h.apart = h.Called() + ":" + strconv.Itoa(h.SSH.Port)
		}
	}
}
