package object

// Taint is a node's taint. Effect is NoSchedule, PreferNoSchedule or NoExecute.
type Taint struct {
	Key    string `json:"key,omitzero"`
	Value  string `json:"value,omitzero"`
	Effect string `json:"effect,omitzero"`
}

// Node is what a run needs to know of a node object.
type Node struct {
	Name        string            `json:"name,omitzero"`
	UID         string            `json:"uid,omitzero"`
	Labels      map[string]string `json:"labels,omitzero"`
	Annotations map[string]string `json:"annotations,omitzero"`
	Taints      []Taint           `json:"taints,omitzero"`
	// Ready is the Ready condition; ReadyMessage says why it is not true.
	Ready        bool   `json:"ready,omitzero"`
	ReadyMessage string `json:"readyMessage,omitzero"`
	// Unschedulable is set on a cordoned node.
	Unschedulable bool `json:"unschedulable,omitzero"`
	// KubeletVersion is as the kubelet reports it, "v1.37.2".
	KubeletVersion string `json:"kubeletVersion,omitzero"`
	// PodCIDR is the node's part of the pod subnet, empty until it is assigned.
	PodCIDR string `json:"podCIDR,omitzero"`
	// InternalIP is the first address of type InternalIP.
	InternalIP string `json:"internalIP,omitzero"`
	// MachineID is that of the machine of its kubelet.
	MachineID string `json:"machineID,omitzero"`
	// ContainerRuntime is as the kubelet reports it, "containerd://2.4.2".
	ContainerRuntime string `json:"containerRuntime,omitzero"`
}

// NodeChange is what is to differ on a node. Nothing else of the node is touched.
type NodeChange struct {
	// Labels and Annotations are set to their values; nil removes.
	Labels, Annotations map[string]*string
	// AddTaints are put on the node; one with the same key and effect gets the new value.
	AddTaints []Taint
	// RemoveTaints are taken off by key and effect, whatever their value; an empty effect
	// stands for all effects. A taint in both lists is added.
	RemoveTaints []Taint
	// Unschedulable cordons or uncordons; nil leaves it.
	Unschedulable *bool
}
