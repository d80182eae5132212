package model

import (
	"maps"
	"slices"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/templates"
)

// restart has a host start anew. What was only in memory is gone: transient units, what nobody has enabled, modules and
// settings of the kernel that we make and for which there is no file. What is on the disk stays.
func (s *Simulation) restart(name string) error {
	if h := s.Facts.Hosts[name]; s.Facts.API.Err.Of(facts.APINoAnswer) && h.WholeControlPlane() && h.KubeletConfig && !h.EtcdUnbegun {
		s.Facts.API.Err = world.Forbidden() // the kubelet starts the API server, which kubeadm has given no rights to anybody yet
	}
	if templates.Forced(s.Facts.Hosts[name].Contents[templates.ManifestPath(templates.ComponentEtcd)]) {
		s.cluster.etcd = map[string]bool{name: true}
	}
	return s.change(name, func(h *facts.Host) error {
		for unit, is := range h.Units {
			switch {
			case unit == templates.KubeadmService, unit == templates.RegistryWriterService:
				delete(h.Units, unit)
			case is.Load == "loaded" && is.Enabled == "enabled":
				is.Active = afterStart(h, unit)
				h.Units[unit] = is
			case is.Load == "loaded" && is.Active == "active" && !slices.Contains([]string{"", "generated", "static"}, is.Enabled):
				is.Active = "inactive"
				h.Units[unit] = is
			}
			delete(s.stale, name+"/"+unit)
		}
		fresh := world.FreshHost(inventory.Host{Name: name})
		if _, there := h.Files[templates.ModulesFile().Path]; !there {
			maps.Copy(h.Modules, fresh.Modules)
		}
		if _, there := h.Files[templates.SysctlFile(false).Path]; !there {
			for _, ours := range templates.Sysctls(false) {
				delete(h.Sysctls, ours.Key)
			}
			maps.Copy(h.Sysctls, fresh.Sysctls)
		}
		h.BootID += ", again"
		return nil
	})
}
