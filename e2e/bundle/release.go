package bundle

import (
	"fmt"
	"slices"
	"strings"
)

// release is a version of Kubernetes, and the versions that its kubeadm goes with (kubeadm/app/constants).
type release struct {
	Kubernetes string // without "v"
	Date       string // of the module's version
	Etcd       string
	EtcdImage  string // the tag of upstream's image
	CoreDNS    string
	Pause      string // the tag of upstream's image
	// Folder ends the names of the folders of those modules that differ from release to release.
	Folder string
}

// releases are those that a bundle can be built of. The first one is what fairlead is developed against, the others are what
// clusters are upgraded from.
func releases() []release {
	return []release{{
		Kubernetes: "1.37.2", Date: "2026-10-27T12:01:04Z", Etcd: "3.7.3", EtcdImage: "3.7.0-0", CoreDNS: "1.14.6", Pause: "3.10.2",
	}, {
		Kubernetes: "1.36.3", Date: "2026-07-22T18:07:38Z", Etcd: "3.6.8", EtcdImage: "3.6.8-0", CoreDNS: "1.14.2", Pause: "3.10.2", Folder: "136",
	}}
}

// releaseOf finds a release by its version; the empty one is the first.
func releaseOf(version string) (release, error) {
	all := releases()
	if version == "" {
		return all[0], nil
	}
	i := slices.IndexFunc(all, func(r release) bool { return r.Kubernetes == version })
	if i < 0 {
		var known []string
		for _, r := range all {
			known = append(known, r.Kubernetes)
		}
		return release{}, fmt.Errorf("build the bundle of Kubernetes %s: there are recipes for %s only", version, strings.Join(known, ", "))
	}
	return all[i], nil
}

// folder is that of a module which the release has its own version of.
func (r release) folder(name string) string { return name + r.Folder }

func (r release) kubernetesSet() set {
	s := set{Name: r.folder("kubernetes")}
	for _, name := range []string{
		"kubeadm", "kubelet", "kubectl",
		"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy",
	} {
		s.Binaries = append(s.Binaries, binary{name, "k8s.io/kubernetes/cmd/" + name})
	}
	parts := strings.Split(r.Kubernetes, ".")
	for _, v := range [][2]string{
		{"gitVersion", "v" + r.Kubernetes},
		{"gitMajor", parts[0]},
		{"gitMinor", parts[1]},
		{"gitTreeState", "clean"},
		{"gitCommit", "unknown"},
		{"buildDate", r.Date},
	} {
		s.LDFlags = append(s.LDFlags, "-X k8s.io/component-base/version."+v[0]+"="+v[1])
	}
	s.Checks = []check{
		{"kubeadm", []string{"version", "-o", "short"}, "v" + r.Kubernetes},
		{"kubelet", []string{"--version"}, "Kubernetes v" + r.Kubernetes},
		{"kubectl", []string{"version", "--client"}, "v" + r.Kubernetes},
		{"kube-apiserver", []string{"--version"}, "Kubernetes v" + r.Kubernetes},
		{"kube-proxy", []string{"--version"}, "Kubernetes v" + r.Kubernetes},
	}
	return s
}

func (r release) etcdSet() set {
	return set{
		Name: r.folder("etcd"),
		Binaries: []binary{
			{"etcd", "go.etcd.io/etcd/server/v3"},
			{"etcdctl", "go.etcd.io/etcd/etcdctl/v3"},
			{"etcdutl", "go.etcd.io/etcd/etcdutl/v3"},
		},
		Checks: []check{
			{"etcd", []string{"--version"}, r.Etcd},
			{"etcdctl", []string{"version"}, r.Etcd},
			{"etcdutl", []string{"version"}, r.Etcd},
		},
	}
}

func (r release) coreDNSSet() set {
	return set{
		Name:     r.folder("coredns"),
		Binaries: []binary{{"coredns", "github.com/coredns/coredns"}},
		Checks:   []check{{"coredns", []string{"-version"}, "CoreDNS-" + r.CoreDNS}},
	}
}
