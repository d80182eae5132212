package inventory

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

func defaultKubernetes() Kubernetes {
	return Kubernetes{
		PodSubnet:     parseSubnets(DefaultPodSubnet),
		ServiceSubnet: parseSubnets(DefaultServiceSubnet),
	}
}

// kubernetes reads what is installed, and from where: a bundle that is given is the
// source of everything unless the file says otherwise.
func (d *decoder) kubernetes(node *yaml.Node, path []string, into *Kubernetes) {
	mapping(d, node, path, into, kubernetesFields())
	source, bundle := at(path, "source"), d.given(path, "bundle", into.Bundle)
	switch {
	case into.Source == SourceBundle && !bundle:
		d.fault(at(path, "bundle"), "is required with source: bundle")
	case into.Source == "" && bundle:
		into.Source = SourceBundle
	case into.Source == "":
		into.Source = SourcePackages
	}
	if into.Source == SourceBundle && into.Repository.URL != "" && !d.faulty(source) {
		d.fault(at(path, "repository"), "has no effect with source: bundle; remove it, or write source: packages")
	}
}

func kubernetesFields() []field[Kubernetes] {
	return []field[Kubernetes]{
		{"version", true, func(d *decoder, n *yaml.Node, p []string, k *Kubernetes) {
			k.Version = d.version(n, p)
		}},
		{"source", false, func(d *decoder, n *yaml.Node, p []string, k *Kubernetes) {
			k.Source = d.oneOf(n, p, []string{SourcePackages, SourceBundle})
		}},
		{"bundle", false, func(d *decoder, n *yaml.Node, p []string, k *Kubernetes) {
			k.Bundle = d.file(n, p)
		}},
		{"repository", false, func(d *decoder, n *yaml.Node, p []string, k *Kubernetes) {
			k.Repository = d.repository(n, p, kubernetesRepositoryProblem)
		}},
		{"podSubnet", false, func(d *decoder, n *yaml.Node, p []string, k *Kubernetes) {
			k.PodSubnet = d.subnets(n, p)
		}},
		{"serviceSubnet", false, func(d *decoder, n *yaml.Node, p []string, k *Kubernetes) {
			k.ServiceSubnet = d.subnets(n, p)
		}},
		{"config", false, func(d *decoder, n *yaml.Node, p []string, k *Kubernetes) {
			k.Config = map[string]map[string]any{}
			mapping(d, n, p, &k.Config, configFields())
		}},
	}
}

// configFields has one free-form mapping for each kind of document kubeadm reads
// (kubeadm.k8s.io/v1beta4, kubelet.config.k8s.io, kubeproxy.config.k8s.io).
func configFields() []field[map[string]map[string]any] {
	kinds := []string{
		"InitConfiguration", "ClusterConfiguration", "JoinConfiguration",
		"KubeletConfiguration", "KubeProxyConfiguration",
	}
	fields := make([]field[map[string]map[string]any], len(kinds))
	for i, kind := range kinds {
		fields[i] = field[map[string]map[string]any]{
			key: kind,
			read: func(d *decoder, n *yaml.Node, p []string, into *map[string]map[string]any) {
				(*into)[kind] = d.object(n, p)
			},
		}
	}
	return fields
}

// version reads x.y.z of a minor that can be installed. Releases are called v1.37.2 everywhere else, so that is taken, too.
func (d *decoder) version(node *yaml.Node, path []string) string {
	if n := target(node); n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!float" || n.ShortTag() == "!!int") {
		example := fmt.Sprintf("1.%d.0", NewestMinor)
		if versionProblem(n.Value+".0") == "" {
			example = n.Value + ".0"
		}
		d.fault(path, "must be a full version x.y.z, such as %q; YAML reads %s as a number", example, clip(n.Value))
		return ""
	}
	s, ok := d.text(node, path)
	if !ok {
		return ""
	}
	s = strings.TrimPrefix(s, "v")
	if problem := versionProblem(s); problem != "" {
		d.fault(path, "%s", problem)
		return ""
	}
	return s
}

func versionProblem(s string) string {
	full := regexp.MustCompile(`^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$`)
	m := full.FindStringSubmatch(s)
	if m == nil {
		return fmt.Sprintf("must be a full version x.y.z, such as 1.%d.0, got %q", NewestMinor, clip(s))
	}
	minor, err := strconv.Atoi(m[2])
	if err != nil || m[1] != "1" || minor < OldestMinor || minor > NewestMinor {
		return fmt.Sprintf("Kubernetes %s.%s is not supported; the minors 1.%d to 1.%d are", m[1], m[2], OldestMinor, NewestMinor)
	}
	return ""
}

// object reads a free-form mapping.
func (d *decoder) object(node *yaml.Node, path []string) map[string]any {
	entries, ok := d.entries(node, path)
	if !ok {
		return nil
	}
	object := make(map[string]any, len(entries))
	for _, e := range entries {
		object[e.key] = d.free(e.value, at(path, e.key))
	}
	return object
}

// free reads any value as JSON would hold it, whole numbers as int64.
func (d *decoder) free(node *yaml.Node, path []string) any {
	node = target(node)
	switch node.Kind {
	case yaml.MappingNode:
		return d.object(node, path)
	case yaml.SequenceNode:
		items := d.items(node, path)
		list := make([]any, len(items))
		for i, item := range items {
			list[i] = d.free(item, index(path, i))
		}
		return list
	}
	if !d.count(path, 1) {
		return nil
	}
	switch tag := node.ShortTag(); tag {
	case "!!null":
		return nil
	case "!!str", "!!timestamp":
		return node.Value
	case "!!bool":
		return d.boolean(node, path)
	case "!!int", "!!float":
		return d.number(node, path)
	default:
		d.fault(path, "has the tag %s, which is not supported", tag)
		return nil
	}
}

// number reads an int64 or a finite float64.
func (d *decoder) number(node *yaml.Node, path []string) any {
	if digits := strings.TrimLeft(node.Value, "+-"); isDigits(digits) && len(digits) > 1 && digits[0] == '0' {
		d.fault(path, "%s", numeralProblem(node)) // 0o22 and 0x12 say themselves what they are
		return nil
	}
	var value any
	if node.Decode(&value) != nil {
		d.fault(path, "must be a number, got %q", clip(node.Value))
		return nil
	}
	switch n := value.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	case float64:
		if !math.IsNaN(n) && !math.IsInf(n, 0) {
			return n
		}
	}
	d.fault(path, "the number %s cannot be used; it must be finite and fit 64 bits", clip(node.Value))
	return nil
}
