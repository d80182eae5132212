package provision

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fairlead/provision/kube"
	"fairlead/templates"
)

// actOnCluster does an action through the API server, if it is one.
func (s *simulation) actOnCluster(action Action) (done bool, err error) {
	switch action.(type) {
	case MintToken, RevokeToken, DeleteTokens, AwaitNode, ChangeNode, ApplyObject, AwaitObject, RecordApplied, PruneObjects, ApproveServing, AwaitKubelet:
		if s.is.API.Err != nil {
			return true, s.is.API.Err
		}
	case AwaitAPI:
		s.is.API.Err = nil
		return true, nil
	}
	api := &s.is.API
	switch a := action.(type) {
	case MintToken:
		s.token = true
	case RevokeToken, DeleteTokens:
		s.token = false
	case CopyPKI, AwaitKubeadm:
	case AwaitNode:
		if _, exists := api.Nodes[a.Name]; !exists || a.Ready && !s.ready(a.Name) {
			return true, fmt.Errorf("node %s never comes: exists %v", a.Name, exists)
		}
	case ChangeNode:
		s.changeNode(a)
	case ApplyObject:
		s.apply(a)
	case AwaitObject:
		if _, exists := api.Objects[objectKey(a.Object)]; !exists {
			return true, fmt.Errorf("%s never comes", objectKey(a.Object))
		}
	case RecordApplied:
		api.Applied[a.Set] = a.Objects
		if len(a.Objects) == 0 {
			delete(api.Applied, a.Set)
		}
	case PruneObjects:
		for _, object := range a.Objects {
			delete(api.Objects, objectKey(object.Object()))
		}
	case ApproveServing:
		api.Serving = slices.DeleteFunc(slices.Clone(api.Serving), func(r kube.ServingRequest) bool { return r.Node == a.Identity.Node })
	case AwaitKubelet:
		if !s.ready(a.Node) {
			return true, fmt.Errorf("the kubelet of %s is not heard of", a.Node)
		}
	default:
		return false, nil
	}
	return true, nil
}

func (s *simulation) changeNode(a ChangeNode) {
	changeNode(s.is, a.Name, func(n *kube.Node) {
		for key, value := range a.Change.Labels {
			set(n.Labels, key, value)
		}
		for key, value := range a.Change.Annotations {
			set(n.Annotations, key, value)
		}
		gone := slices.Concat(a.Change.RemoveTaints, a.Change.AddTaints)
		n.Taints = slices.DeleteFunc(slices.Clone(n.Taints), func(t kube.Taint) bool { return slices.Contains(gone, t) })
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

func (s *simulation) apply(a ApplyObject) {
	api := &s.is.API
	key := objectKey(a.Object)
	data, _ := a.Object["data"].(map[string]any)
	switch key {
	case "ConfigMap kube-system/" + settingsRecord:
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
		api.Objects[key] = kube.Live{Object: a.Object}
	default:
		api.Objects[key] = kube.Live{Object: a.Object}
	}
}

const kubeProxyPods = "DaemonSet kube-system/kube-proxy"

// actOnHost does an action on one host.
func (s *simulation) actOnHost(name string, h *HostFacts, action Action) error {
	switch a := action.(type) {
	case PutFile:
		written(h, a.Path, a.Mode, a.Content)
	case Script:
		return runScript(h, a)
	case InstallLayers:
		for _, layer := range a.Layers {
			for _, file := range layer.Files {
				h.Files[file.Path] = FileFacts{Mode: file.Mode, Size: file.Size, SHA256: file.Digest.Encoded()}
			}
		}
	case ImportImages:
		if h.Units[containerdUnit].Active != "active" {
			return errors.New("the container runtime does not run")
		}
		for _, image := range a.Images {
			h.Images[image.Name] = ImageFacts{Digest: image.Digest.String(), Complete: true}
		}
	case MakeRegistryCertificate:
		return s.issue(h, a)
	case CopyRegistryCA:
		from := s.is.Hosts[a.From]
		if len(from.RegistryCA) == 0 {
			return fmt.Errorf("%s has no CA", a.From)
		}
		written(h, a.Path, 0o644, from.RegistryCA)
	case FillRegistry:
		if h.RegistryImages == nil {
			h.RegistryImages = map[string]string{}
		}
		for _, item := range a.Items {
			h.RegistryImages[item.Repository+":"+item.Tag] = item.Digest.String()
		}
	case RunKubeadm:
		return s.runPhase(name, h, a)
	case RestoreManifests:
		for _, component := range a.Components {
			delete(h.Files, formerManifest(component))
		}
	default:
		return fmt.Errorf("the simulation does not know %T", action)
	}
	return nil
}

// runScript does what a script does.
func runScript(h *HostFacts, a Script) error {
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
		setActive(h, a.Args[0], "inactive")
	case templates.ScriptRestartUnit:
		setActive(h, a.Args[0], "active")
	case templates.ScriptStartUnit:
		name, state := a.Args[0], h.Units[a.Args[0]].Active
		if unitPath(h, name) == "" {
			return fmt.Errorf("there is no unit %s", name)
		}
		if len(a.Args) > 1 {
			state = afterStart(h, name)
		}
		setActive(h, name, state)
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
func (s *simulation) runPhase(name string, h *HostFacts, a RunKubeadm) error {
	switch phase := strings.Join(a.Verb, " "); phase {
	case "init phase upload-config kubeadm":
		s.is.API.Settings[templates.KindCluster] = document(a.Document, templates.KindCluster)
	case "init phase upload-config kubelet":
		s.is.API.Settings[templates.KindKubelet] = document(a.Document, templates.KindKubelet)
	case "init phase certs apiserver":
		host, _ := s.wish.Cluster.Host(name)
		s.certify(h, document(a.Document, templates.KindCluster), host.Address.String())
	case "init phase addon coredns", "init phase addon kube-proxy":
	case "upgrade node phase kubelet-config":
		h.Contents[kubeletConfig] = []byte(s.is.API.Settings[templates.KindKubelet])
	default:
		return fmt.Errorf("the simulation does not know the phase %q", phase)
	}
	return nil
}
