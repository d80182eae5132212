package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairlead/pki"
	"fairlead/provision/facts"
	"fairlead/provision/ledger"
	"fairlead/provision/model/world"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// actOnHost does an action on one host.
//
//nolint:cyclop // a table
func (s *Simulation) actOnHost(name string, h *facts.Host, action plan.Action) error {
	switch a := action.(type) {
	case plan.PutFile:
		world.Written(h, a.Path, a.Mode, a.Content)
	case plan.RecordCluster:
		record := ledger.Whose{Cluster: a.Name}
		record.CA, _ = pki.CAHash(h.CA) // empty where there is none yet
		world.Written(h, templates.ClusterRecord, 0o644, record.Text())
	case plan.InstallLayers:
		for _, layer := range a.Layers {
			for _, file := range layer.Files {
				h.Files[file.Path] = facts.File{Mode: file.Mode, Size: file.Size, SHA256: file.Digest.Encoded()}
			}
		}
	case plan.ImportImages:
		if h.Units[templates.ContainerdService].Active != "active" {
			return errors.New("the container runtime does not run")
		}
		for _, image := range a.Images {
			h.Files[imageFolder+image.Name] = facts.File{SHA256: image.Digest.String()}
		}
	case plan.MakeRegistryCertificate:
		return s.issue(h, a)
	case plan.CopyRegistryCA:
		from := s.Facts.Hosts[a.From]
		if len(from.RegistryCA) == 0 {
			return fmt.Errorf("%s has no CA", a.From)
		}
		world.Written(h, a.Path, 0o644, from.RegistryCA)
	case plan.FillRegistry:
		for _, item := range a.Items {
			h.Files[templates.RegistryStorage+"/"+item.Repository+":"+item.Tag] = facts.File{SHA256: item.Digest.String()}
		}
	case plan.DeleteImage:
		remove(h, templates.RegistryStorage+"/"+a.Repository+":"+a.Tag)
	case plan.RunKubeadm:
		return s.runPhase(name, h, a)
	case plan.RestoreManifests:
		for _, component := range a.Components {
			remove(h, templates.FormerManifest(component))
		}
	case plan.ForceNewCluster:
		return s.forceNewCluster(name, h)
	case plan.EndForce:
		return s.endForce(name, h)
	case plan.AwaitMember:
		if !s.etcdRuns(name) {
			return errors.New("etcd does not run")
		}
	case plan.AwaitKubeadm:
	default:
		return fmt.Errorf("the simulation does not know %T", action)
	}
	return nil
}

// runScript does what a script does, or a part of those that work for long.
//
//nolint:cyclop // a table
func (s *Simulation) runScript(step plan.Step, a plan.Script, half bool) error {
	switch a.Name {
	case templates.ScriptReset:
		if half {
			return nil
		}
		return s.resetHost(step)
	case templates.ScriptResetKind:
		if half {
			return nil
		}
		return s.undoParts(step, kindParts())
	case templates.ScriptPackagesApt, templates.ScriptPackagesDnf:
		return s.alone(step, "the package manager of "+step.Host, func() error {
			return s.change(step.Host, func(h *facts.Host) error { return runPackages(h, a, half, s.cut.late) })
		})
	case templates.ScriptBalancer:
		return s.takeUpBalancer(step, a, half)
	}
	if half {
		return nil
	}
	switch a.Name {
	case templates.ScriptRestartUnit:
		if node, waits := s.letIn[step.Host]; waits && a.Args[0] == templates.KubeletService {
			delete(s.letIn, step.Host)
			s.register(step.Host, node, false)
		}
		if seen := s.Facts.Hosts[step.Host]; a.Args[0] == templates.KubeletService && seen.KubeletCredentials && seen.NodeName() != "" {
			if _, exists := s.Facts.API.Nodes[seen.NodeName()]; !exists { // it was deleted
				s.register(step.Host, templates.Node{Name: seen.NodeName()}, false)
			}
		}
	case templates.ScriptRecoverEtcd:
		return s.change(step.Host, func(h *facts.Host) error { return s.recoverEtcd(h, a) })
	case templates.ScriptLeaveEtcd:
		return s.alone(step, "etcd", func() error { return s.leaveEtcd(step.Host) })
	case templates.ScriptSwapOff:
		return s.alone(step, "the kernel "+s.Facts.Hosts[step.Host].BootID, func() error {
			return s.change(step.Host, func(h *facts.Host) error { swapOff(h, a.Args); return nil })
		})
	}
	return s.change(step.Host, func(h *facts.Host) error { return runScript(h, a) })
}

// runScript does what a short script does.
func runScript(h *facts.Host, a plan.Script) error {
	switch a.Name {
	case templates.ScriptLoadModules:
		for _, module := range a.Args {
			h.Modules[module] = true
		}
	case templates.ScriptSetSysctls:
		for _, assignment := range a.Args {
			key, value, _ := strings.Cut(assignment, "=")
			h.Sysctls[key] = value
		}
	case templates.ScriptStopUnit:
		SetActive(h, a.Args[0], "inactive")
	case templates.ScriptRestartUnit:
		SetActive(h, a.Args[0], "active")
	case templates.ScriptStartUnit:
		return startUnit(h, a.Args[0], len(a.Args) > 1)
	case templates.ScriptRemoveFiles:
		takeAway(h, a.Args)
	case templates.ScriptPointKubeconfig:
		if pki.ServerLine(string(h.Contents[a.Args[0]])) == "" {
			return fmt.Errorf("%s names no server", a.Args[0])
		}
		world.Written(h, a.Args[0], h.Files[a.Args[0]].Mode, []byte(world.Kubeconfig(a.Args[1])))
	case templates.ScriptBeginEtcd:
		world.Written(h, etcdMember, 0o600, nil)
	case templates.ScriptCollectGarbage:
		if _, there := h.Files[templates.RegistryFolder+"/writer.yaml"]; !there {
			return errors.New("there is no registry")
		}
		SetActive(h, templates.RegistryService, "active")
	default:
		return fmt.Errorf("the simulation does not know the script %q", a.Name)
	}
	return nil
}

func startUnit(h *facts.Host, name string, start bool) error {
	if unitPath(h, name) == "" {
		return fmt.Errorf("there is no unit %s", name)
	}
	state := h.Units[name].Active
	if start {
		state = afterStart(h, name)
	}
	SetActive(h, name, state)
	unit := h.Units[name]
	unit.Enabled = "enabled"
	h.Units[name] = unit
	return nil
}

// swapOff turns swap off, now and at the next boot. A mask does not go where the unit has its file.
func swapOff(h *facts.Host, units []string) {
	for _, name := range units {
		unit := h.Units[name]
		unit.Active = "inactive"
		if _, inTheWay := h.Files["/etc/systemd/system/"+name]; inTheWay || strings.HasSuffix(name, ".service") {
			unit.Enabled = "disabled"
		} else {
			unit.Load, unit.Enabled = "masked", "masked"
		}
		h.Units[name] = unit
	}
	h.Swaps = nil
	if table, exists := h.Contents[templates.Fstab]; exists {
		var kept strings.Builder
		for line := range strings.Lines(string(table)) {
			if fields := strings.Fields(line); len(fields) > 2 && fields[2] == "swap" && !strings.HasPrefix(line, "#") {
				kept.WriteString("#")
			}
			kept.WriteString(line)
		}
		world.Written(h, templates.Fstab, h.Files[templates.Fstab].Mode, []byte(kept.String()))
	}
}

// runPhase does what a phase of kubeadm does.
func (s *Simulation) runPhase(name string, h *facts.Host, a plan.RunKubeadm) error {
	switch phase := strings.Join(a.Verb, " "); phase {
	case "init phase upload-config kubeadm":
		s.Facts.API.Settings[templates.KindCluster] = document(a.Document, templates.KindCluster)
	case "init phase upload-config kubelet":
		s.Facts.API.Settings[templates.KindKubelet] = document(a.Document, templates.KindKubelet)
	case "init phase certs apiserver":
		if _, exists := h.Files[templates.APIServerCertificate]; !exists { // it makes none anew
			host, _ := s.State.Cluster.Host(name)
			s.certify(h, document(a.Document, templates.KindCluster), host.Address.String())
		}
	case "init phase addon coredns", "init phase addon kube-proxy":
	case "upgrade node phase kubelet-config":
		world.Written(h, templates.KubeletConfigFile, 0o644, []byte(s.Facts.API.Settings[templates.KindKubelet]))
	default:
		return fmt.Errorf("the simulation does not know the phase %q", phase)
	}
	return nil
}

// leaveEtcd takes a host's member out of etcd.
func (s *Simulation) leaveEtcd(host string) error {
	if !slices.Contains(s.Facts.Hosts[host].Manifests, "etcd.yaml") || !s.cluster.etcd[host] {
		return nil // there is none, or it has left already
	}
	if _, exists := s.Facts.API.Nodes[s.nodeOf(host)]; !exists {
		return fmt.Errorf("kubeadm does not find the etcd member of %s, which has no node", host)
	}
	if len(s.cluster.etcd) == 1 {
		return errors.New("it is the last etcd member")
	}
	delete(s.cluster.etcd, host)
	return nil
}
