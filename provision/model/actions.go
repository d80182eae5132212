package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairlead/provision/desired"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
	"fairlead/provision/object"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// actOnCluster does an action through the API server, if it is one.
func (s *Simulation) actOnCluster(action plan.Action) (done bool, err error) {
	switch action.(type) {
	case plan.MintToken, plan.RevokeToken, plan.DeleteTokens, plan.AwaitNode, plan.ChangeNode, plan.ApplyObject, plan.AwaitObject, plan.RecordApplied, plan.PruneObjects, plan.ApproveServing, plan.AwaitKubelet:
		if s.Facts.API.Err != nil {
			return true, s.Facts.API.Err
		}
	case plan.AwaitAPI:
		s.Facts.API.Err = nil
		return true, nil
	}
	api := &s.Facts.API
	switch a := action.(type) {
	case plan.MintToken:
		s.token = true
	case plan.RevokeToken, plan.DeleteTokens:
		s.token = false
	case plan.CopyPKI, plan.AwaitKubeadm:
	case plan.AwaitNode:
		if _, exists := api.Nodes[a.Name]; !exists || a.Ready && !s.ready(a.Name) {
			return true, fmt.Errorf("node %s never comes: exists %v", a.Name, exists)
		}
	case plan.ChangeNode:
		s.changeNode(a)
	case plan.ApplyObject:
		s.apply(a)
	case plan.AwaitObject:
		if _, exists := api.Objects[object.Key(a.Object)]; !exists {
			return true, fmt.Errorf("%s never comes", object.Key(a.Object))
		}
	case plan.RecordApplied:
		api.Applied[a.Set] = a.Objects
		if len(a.Objects) == 0 {
			delete(api.Applied, a.Set)
		}
	case plan.PruneObjects:
		for _, item := range a.Objects {
			delete(api.Objects, object.Key(item.Object()))
		}
	case plan.ApproveServing:
		api.Serving = slices.DeleteFunc(slices.Clone(api.Serving), func(r object.ServingRequest) bool { return r.Node == a.Identity.Node })
	case plan.AwaitKubelet:
		if !s.ready(a.Node) {
			return true, fmt.Errorf("the kubelet of %s is not heard of", a.Node)
		}
	default:
		return false, nil
	}
	return true, nil
}

func (s *Simulation) changeNode(a plan.ChangeNode) {
	world.ChangeNode(s.Facts, a.Name, func(n *object.Node) {
		for key, value := range a.Change.Labels {
			set(n.Labels, key, value)
		}
		for key, value := range a.Change.Annotations {
			set(n.Annotations, key, value)
		}
		gone := slices.Concat(a.Change.RemoveTaints, a.Change.AddTaints)
		n.Taints = slices.DeleteFunc(slices.Clone(n.Taints), func(t object.Taint) bool { return slices.Contains(gone, t) })
		n.Taints = append(n.Taints, a.Change.AddTaints...)
	})
}

func set(values map[string]string, key string, value *string) {
	if value == nil {
		delete(values, key)
	} else {
		values[key] = *value
	}
}

func (s *Simulation) apply(a plan.ApplyObject) {
	api := &s.Facts.API
	key := object.Key(a.Object)
	data, _ := a.Object["data"].(map[string]any)
	switch key {
	case "ConfigMap kube-system/" + desired.SettingsRecord:
		api.RecordedSettings = map[string]string{}
		for kind, text := range data {
			api.RecordedSettings[kind] = fmt.Sprint(text)
		}
	case "ConfigMap kube-system/kube-proxy":
		api.Settings[templates.KindKubeProxy] = fmt.Sprint(data["config.conf"])
	case kubeProxyPods:
		if mark := fmt.Sprint(a.Object); mark != s.proxyMark { // its pods are rolled
			s.proxy, s.proxyMark = api.Settings[templates.KindKubeProxy], mark
		}
		api.Objects[key] = object.Live{Object: a.Object}
	default:
		api.Objects[key] = object.Live{Object: a.Object}
	}
}

const kubeProxyPods = "DaemonSet kube-system/kube-proxy"

// actOnHost does an action on one host.
func (s *Simulation) actOnHost(name string, h *facts.Host, action plan.Action) error {
	switch a := action.(type) {
	case plan.PutFile:
		world.Written(h, a.Path, a.Mode, a.Content)
	case plan.Script:
		return runScript(h, a)
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
			h.Images[image.Name] = facts.Image{Digest: image.Digest.String(), Complete: true}
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
		if h.RegistryImages == nil {
			h.RegistryImages = map[string]string{}
		}
		for _, item := range a.Items {
			h.RegistryImages[item.Repository+":"+item.Tag] = item.Digest.String()
		}
	case plan.RunKubeadm:
		return s.runPhase(name, h, a)
	case plan.RestoreManifests:
		for _, component := range a.Components {
			delete(h.Files, templates.FormerManifest(component))
		}
	default:
		return fmt.Errorf("the simulation does not know %T", action)
	}
	return nil
}

// runScript does what a script does.
func runScript(h *facts.Host, a plan.Script) error {
	switch a.Name {
	case templates.ScriptSwapOff:
		h.Swaps, h.FstabSwaps, h.SwapUnits = nil, nil, nil
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
		name, state := a.Args[0], h.Units[a.Args[0]].Active
		if unitPath(h, name) == "" {
			return fmt.Errorf("there is no unit %s", name)
		}
		if len(a.Args) > 1 {
			state = afterStart(h, name)
		}
		SetActive(h, name, state)
		unit := h.Units[name]
		unit.Enabled = "enabled"
		h.Units[name] = unit
	case templates.ScriptRemoveFiles:
		for _, path := range a.Args {
			delete(h.Files, path)
			delete(h.Contents, path)
		}
	default:
		return fmt.Errorf("the simulation does not know the script %q", a.Name)
	}
	return nil
}

// runPhase does what a phase of kubeadm does.
func (s *Simulation) runPhase(name string, h *facts.Host, a plan.RunKubeadm) error {
	switch phase := strings.Join(a.Verb, " "); phase {
	case "init phase upload-config kubeadm":
		s.Facts.API.Settings[templates.KindCluster] = document(a.Document, templates.KindCluster)
	case "init phase upload-config kubelet":
		s.Facts.API.Settings[templates.KindKubelet] = document(a.Document, templates.KindKubelet)
	case "init phase certs apiserver":
		host, _ := s.State.Cluster.Host(name)
		s.certify(h, document(a.Document, templates.KindCluster), host.Address.String())
	case "init phase addon coredns", "init phase addon kube-proxy":
	case "upgrade node phase kubelet-config":
		h.Contents[templates.KubeletConfigFile] = []byte(s.Facts.API.Settings[templates.KindKubelet])
	default:
		return fmt.Errorf("the simulation does not know the phase %q", phase)
	}
	return nil
}
