package images

import (
	"slices"
	"strings"
)

// role is what a string of an object is to images.
type role int

const (
	roleOther     role = iota
	roleImage          // is an image, or the object is wrong
	roleContainer      // is an image, if it can be one: of what looks like a container in a kind that is not known
	roleValue          // may be an image
	roleArgument       // the same, also behind --flag=
	roleNote           // is for people and controllers: reported only if a rule would rename it
	roleMetadata       // is never looked at
)

// workload is a kind that holds a pod.
type workload struct {
	groups []string // of the API; "" is the core
	kind   string
	spec   string // where the pod's spec is
}

// workloads are the built-in kinds that hold pods (k8s.io/api core, apps, batch and
// the former extensions).
func workloads() []workload {
	core, apps, batch := []string{""}, []string{"apps", "extensions"}, []string{"batch"}
	return []workload{
		{core, "Pod", "spec"},
		{core, "PodTemplate", "template.spec"},
		{core, "ReplicationController", "spec.template.spec"},
		{apps, "Deployment", "spec.template.spec"},
		{apps, "ReplicaSet", "spec.template.spec"},
		{apps, "StatefulSet", "spec.template.spec"},
		{apps, "DaemonSet", "spec.template.spec"},
		{batch, "Job", "spec.template.spec"},
		{batch, "CronJob", "spec.jobTemplate.spec.template.spec"},
	}
}

// containerLists are the fields of a pod's spec that hold containers.
func containerLists() []string {
	return []string{"containers", "initContainers", "ephemeralContainers"}
}

// podFields are the fields of a pod's spec that have a role.
func podFields() map[string]role {
	fields := map[string]role{"volumes[].image.reference": roleImage}
	for _, list := range containerLists() {
		fields[list+"[].image"] = roleImage
		fields[list+"[].command[]"] = roleArgument
		fields[list+"[].args[]"] = roleArgument
		fields[list+"[].env[].value"] = roleValue
	}
	return fields
}

// table holds the roles of one kind's fields by their form: the path with [] for
// every index. A * stands for any key.
type table map[string]role

// role is the role of a field. What is below metadata names no image, whatever the kind, but
// annotations may. A kind that is not known has no table: what looks like a container in it is one.
func (t table) role(at place) role {
	if r, ok := t[at.form]; ok {
		return r
	}
	if r, ok := t[at.parent+".*"]; ok {
		return r
	}
	switch {
	case at.parent == "metadata.annotations" && at.field != lastApplied:
		return roleNote
	case at.form == "metadata" || strings.HasPrefix(at.form, "metadata."):
		return roleMetadata
	case t == nil:
		return containerRole(at.form)
	}
	return roleOther
}

// lastApplied is the annotation in which kubectl keeps a copy of the object.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// containerRole is the role of a field in a list of containers, wherever that is: kustomize takes
// these for containers as well (api/filters/imagetag).
func containerRole(form string) role {
	for _, list := range containerLists() {
		if i := strings.LastIndex("."+form, "."+list+"[]."); i >= 0 {
			if r, ok := podFields()[form[i:]]; ok && r == roleImage {
				return roleContainer
			} else if ok {
				return r
			}
		}
	}
	return roleOther
}

// tables finds the table of a kind.
type tables struct {
	pods map[string]table // by the place of the spec
}

func newTables() tables {
	t := tables{pods: map[string]table{}}
	for _, w := range workloads() {
		fields := table{}
		for field, r := range podFields() {
			fields[w.spec+"."+field] = r
		}
		t.pods[w.spec] = fields
	}
	return t
}

// of is the table of an object.
func (t tables) of(o object) table {
	group, _, hasGroup := strings.Cut(o.apiVersion, "/")
	if !hasGroup {
		group = ""
	}
	switch {
	case group == "" && o.kind == "ConfigMap":
		return table{"data.*": roleValue}
	case o.kind == "CustomResourceDefinition" || secret(o):
		return table{}
	}
	for _, w := range workloads() {
		if w.kind == o.kind && slices.Contains(w.groups, group) {
			return t.pods[w.spec]
		}
	}
	return nil
}

// secret says that nothing of an object may be shown.
func secret(o object) bool { return o.kind == "Secret" }

// isList says that an object's items are objects: List, PodList, DeploymentList.
func isList(o object) bool { return strings.HasSuffix(o.kind, "List") }

// object is what identifies an object in a report.
type object struct{ apiVersion, kind, namespace, name string }

// String is "Deployment kube-system/coredns", and "Namespace lab" without namespace.
func (o object) String() string {
	name := o.name
	if o.namespace != "" {
		name = o.namespace + "/" + name
	}
	return strings.TrimSpace(o.kind + " " + name)
}
