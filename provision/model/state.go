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
		{templates.KubeletService, []string{templates.KubeletConf, "/usr/local/bin/kubelet", "/usr/bin/kubelet", "/etc/systemd/system/" + templates.KubeletService, "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"}},
		{templates.HAProxyService, []string{templates.HAProxyConfigFile, "/etc/systemd/system/haproxy.service.d/50-fairlead-balancer.conf"}},
		{templates.KeepalivedService, []string{templates.KeepalivedConfigFile, "/etc/systemd/system/keepalived.service.d/50-fairlead-balancer.conf"}},
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
	for unit := range was.Units {
		if !running(unit) {
			delete(s.stale, host+"/"+unit)
		}
	}
	for _, path := range slices.Concat(slices.Collect(maps.Keys(is.Files)), slices.Collect(maps.Keys(was.Files))) {
		if was.Files[path] == is.Files[path] {
			continue
		}
		if unit := readBy(path); running(unit) {
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
	fmt.Fprintln(&b, "stale services:", slices.Sorted(maps.Keys(s.stale)))
	for _, host := range s.State.Cluster.Hosts() {
		s.printHost(&b, host.Name, facts.Hosts[host.Name])
		node := facts.API.Nodes[host.NodeName()]
		fmt.Fprintln(&b, host.Name, "labels", node.Labels, "annotations", node.Annotations, "taints", node.Taints, "ready", node.Ready, "cordoned", node.Unschedulable)
	}
	if facts.API.Err != nil {
		fmt.Fprintln(&b, "API:", facts.API.Err)
		return b.String()
	}
	fmt.Fprintln(&b, "tokens", s.cluster.tokens, "etcd", s.cluster.etcd)
	for _, kind := range templates.SettingKinds() {
		fmt.Fprintln(&b, kind, s.normal(kind, facts.API.Settings[kind]))
	}
	fmt.Fprintln(&b, "recorded", facts.API.RecordedSettings, "kubeconfigs", facts.API.Kubeconfigs)
	for _, key := range slices.Sorted(maps.Keys(facts.API.Objects)) {
		if key == kubeProxyPods {
			continue // it has our mark only
		}
		fmt.Fprintln(&b, key, facts.API.Objects[key].Object)
	}
	fmt.Fprintln(&b, "applied", facts.API.Applied)
	return b.String()
}

func (s *Simulation) printHost(b *strings.Builder, name string, h facts.Host) {
	fmt.Fprintln(b, name, "sysctls", h.Sysctls, "modules", h.Modules, "swap", h.Swaps, "links", h.Links, "processes", h.Processes)
	fmt.Fprintln(b, name, "packages", packagesOf(h))
	for _, path := range slices.Sorted(maps.Keys(h.Files)) {
		switch {
		case strings.HasPrefix(path, imageFolder), strings.HasPrefix(path, templates.StateFolder):
			// images that nobody uses are not removed; the ledger tells of the time before
		case path == templates.KubeletConfigFile, strings.HasPrefix(path, manifestFolder), strings.HasSuffix(path, ".crt"):
			fmt.Fprintln(b, name, path) // printed below as what they mean, or made anew each time
		default:
			fmt.Fprintln(b, name, path, h.Files[path])
		}
	}
	for _, unit := range slices.Sorted(maps.Keys(h.Units)) {
		if unit != templates.KubeadmService && unit != templates.RegistryWriterService {
			fmt.Fprintln(b, name, unit, h.Units[unit])
		}
	}
	fmt.Fprintln(b, name, "kubelet", s.normal(templates.KindKubelet, string(h.Contents[templates.KubeletConfigFile])))
	for _, component := range templates.Components() {
		fmt.Fprintln(b, name, component, plan.CommandOf(h.Contents[templates.ManifestPath(component)]))
	}
}

// bare is the state with what only a reset takes away.
func (s *Simulation) bare() string {
	var b strings.Builder
	for _, host := range s.State.Cluster.Hosts() {
		b.WriteString(s.bareHost(host.Name))
	}
	return b.String() + s.state()
}

func (s *Simulation) bareHost(name string) string {
	var b strings.Builder
	h := s.Facts.Hosts[name]
	fmt.Fprintln(&b, name, "images", h.Images, "ledger", h.Ledger, "units", slices.Sorted(maps.Keys(h.Units)), below(&h, templates.StateFolder))
	s.printHost(&b, name, h)
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
