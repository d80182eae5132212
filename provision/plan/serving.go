package plan

import (
	"slices"

	"fairlead/inventory"
	"fairlead/provision/desired"
	"fairlead/provision/object"
)

// servingIdentity is what a host's kubelet may have in its serving certificate.
func servingIdentity(host inventory.Host) object.ServingIdentity {
	return object.ServingIdentity{Node: host.NodeName(), DNSNames: []string{host.NodeName()}, Addresses: host.Addresses()}
}

// serving plans to approve the requests of kubelets for serving certificates. The approver
// in the cluster does that later, for rotations.
func (p *planner) serving() {
	if !desired.VerifiedMetrics(p.Cluster) {
		return
	}
	for _, host := range p.Cluster.Hosts() {
		if _, ok := p.reached(host.Name); !ok {
			continue
		}
		step := hostStep(host, StageReady, stepServing, "give the kubelet its serving certificate")
		if p.joining(host.Name) {
			step.because("the node is new")
		}
		if p.has(StepID(host.Name, stepKubelet)) && !p.common.isAsked {
			step.because("its kubelet is told to ask")
		}
		for _, request := range p.common.serving[host.NodeName()] {
			step.because("request %s waits for approval", request)
		}
		if len(step.Reasons) == 0 {
			continue
		}
		step.Needs = append(slices.Clone(p.joins[host.Name]), StepID(host.Name, stepKubelet))
		step.do(ApproveServing{Identity: servingIdentity(host)})
		p.add(step)
	}
}
