package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fairlead/provision/facts"
	"fairlead/provision/plan"
	"fairlead/templates"
)

// readBy says which service reads a file when it starts.
func readBy(path string) string {
	for _, unit := range []string{templates.ContainerdService, templates.KubeletService, templates.DockerService} {
		if slices.Contains([]string{templates.ProxyDropInPath(unit), templates.ContainerDropIn(unit).Path, "/usr/lib/systemd/system/" + unit}, path) {
			return unit
		}
	}
	for _, service := range []struct {
		unit  string
		paths []string
	}{
		{templates.DockerService, []string{templates.DockerConfigPath, "/usr/bin/dockerd"}},
		{templates.ContainerdService, []string{templates.ContainerdConfigFile, templates.RegistryCredentials(nil, templates.Containerd{}).Path, "/usr/local/bin/containerd", "/usr/bin/containerd", "/etc/systemd/system/" + templates.ContainerdService}},
		{templates.KubeletService, []string{"/usr/local/bin/kubelet", "/usr/bin/kubelet", "/etc/systemd/system/" + templates.KubeletService, "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"}},
		{templates.RegistryService, []string{"/usr/local/bin/registry", "/etc/systemd/system/" + templates.RegistryService}},
	} {
		if slices.Contains(service.paths, path) {
			return service.unit
		}
	}
	return ""
}

// age marks the services that go on running while a file of theirs changes. A service that
// was started is a new one.
func (s *Simulation) age(host string, was, is facts.Host) {
	running := func(unit string) bool { return is.Units[unit].Active == "active" && was.Units[unit].Active == "active" }
	for unit := range is.Units {
		if !running(unit) {
			delete(s.stale, host+"/"+unit)
		}
	}
	for _, path := range slices.Concat(slices.Sorted(maps.Keys(is.Files)), slices.Sorted(maps.Keys(was.Files))) {
		if unit := readBy(path); running(unit) && was.Files[path] != is.Files[path] {
			s.stale[host+"/"+unit] = true
		}
	}
	if running(templates.KubeletService) && string(was.Contents[templates.KubeletConfigFile]) != string(is.Contents[templates.KubeletConfigFile]) {
		s.stale[host+"/"+templates.KubeletService] = true
	}
}

// state is all that a run can have made, as text: equal worlds have equal states.
func (s *Simulation) state() string {
	facts := s.Observe()
	var b strings.Builder
	fmt.Fprintln(&b, "stale services:", slices.Sorted(maps.Keys(s.stale)), "token:", s.token)
	for _, host := range s.State.Cluster.Hosts() {
		h := facts.Hosts[host.Name]
		fmt.Fprintln(&b, host.Name, "sysctls", h.Sysctls, "modules", h.Modules, "kubeconfigs", h.Kubeconfigs, "registry", h.RegistryImages)
		fmt.Fprintln(&b, host.Name, "packages", packagesOf(h))
		for _, path := range slices.Sorted(maps.Keys(h.Files)) {
			fmt.Fprintln(&b, host.Name, path, h.Files[path])
		}
		for _, name := range slices.Sorted(maps.Keys(h.Units)) {
			if name != templates.KubeadmService && name != templates.RegistryWriterService {
				fmt.Fprintln(&b, host.Name, name, h.Units[name])
			}
		}
		fmt.Fprintln(&b, host.Name, "kubelet", s.normal(templates.KindKubelet, string(h.Contents[templates.KubeletConfigFile])))
		for _, component := range templates.Components() {
			fmt.Fprintln(&b, host.Name, component, plan.CommandOf(h.Contents[templates.ManifestPath(component)]))
		}
		node := facts.API.Nodes[host.Name]
		fmt.Fprintln(&b, host.Name, "labels", node.Labels, "annotations", node.Annotations, "taints", node.Taints, "ready", node.Ready)
	}
	for _, kind := range templates.SettingKinds() {
		fmt.Fprintln(&b, kind, s.normal(kind, facts.API.Settings[kind]))
	}
	fmt.Fprintln(&b, "recorded", facts.API.RecordedSettings)
	for _, key := range slices.Sorted(maps.Keys(facts.API.Objects)) {
		if key == kubeProxyPods {
			continue // it has our mark only
		}
		fmt.Fprintln(&b, key, facts.API.Objects[key].Object)
	}
	fmt.Fprintln(&b, "applied", facts.API.Applied)
	return b.String()
}

// normal is a document with its fields spelled in one way; what is set to nothing is left out.
func (s *Simulation) normal(kind, text string) string {
	if text == "" {
		return ""
	}
	fields, err := templates.ReadSettings(kind, []byte(text))
	if err != nil {
		s.t.Error(err)
	}
	return fmt.Sprint(templates.SettingChanges(nil, fields))
}

// difference is the first line in which two states differ.
func difference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(left), len(right)) {
		line := func(lines []string) string {
			if i >= len(lines) {
				return "(nothing)"
			}
			return lines[i]
		}
		if line(left) != line(right) {
			return line(left) + "\ninstead of\n" + line(right)
		}
	}
	return ""
}
