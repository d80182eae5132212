package plan

import (
	"fmt"
	"strings"

	"fairlead/templates"
)

// RunKubeadm runs one phase of kubeadm.
type RunKubeadm struct {
	Document []byte // its configuration, without secrets
	Verb     []string
}

// Describe implements Action.
func (a RunKubeadm) Describe() string { return "kubeadm " + strings.Join(a.Verb, " ") }

// RemoveForKubeadm removes files that kubeadm makes anew only where there are none. They are
// part of a tree that the ledger has, so it needs not know them.
func RemoveForKubeadm(paths ...string) Script {
	return Script{Title: "remove " + strings.Join(paths, ", "), Name: templates.ScriptRemoveFiles, Args: paths}
}

// ChangeStaticPod has kubeadm write the manifest of a component of the control plane anew and
// waits until it runs so. If it does not, the former manifest comes back. That is kept beside
// the ledger until then, so that the next run can put it back if this one is cut off.
type ChangeStaticPod struct {
	Node, Component string
	Document        []byte // for kubeadm
}

// Describe implements Action.
func (a ChangeStaticPod) Describe() string {
	return fmt.Sprintf("kubeadm %s, wait until %s runs as its manifest says", strings.Join(templates.KubeadmPhase(a.Component), " "), a.Pod())
}

// Pod is the name of the mirror pod.
func (a ChangeStaticPod) Pod() string { return a.Component + "-" + a.Node }

// RestoreManifests puts back manifests of static pods that a change has not been good for.
type RestoreManifests struct{ Components []string }

// Describe implements Action.
func (a RestoreManifests) Describe() string {
	return "put back the former manifests of " + strings.Join(a.Components, ", ")
}

// AwaitKubelet waits until the kubelet of a node was heard of again, and the node is Ready.
type AwaitKubelet struct{ Node string }

// Describe implements Action.
func (a AwaitKubelet) Describe() string {
	return "wait until the kubelet of " + a.Node + " is heard of"
}
