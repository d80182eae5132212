package object

import (
	"fmt"
	"strings"
)

// System is an object in kube-system.
func System(apiVersion, kind, name string) map[string]any {
	return map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"namespace": "kube-system", "name": name}}
}

// ConfigMap is one in kube-system.
func ConfigMap(name string, data map[string]any) map[string]any {
	object := System("v1", "ConfigMap", name)
	object["data"] = data
	return object
}

// LabelAddon names the set that an object belongs to. Only objects with it are ever pruned.
const LabelAddon = "fairlead/addon"

// Key identifies an object among the add-ons.
func Key(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	return fmt.Sprintf("%v %v/%v", object["kind"], orEmpty(metadata["namespace"]), metadata["name"])
}

func orEmpty(value any) any {
	if value == nil {
		return ""
	}
	return value
}

// TokenDescription marks fairlead's bootstrap tokens in the cluster.
const TokenDescription = "fairlead join"

// DescribeToken is the description of the bootstrap token of a run.
func DescribeToken(run string) string { return TokenDescription + ", run " + run }

// TokenRun is the run whose bootstrap token has a description, and whether it is one of fairlead's. The run of one that a former
// fairlead made is not known.
func TokenRun(description string) (run string, ours bool) {
	rest, ours := strings.CutPrefix(description, TokenDescription)
	run, named := strings.CutPrefix(rest, ", run ")
	return run, ours && (named || rest == "")
}

// kubeadm's label and taint of control planes (cmd/kubeadm/app/constants).
const (
	LabelControlPlane = "node-role.kubernetes.io/control-plane"
	TaintControlPlane = "node-role.kubernetes.io/control-plane"
	EffectNoSchedule  = "NoSchedule"
)
