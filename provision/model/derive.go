package model

import (
	"maps"
	"path"
	"slices"
	"strings"

	"fairlead/pki"
	"fairlead/provision/facts"
	"fairlead/templates"
)

// Where the model has what real hosts keep in other forms.
const (
	kubernetesFolder   = "/etc/kubernetes"
	manifestFolder     = kubernetesFolder + "/manifests"
	imageFolder        = "/var/lib/containerd/"
	etcdData           = "/var/lib/etcd"
	etcdMember         = etcdData + "/member"
	unbegun            = "no entry" // what etcdMember holds of an etcd that was cut off before it wrote anything
	podLogs            = "/var/log/pods/kube-proxy"
	kubeletCredentials = templates.KubeletClientCertificate
)

// derive reads from the files of a host what they say.
func derive(h *facts.Host) {
	h.Manifests, h.Certificates, h.FstabSwaps, h.SwapUnits, h.RegistryImages = nil, nil, nil, nil, nil
	h.Servers = map[string]string{}
	h.Kubeconfigs, h.NotEmpty, h.Images = map[string]bool{}, map[string]bool{}, map[string]facts.Image{}
	for file, is := range h.Files {
		switch folder, name := path.Dir(file), path.Base(file); {
		case folder == manifestFolder:
			h.Manifests = append(h.Manifests, name)
		case folder == kubernetesFolder && strings.HasSuffix(name, ".conf"):
			h.Kubeconfigs[name] = true
			if server := pki.ServerLine(string(h.Contents[file])); server != "" {
				h.Servers[name] = server
			}
		case folder == templates.KindFolder:
			h.NotEmpty[templates.KindFolder] = true
		case folder == etcdData:
			h.NotEmpty[etcdData] = true
		case strings.HasPrefix(file, imageFolder):
			h.Images[strings.TrimPrefix(file, imageFolder)] = facts.Image{Digest: is.SHA256, Complete: true}
		case strings.HasPrefix(file, templates.RegistryStorage+"/"):
			if h.RegistryImages == nil {
				h.RegistryImages = map[string]string{}
			}
			h.RegistryImages[strings.TrimPrefix(file, templates.RegistryStorage+"/")] = is.SHA256
		}
	}
	slices.Sort(h.Manifests)
	_, h.KubeletConfig = h.Files[templates.KubeletConfigFile]
	_, h.KubeletCredentials = h.Files[kubeletCredentials]
	h.CA, h.RegistryCA, h.RegistryCertificate = h.Contents[templates.CACertificate], h.Contents[templates.RegistryCA], h.Contents[templates.RegistryCertificate]
	if names, exists := h.Contents[templates.APIServerCertificate]; exists {
		h.Certificates = append(h.Certificates, facts.Certificate{Path: templates.APIServerCertificate, Names: strings.Fields(string(names))})
	}
	if name, exists := h.Contents[kubeletCredentials]; exists {
		h.Certificates = append(h.Certificates, facts.Certificate{Path: kubeletCredentials, Subject: "CN=system:node:" + string(name) + ",O=system:nodes"})
	}
	for line := range strings.Lines(string(h.Contents[templates.Fstab])) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == "swap" && !strings.HasPrefix(line, "#") {
			h.FstabSwaps = append(h.FstabSwaps, fields[0])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.Units)) {
		if strings.HasSuffix(name, ".swap") {
			h.SwapUnits = append(h.SwapUnits, facts.SwapUnit{Name: name, State: h.Units[name].Enabled})
		}
	}
	h.EtcdUnbegun = string(h.Contents[etcdMember]) == unbegun
	_, h.InstallCut = h.Contents[packagesPending]
}

func remove(h *facts.Host, paths ...string) {
	for _, path := range paths {
		delete(h.Files, path)
		delete(h.Contents, path)
	}
}

// below are the files in a folder.
func below(h *facts.Host, folder string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(h.Files)), func(path string) bool { return !strings.HasPrefix(path, folder+"/") })
}

// SetActive gives a unit of a host another state.
func SetActive(h *facts.Host, unit, state string) {
	facts := h.Units[unit]
	facts.Load, facts.Active, facts.Path = "loaded", state, unitPath(h, unit)
	h.Units[unit] = facts
}

// cloneHost and cloneAPI are copies of what actions change.
func cloneHost(h facts.Host) facts.Host {
	h.Files, h.Contents, h.Units = maps.Clone(h.Files), maps.Clone(h.Contents), maps.Clone(h.Units)
	h.Images, h.Kubeconfigs, h.Sysctls = maps.Clone(h.Images), maps.Clone(h.Kubeconfigs), maps.Clone(h.Sysctls)
	h.Modules, h.RegistryImages, h.NotEmpty = maps.Clone(h.Modules), maps.Clone(h.RegistryImages), maps.Clone(h.NotEmpty)
	h.Packages, h.Ledger = maps.Clone(h.Packages), slices.Clone(h.Ledger)
	h.Swaps, h.Links, h.Processes = slices.Clone(h.Swaps), slices.Clone(h.Links), slices.Clone(h.Processes)
	return h
}

func cloneAPI(api facts.API) facts.API {
	api.Nodes, api.Objects, api.Applied = maps.Clone(api.Nodes), maps.Clone(api.Objects), maps.Clone(api.Applied)
	api.Settings, api.RecordedSettings = maps.Clone(api.Settings), maps.Clone(api.RecordedSettings)
	api.Kubeconfigs = maps.Clone(api.Kubeconfigs)
	api.Serving, api.Removed = slices.Clone(api.Serving), maps.Clone(api.Removed)
	for name, node := range api.Nodes {
		node.Labels, node.Annotations, node.Taints = maps.Clone(node.Labels), maps.Clone(node.Annotations), slices.Clone(node.Taints)
		api.Nodes[name] = node
	}
	return api
}
