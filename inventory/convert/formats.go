package convert

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"fairlead/inventory"
)

// format is a kind of file that is read here.
type format struct {
	format inventory.Format
	what   string // for the list of all
	read   func(r *reading, data []byte)
}

// formats are all of them, in the order in which they are listed.
func formats() []format {
	return []format{
		{inventory.FormatAnsibleINI, "Ansible's and kubespray's inventories (INI, YAML, JSON)", readAnsibleINI},
		{inventory.FormatAnsibleYAML, "", readAnsibleYAML},
		{inventory.FormatK0sctl, "k0sctl.yaml", yamlReader(k0sctlWhys(), readK0sctl)},
		{inventory.FormatKubeOne, "kubeone.yaml", yamlReader(kubeoneWhys(), readKubeOne)},
		{inventory.FormatKubeKey, "KubeKey's configuration and inventory", yamlReader(kubekeyWhys(), readKubeKey)},
		{inventory.FormatRKE, "RKE's cluster.yml", yamlReader(rkeWhys(), readRKE)},
		{inventory.FormatTerraform, "the output of `terraform output -json` in KubeOne's shape", yamlReader(terraformWhys(), readTerraform)},
		{inventory.FormatSSHConfig, "the output of `vagrant ssh-config`", readSSHConfig},
		{inventory.FormatKubeconfig, "the kubeconfig of a living cluster", nil}, // see Living
	}
}

// StandardInput is the name of a file that came that way: an inventory is then what ansible-inventory has put together.
const StandardInput = "standard input"

// Readable lists what can be read, for people.
func Readable() string {
	var all []string
	for _, f := range formats() {
		if f.what != "" {
			all = append(all, f.what)
		}
	}
	return strings.Join(all, ", ")
}

// Recognise says what kind of file this is. The error says what was seen instead, and what can be read.
func Recognise(name string, data []byte) (*inventory.Foreign, error) {
	seen := inventory.Recognise(data)
	switch {
	case seen != nil && seen.Format != "":
		return seen, nil
	case seen != nil:
		return nil, unreadable(name, seen.Line, "this is "+seen.What+", which holds no hosts that can be taken")
	}
	if regexp.MustCompile(`(?m)^["{\s]*apiVersion["\s]*:\s*["']?fairlead/`).Match(data) {
		return nil, unreadable(name, 1, "this is a cluster file of fairlead already")
	}
	line, broken := brokenText(data)
	return nil, unreadable(name, line, "this is no file of a tool that is known here"+broken)
}

// brokenText says what is wrong with a file that is no text, or no YAML; nothing of others.
func brokenText(data []byte) (line int, broken string) {
	_, _, err := inventory.Parse("", data)
	var invalid *inventory.Invalid
	if !errors.As(err, &invalid) || len(invalid.Problems) != 1 {
		return 1, ""
	}
	p := invalid.Problems[0]
	for _, start := range []string{"not valid YAML", "the file is not UTF-8", "the line is indented", "the file is larger"} {
		if strings.HasPrefix(p.Message, start) {
			return p.Line, " (" + p.Message + ")"
		}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return 1, " (it is empty)"
	}
	return 1, ""
}

func unreadable(name string, line int, seen string) error {
	return &inventory.Invalid{File: name, Problems: []inventory.Problem{{Line: line, Message: seen + "; what can be read: " + Readable()}}}
}

// Read makes a draft of a file; name is what it is called in errors and in the draft. The format is told by the content. A
// kubeconfig holds no hosts: it is not read here, see Living. Errors about the content are of type *inventory.Invalid.
func Read(name string, data []byte, o Options) (*Draft, error) {
	seen, err := Recognise(name, data)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(formats(), func(f format) bool { return f.format == seen.Format })
	if i < 0 || formats()[i].read == nil {
		return nil, unreadable(name, seen.Line, "this is "+seen.What+", which holds no hosts itself")
	}
	r := &reading{options: o, draft: &Draft{Source: name + ", " + seen.What}}
	formats()[i].read(r, data)
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b inventory.Problem) int { return cmp.Compare(a.Line, b.Line) })
		return nil, &inventory.Invalid{File: name, Problems: r.problems}
	}
	if err := r.draft.Finish(r.options); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return r.draft, nil
}
