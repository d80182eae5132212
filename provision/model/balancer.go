package model

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// balancerConfigs are the configurations of a balancer's services, without which they do not start.
func balancerConfigs() map[string]string {
	return map[string]string{templates.HAProxyService: templates.HAProxyConfigFile, templates.KeepalivedService: templates.KeepalivedConfigFile}
}

// takeUpBalancer does what the script does: each service gets its next configuration and reads it. One that is cut off has
// configurations that nobody has read.
func (s *Simulation) takeUpBalancer(step plan.Step, a plan.Script, half bool) error {
	for _, name := range a.Args[1:] {
		unit := name + ".service"
		err := s.change(step.Host, func(h *facts.Host) error {
			config := balancerConfigs()[unit]
			if content, exists := h.Contents[config+templates.BalancerNext]; exists {
				world.Written(h, config, h.Files[config+templates.BalancerNext].Mode, content)
				remove(h, config+templates.BalancerNext)
			}
			if half {
				return nil
			}
			switch _, exists := h.Files[config]; {
			case !exists:
				return fmt.Errorf("%s has no configuration", unit)
			case unit == templates.HAProxyService && h.CA == nil:
				return errors.New("HAProxy refuses its configuration: there is no CA")
			}
			return startUnit(h, unit, true)
		})
		if err != nil {
			return err
		}
		if !half {
			delete(s.stale, step.Host+"/"+unit) // also one that ran goes on with what is there now
		}
	}
	if half {
		return nil
	}
	return s.endpointAnswers()
}

// endpointAnswers says why nobody carries the address that the control planes share, if they share one.
func (s *Simulation) endpointAnswers() error {
	if s.State.Cluster.ControlPlane.LoadBalancer != nil && s.holder() == "" {
		return errors.New("nobody carries the endpoint")
	}
	return nil
}

// holder is the host that has the shared address: the first one that can.
func (s *Simulation) holder() string {
	for _, host := range s.State.Cluster.ControlPlane.Hosts {
		h := s.Facts.Hosts[host.Name]
		if h.Units[templates.HAProxyService].Active == "active" && h.Units[templates.KeepalivedService].Active == "active" &&
			strings.Contains(string(h.Contents[templates.KeepalivedConfigFile]), "kubernetes_api") && h.CA != nil {
			return host.Name
		}
	}
	return ""
}

// share gives the holder the shared address.
func (s *Simulation) share(name string, h *facts.Host) {
	if shared := s.State.Cluster.ControlPlane.LoadBalancer; shared != nil && s.holder() == name {
		h.Addresses = append(h.Addresses[:len(h.Addresses):len(h.Addresses)], facts.LinkAddress{Link: "eth0", Prefix: netip.PrefixFrom(shared.VIP, shared.VIP.BitLen())})
	}
}
