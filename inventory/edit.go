package inventory

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"gopkg.in/yaml.v3"
)

// ErrShape is the error for a file that is right but whose hosts are written in a
// way that cannot be edited in place, such as a list that is an alias.
var ErrShape = errors.New("the file's hosts are written in a way that cannot be edited in place")

// AddHost adds a host at the end of the list of its role and keeps every other byte
// of the file. Of h.SSH only what is set and differs from the file's top-level ssh
// is written. The result is a file that Parse accepts and that differs from the
// former by just this host. The error is an *Invalid when the file or the host is
// wrong, and wraps ErrShape when only a human can edit the file.
func AddHost(data []byte, role Role, h Host) ([]byte, error) {
	h.Role = role
	doc, err := readSound(data)
	if err != nil {
		return nil, fmt.Errorf("add host %s: %w", h.Name, err)
	}
	if _, taken := doc.cluster.Host(h.Name); taken {
		return nil, fmt.Errorf("add host %s: the file has a host of this name already", h.Name)
	}
	text := newSource(data)
	mending := func() error {
		line := "{" + hostText(h, doc.ssh, doc.root.Style&yaml.FlowStyle != 0) + "}"
		return fmt.Errorf("add host %s: %w; add %s to %s.hosts by hand", h.Name, ErrShape, line, section(role))
	}
	edits, ok := text.addHost(doc, h)
	if !ok {
		return nil, mending()
	}
	out := text.apply(edits)
	want := doc.with(h)
	after, err := read("", out)
	if err != nil {
		return nil, mending()
	}
	if _, faults := after.sorted(); len(faults) > 0 {
		if !allWithin(faults, index([]string{section(role), "hosts"}, len(doc.list(role)))) {
			return nil, mending()
		}
	} else if !reflect.DeepEqual(want, after.cluster) {
		return nil, mending()
	}
	if _, _, err := Parse("", out); err != nil {
		return nil, fmt.Errorf("add host %s: %w", h.Name, err)
	}
	return out, nil
}

// RemoveHost removes the lines of one host and keeps every other byte of the file.
// Errors are as AddHost's; the last control-plane host cannot be removed.
func RemoveHost(data []byte, name string) ([]byte, error) {
	doc, err := readSound(data)
	if err != nil {
		return nil, fmt.Errorf("remove host %s: %w", name, err)
	}
	h, found := doc.cluster.Host(name)
	if !found {
		return nil, fmt.Errorf("remove host %s: the file has no host of this name", name)
	}
	mending := fmt.Errorf("remove host %s: %w; remove it from %s.hosts by hand", name, ErrShape, section(h.Role))
	text := newSource(data)
	i := slices.IndexFunc(doc.list(h.Role), func(h Host) bool { return h.Name == name })
	edits, ok := text.removeHost(doc, h.Role, i)
	if !ok {
		return nil, mending
	}
	out := text.apply(edits)
	after, err := read("", out)
	if err != nil || !reflect.DeepEqual(doc.without(h), after.cluster) {
		return nil, mending
	}
	if _, _, err := Parse("", out); err != nil {
		return nil, fmt.Errorf("remove host %s: %w", name, err)
	}
	return out, nil
}

// allWithin says whether all problems are at a path or below it.
func allWithin(problems []Problem, path []string) bool {
	return !slices.ContainsFunc(problems, func(p Problem) bool {
		return len(p.Path) < len(path) || !slices.Equal(p.Path[:len(path)], path)
	})
}

// readSound reads a file whose single values are all right.
func readSound(data []byte) (*document, error) {
	doc, err := read("", data)
	if err != nil {
		return nil, err
	}
	if _, faults := doc.sorted(); len(faults) > 0 {
		return nil, &Invalid{Problems: faults}
	}
	return doc, nil
}

// section is the top-level key under which hosts of a role are listed.
func section(role Role) string {
	if role == RoleControlPlane {
		return "controlPlane"
	}
	return "workers"
}

// list is the part of the cluster with the hosts of a role.
func (doc *document) list(role Role) []Host {
	if role == RoleControlPlane {
		return doc.cluster.ControlPlane.Hosts
	}
	return doc.cluster.Workers
}

// with is the cluster as it must read once h is added.
func (doc *document) with(h Host) *Cluster {
	defaults := doc.ssh
	fallBack(&h.SSH.Transport, defaults.Transport)
	fallBack(&h.SSH.User, defaults.User)
	fallBack(&h.SSH.IdentityFile, defaults.IdentityFile)
	fallBack(&h.SSH.KnownHosts, defaults.KnownHosts)
	fallBack(&h.SSH.Context, defaults.Context)
	if h.SSH.Jump == nil {
		h.SSH.Jump = defaults.Jump
	}
	h.SSH.Sudo = cmp.Or(h.SSH.Sudo, defaults.Sudo)
	h.SSH.Port = cmp.Or(h.SSH.Port, defaults.Port)
	h.SSH = h.SSH.settled(h.Name)
	if h.Labels = maps.Clone(h.Labels); len(h.Labels) == 0 {
		h.Labels = nil
	}
	if h.Taints = slices.Clone(h.Taints); len(h.Taints) == 0 {
		h.Taints = nil
	}
	if h.Packages = slices.Clone(h.Packages); len(h.Packages) == 0 {
		h.Packages = nil
	}
	return doc.replaced(h.Role, append(slices.Clone(doc.list(h.Role)), h))
}

func fallBack(value *string, other string) {
	if *value == "" {
		*value = other
	}
}

// without is the cluster as it must read once h is removed.
func (doc *document) without(h Host) *Cluster {
	rest := slices.DeleteFunc(slices.Clone(doc.list(h.Role)), func(o Host) bool { return o.Name == h.Name })
	if len(rest) == 0 {
		rest = nil
	}
	return doc.replaced(h.Role, rest)
}

func (doc *document) replaced(role Role, hosts []Host) *Cluster {
	c := *doc.cluster
	if role == RoleControlPlane {
		c.ControlPlane.Hosts = hosts
	} else {
		c.Workers = hosts
	}
	return &c
}

// edit replaces the bytes from start to end.
type edit struct {
	start, end int
	text       string
}

// apply makes the edits, which must not overlap.
func (s *source) apply(edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	var out bytes.Buffer
	done := 0
	for _, e := range edits {
		out.Write(s.data[done:e.start])
		out.WriteString(e.text)
		done = e.end
	}
	out.Write(s.data[done:])
	return out.Bytes()
}
