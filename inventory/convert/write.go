package convert

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fairlead/inventory"
)

// Write gives the text of the cluster file. What the file's rules do not allow of the draft is left out and becomes a note, where
// a cluster can be without it: versions, subnets, labels and so on. The error is an *inventory.Invalid with the lines of what was
// read when the hosts themselves do not go together.
func (d *Draft) Write() ([]byte, error) {
	ordered := slices.Clone(d.Hosts)
	slices.SortStableFunc(ordered, func(a, b Host) int { return cmp.Compare(order(a.Role), order(b.Role)) })
	d.Hosts = ordered
	for {
		text, err := d.inventory().File()
		var invalid *inventory.Invalid
		if err == nil || !errors.As(err, &invalid) {
			return text, err
		}
		left := slices.DeleteFunc(slices.Clone(invalid.Problems), d.mend)
		if len(left) == len(invalid.Problems) {
			return nil, d.unwritable(left)
		}
	}
}

func order(role inventory.Role) int {
	if role == inventory.RoleControlPlane {
		return 0
	}
	return 1
}

func (d *Draft) inventory() inventory.Draft {
	out := inventory.Draft{
		Name: d.Name.Value, Version: d.Version.Value, PodSubnet: d.PodSubnet.Value, ServiceSubnet: d.ServiceSubnet.Value,
		Endpoint: d.Endpoint.Value, Schedulable: d.Schedulable, Comments: d.comments(),
	}
	for _, h := range d.Hosts {
		out.Hosts = append(out.Hosts, h.Host)
	}
	return out
}

// settings are the places of the cluster file that a draft can be without.
func (d *Draft) settings() map[string]*Setting {
	return map[string]*Setting{
		"name": &d.Name, "kubernetes.version": &d.Version, "kubernetes.podSubnet": &d.PodSubnet,
		"kubernetes.serviceSubnet": &d.ServiceSubnet, "controlPlane.endpoint": &d.Endpoint,
	}
}

// mend takes out of the draft what a problem is about. It answers whether it could.
func (d *Draft) mend(p inventory.Problem) bool {
	if setting := d.settings()[p.Where()]; setting != nil {
		return d.leaveOut(setting, p.Message)
	}
	h := d.at(p.Path)
	if h == nil || len(p.Path) < 4 {
		return false
	}
	switch p.Path[3] {
	case "address": // inside a subnet of the cluster, or of another family
		pods := d.leaveOut(&d.PodSubnet, "does not go with the address of "+h.Name+": "+p.Message)
		services := d.leaveOut(&d.ServiceSubnet, "does not go with the address of "+h.Name+": "+p.Message)
		return pods || services
	case "labels":
		return d.mendLabel(h, p)
	case "taints":
		return d.mendTaint(h, p)
	}
	if len(p.Path) == 5 && p.Path[4] == "hostKey" && h.SSH.HostKey != "" {
		h.SSH.HostKey = ""
		d.AddNote(h.Line, "the host key of "+h.Name, p.Message)
		return true
	}
	return false
}

func (d *Draft) leaveOut(s *Setting, why string) bool {
	if s.Value == "" {
		return false
	}
	key := strings.TrimSpace(s.Key + " " + clip(cmp.Or(s.Given, s.Value)))
	d.AddNote(s.Line, key, "left out, the default is written: "+why)
	*s = Setting{}
	return true
}

func (d *Draft) mendLabel(h *Host, p inventory.Problem) bool {
	if len(p.Path) != 5 {
		return false
	}
	delete(h.Labels, p.Path[4])
	d.AddNote(h.Line, "the label "+clip(p.Path[4])+" of "+h.Name, "left out: "+p.Message)
	return true
}

// mendTaint takes out one taint at a time: the places of those behind it change.
func (d *Draft) mendTaint(h *Host, p inventory.Problem) bool {
	i, err := strconv.Atoi(p.Path[len(p.Path)-1])
	if err != nil || i >= len(h.Taints) {
		return false
	}
	d.AddNote(h.Line, "the taint "+clip(h.Taints[i].String())+" of "+h.Name, "left out: "+p.Message)
	h.Taints = slices.Delete(slices.Clone(h.Taints), i, i+1)
	return true
}

// at is the host that a path of the cluster file leads to. Control planes come first in the draft.
func (d *Draft) at(path []string) *Host {
	if len(path) < 3 || path[1] != "hosts" {
		return nil
	}
	i, err := strconv.Atoi(path[2])
	if err != nil {
		return nil
	}
	if path[0] == "workers" {
		first := slices.IndexFunc(d.Hosts, func(h Host) bool { return h.Role != inventory.RoleControlPlane })
		i += max(first, 0)
	}
	if i >= len(d.Hosts) {
		return nil
	}
	return &d.Hosts[i]
}

// unwritable has the problems in terms of what was read.
func (d *Draft) unwritable(problems []inventory.Problem) error {
	out := &inventory.Invalid{File: fileOf(d.Source)}
	for _, p := range problems {
		if h := d.at(p.Path); h != nil && len(p.Path) > 3 {
			name := cmp.Or(h.Called(), h.Name)
			out.Problems = append(out.Problems, inventory.Problem{
				Line: max(h.Line, 1), Message: fmt.Sprintf("host %s: %s: %s", name, strings.Join(p.Path[3:], "."), p.Message),
			})
			continue
		}
		message := p.Message
		if where := p.Where(); where != "" {
			message = where + ": " + message
		}
		out.Problems = append(out.Problems, inventory.Problem{Line: 1, Message: message})
	}
	return out
}

// fileOf is the file's name in a draft's source.
func fileOf(source string) string {
	name, _, _ := strings.Cut(source, ", ")
	return name
}

// comments are the notes as lines, those of one key and reason together.
func (d *Draft) comments() []string {
	if d.Source == "" && len(d.Notes) == 0 {
		return nil
	}
	head := "Made of " + d.Source + "."
	if len(d.Notes) == 0 {
		return []string{head}
	}
	type group struct {
		Note
		lines []int
	}
	var groups []*group
	known := map[Note]*group{}
	for _, n := range d.Notes {
		id := Note{Key: n.Key, Why: n.Why}
		if known[id] == nil {
			known[id] = &group{Note: n}
			groups = append(groups, known[id])
		}
		if n.Line > 0 && !slices.Contains(known[id].lines, n.Line) {
			known[id].lines = append(known[id].lines, n.Line)
		}
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(a.Line, b.Line) })
	comments := []string{head + " What is there and not here, or not so:"}
	for _, g := range groups {
		comments = append(comments, "  "+linesText(g.lines)+joined(g.Key, g.Why))
	}
	return comments
}

func joined(key, why string) string {
	if key == "" {
		return why
	}
	return key + ": " + why
}

// linesText is "line 3: ", "lines 3, 5: " or nothing.
func linesText(lines []int) string {
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return "line " + strconv.Itoa(lines[0]) + ": "
	}
	numbers := make([]string, len(lines))
	for i, n := range lines {
		numbers[i] = strconv.Itoa(n)
	}
	return "lines " + list(numbers) + ": "
}

// clip shortens a value for a comment.
func clip(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
