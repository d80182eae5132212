package world

import (
	"cmp"
	"maps"
	"slices"

	"fairlead/provision/bundle"
	"fairlead/provision/facts"
	"fairlead/provision/object"
)

func ChangeHost(f facts.Facts, name string, change func(*facts.Host)) {
	host := f.Hosts[name]
	change(&host)
	f.Hosts[name] = host
}

func ChangeNode(f facts.Facts, name string, change func(*object.Node)) {
	node := f.API.Nodes[name]
	node.Labels, node.Annotations = maps.Clone(node.Labels), maps.Clone(node.Annotations)
	change(&node)
	f.API.Nodes[name] = node
}

func sortImages(images []bundle.Image) {
	slices.SortFunc(images, func(a, b bundle.Image) int { return cmp.Compare(a.Name, b.Name) })
}
