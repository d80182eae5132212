package inventory

import "slices"

// checkAddons looks at what the keys below addons say together, and at the hosts.
func (doc *document) checkAddons() {
	path := []string{"addons"}
	addons := doc.cluster.Addons
	if addons.Ingress != nil {
		doc.checkPlacement(at(path, "ingress", "placement"), addons.Ingress.Placement)
	}
	first := map[string]string{}
	for i, m := range addons.Manifests {
		here := index(at(path, "manifests"), i)
		doc.checkPlacement(at(here, "placement"), m.Placement)
		taken, is := first[m.Name]
		switch {
		case m.Name == "" && (m.Path != "" || m.URL != "") && !doc.faulty(at(here, "name")):
			doc.fault(at(here, "name"), "is required, as no DNS label can be made of the last part of path or url")
		case m.Name == "":
		case is:
			doc.fault(at(here, "name"), "%s is the name of %s already; give this one another name", m.Name, taken)
		case slices.Contains(ownSets(), m.Name):
			doc.fault(at(here, "name"), "%s is the name of a set that fairlead makes; give this one another name", m.Name)
		default:
			first[m.Name] = pathString(here)
		}
	}
}

// ownSets are the names in the cluster of the sets of objects that are not the
// user's own.
func ownSets() []string {
	return []string{"network", "metrics-server", "ingress", "kubelet-approver"}
}

// checkPlacement warns of pods that no host of the file takes.
func (doc *document) checkPlacement(path []string, placement Placement) {
	if placement.On == PlaceWorkers && len(doc.cluster.Workers) == 0 {
		doc.problems = append(doc.problems, Problem{Path: path, Warning: true, Message: "no host is a worker, so that these pods do not run"})
	}
}
