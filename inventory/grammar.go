package inventory

import (
	"fmt"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// controlPlaneTaint is the key of the taint that controlPlane.schedulable manages.
const controlPlaneTaint = "node-role.kubernetes.io/control-plane"

// label reads a DNS label (RFC 1123): the form of cluster names.
func (d *decoder) label(node *yaml.Node, path []string) string {
	return d.formed(node, path, isLabel, noLabel)
}

// nodeName reads the name of a host or a node.
func (d *decoder) nodeName(node *yaml.Node, path []string) string {
	return d.formed(node, path, isNodeName, noLabel+", nor several with dots between them and 63 characters in all")
}

// noLabel is the problem of a text that is no DNS label.
const noLabel = "is not a DNS label (1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends)"

// formed reads a text of a form, of which the problem is said otherwise.
func (d *decoder) formed(node *yaml.Node, path []string, is func(string) bool, problem string) string {
	s, ok := d.text(node, path)
	if !ok {
		return ""
	}
	if is(s) {
		return s
	}
	hint := ""
	if lower := strings.ToLower(strings.ReplaceAll(s, "_", "-")); is(lower) {
		hint = "; did you mean " + lower + "?"
	}
	d.fault(path, "%q %s%s", clip(s), problem, hint)
	return ""
}

// labels reads node labels.
func (d *decoder) labels(node *yaml.Node, path []string) map[string]string {
	entries, _ := d.entries(node, path)
	var labels map[string]string
	for _, e := range entries {
		here := at(path, e.key)
		value, ok := d.anyText(e.value, here)
		if problem := qualifiedProblem(e.key); problem != "" {
			d.fault(here, "the label's key %s", problem)
			ok = false
		}
		if ok && !isLabelValue(value) {
			d.fault(here, "the label's value %q %s", clip(value), valueRule)
			ok = false
		}
		if ok {
			if labels == nil {
				labels = map[string]string{}
			}
			labels[e.key] = value
		}
	}
	return labels
}

// taints reads a list of key=value:Effect.
func (d *decoder) taints(node *yaml.Node, path []string) []Taint {
	var taints []Taint
	seen := map[[2]string]bool{}
	for i, item := range d.items(node, path) {
		here := index(path, i)
		s, ok := d.text(item, here)
		if !ok {
			continue
		}
		t, problem := parseTaint(s)
		if id := [2]string{t.Key, t.Effect}; problem == "" && seen[id] {
			problem = fmt.Sprintf("another taint here has the key %s and the effect %s", t.Key, t.Effect)
		} else {
			seen[id] = true
		}
		if problem != "" {
			d.fault(here, "%s", problem)
			continue
		}
		taints = append(taints, t)
	}
	return taints
}

// parseTaint reads key=value:Effect, key=:Effect or key:Effect.
func parseTaint(s string) (Taint, string) {
	head, effect, found := strings.Cut(s, ":")
	key, value, _ := strings.Cut(head, "=")
	switch {
	case !found:
		return Taint{}, fmt.Sprintf("must be key=value:Effect, such as gpu=true:NoSchedule, got %q", clip(s))
	case effect != "NoSchedule" && effect != "PreferNoSchedule" && effect != "NoExecute":
		return Taint{}, fmt.Sprintf("the taint's effect must be NoSchedule, PreferNoSchedule or NoExecute, got %q", clip(effect))
	case key == controlPlaneTaint:
		return Taint{}, "this taint is managed by controlPlane.schedulable; set that instead"
	case !isLabelValue(value):
		return Taint{}, fmt.Sprintf("the taint's value %q %s", clip(value), valueRule)
	}
	if problem := qualifiedProblem(key); problem != "" {
		return Taint{}, "the taint's key " + problem
	}
	return Taint{Key: key, Value: value, Effect: effect}, ""
}

// valueRule is Kubernetes' rule for label and taint values.
const valueRule = "must be at most 63 of letters, digits, -, _ and ., with a letter or digit at both ends"

func isLabelValue(s string) bool { return s == "" || isName(s) }

// isName is the part of a qualified name after the prefix.
func isName(s string) bool {
	return len(s) <= 63 && regexp.MustCompile(`^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$`).MatchString(s)
}

// qualifiedProblem says what is wrong with a qualified name, [prefix/]name.
func qualifiedProblem(s string) string {
	name, prefix, hasPrefix := s, "", false
	if i := strings.IndexByte(s, '/'); i >= 0 {
		prefix, name, hasPrefix = s[:i], s[i+1:], true
	}
	switch {
	case hasPrefix && !isSubdomain(prefix):
		return fmt.Sprintf("%q must have a DNS name of at most 253 characters, in lower case, before the /", clip(s))
	case !isName(name):
		return fmt.Sprintf("%q must have a name of 1 to 63 letters, digits, -, _ and ., with a letter or digit at both ends", clip(s))
	}
	return ""
}

// isLabel is RFC 1123's label.
func isLabel(s string) bool {
	return len(s) <= 63 && regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`).MatchString(s)
}

// isNodeName is a name with dots that is also the value of a label: kubelets put their node's name into
// kubernetes.io/hostname, and a longer one is refused.
func isNodeName(s string) bool { return len(s) <= 63 && isSubdomain(s) }

// isSubdomain is RFC 1123's name of dotted labels. As in Kubernetes, only the
// whole name's length is bounded.
func isSubdomain(s string) bool {
	const dotted = `^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	return len(s) <= 253 && regexp.MustCompile(dotted).MatchString(s)
}
