package packages

import (
	"path"
	"runtime"
	"strings"

	"fairlead/e2e/lab"
)

// The versions of the packages. A test compares them with what the modules pin.
const (
	kubernetesVersion  = lab.DefaultVersion
	decoyVersion       = "1.37.9" // newer; whoever asks for no exact version gets it
	kubernetesRevision = "1.1"
	containerdVersion  = "2.4.2"
	cniVersion         = "1.9.1"
)

// recipe is everything that decides what the repositories hold, but for the programs.
type recipe struct {
	Arch         string
	Root         lab.Debian // what the hosts have, and so no mirror needs
	Repositories []repository
	Keys         []key
}

// repository is an apt repository. Its folders are relative to the root of the server, slashes
// between their elements.
type repository struct {
	Folder       string // Filename in the index is relative to this one
	Release      string // below Folder, of the Release file; empty in a flat repository
	Index        string // below Folder, of Packages
	Pool         string // below Folder, of the packages
	Suite        suite
	Packages     []pkg    // made here
	Distribution []string // fetched from Debian, with all they need
}

// suite is the part of a Release file that does not depend on the packages.
type suite struct {
	Origin, Label string
	Name          string // of the suite, and its code name; empty in a flat repository
	Component     string // empty in a flat repository
}

// key signs repositories, which are named by their folders.
type key struct {
	Name   string
	Public string // file of the public key
	Signs  []string
}

// pkg is a package that is made of the lab's programs.
type pkg struct {
	Name, Version, Revision     string
	Section, Description        string
	Depends                     []string
	Conflicts, Replaces, Offers []string // Offers are what it provides
	Files                       []file
	Unit                        bool // it starts the unit that has its name
}

// file is a file of a package: the file From of a set's programs, or of the folder files.
type file struct {
	Set  string // empty for the folder files
	From string // empty for all programs of the set
	To   string // with a slash at the end, a folder
	Kept bool   // a conffile
}

// The repositories and the files of their keys, below the root of the server.
const (
	kubernetesRoot = "kubernetes/core:/stable:"
	dockerFolder   = "docker/linux/debian"
	debianFolder   = "debian"
	dockerKeyFile  = dockerFolder + "/gpg"
	otherKeyFile   = "other.asc"
)

// kubernetesFolder is the repository of one minor version, as there is one for each.
func kubernetesFolder() string {
	return kubernetesRoot + "/v" + kubernetesVersion[:strings.LastIndex(kubernetesVersion, ".")] + "/deb"
}

func kubernetesKeyFile() string { return kubernetesFolder() + "/Release.key" }

func defaultRecipe() recipe {
	root := lab.RootFS()
	return recipe{
		Arch: runtime.GOARCH,
		Root: root,
		Repositories: []repository{
			kubernetesRepository(runtime.GOARCH),
			dockerRepository(root.Suite, runtime.GOARCH),
			debianRepository(root.Suite, runtime.GOARCH),
		},
		Keys: []key{
			{"lab-kubernetes", kubernetesKeyFile(), []string{kubernetesFolder()}},
			{"lab-docker", dockerKeyFile, []string{dockerFolder, debianFolder}},
			{"lab-other", otherKeyFile, nil},
		},
	}
}

func kubernetesRepository(arch string) repository {
	minor := path.Base(path.Dir(kubernetesFolder()))
	label := "isv:kubernetes:core:stable:" + minor
	return repository{
		Folder: kubernetesFolder(), Pool: arch,
		Suite:    suite{Origin: "obs://build.opensuse.org/" + label + "/deb", Label: label},
		Packages: append(kubernetesPackages(), decoys()...),
	}
}

func dockerRepository(suiteName, arch string) repository {
	dists := "dists/" + suiteName
	return repository{
		Folder: dockerFolder, Release: dists,
		Index: dists + "/stable/binary-" + arch, Pool: dists + "/pool/stable/" + arch,
		Suite:    suite{Origin: "Docker", Label: "Docker CE", Name: suiteName, Component: "stable"},
		Packages: []pkg{containerdPackage()},
	}
}

func debianRepository(suiteName, arch string) repository {
	dists := "dists/" + suiteName
	return repository{
		Folder: debianFolder, Release: dists, Index: dists + "/main/binary-" + arch, Pool: "pool/main",
		Suite:        suite{Origin: "Debian", Label: "Debian", Name: suiteName, Component: "main"},
		Distribution: []string{"containerd", "runc", "docker.io", "tinyproxy", "haproxy", "keepalived"},
	}
}

// kubernetesPackages have the files of the real ones. Only cri-tools is hollow: nothing that the
// lab can build is in it.
func kubernetesPackages() []pkg {
	const units = "/usr/lib/systemd/system/kubelet.service"
	packages := []pkg{{
		Name: "kubelet", Section: "net", Description: "Node agent for Kubernetes clusters",
		Depends: []string{"iptables (>= 1.4.21)", "kubernetes-cni (>= 1.2.0)", "mount", "util-linux"},
		Files: []file{
			{Set: "kubernetes", From: "kubelet", To: "/usr/bin/kubelet"},
			{From: "kubelet.service", To: units},
			{From: "kubelet.env", To: "/etc/default/kubelet", Kept: true},
			{From: "kubelet-keep", To: "/var/lib/kubelet/.kubelet-keep"},
			{From: "kubelet-keep", To: "/etc/kubernetes/manifests/.kubelet-keep"},
		},
		Unit: true,
	}, {
		Name: "kubeadm", Section: "admin", Description: "Command-line utility for administering a Kubernetes cluster",
		Files: []file{
			{Set: "kubernetes", From: "kubeadm", To: "/usr/bin/kubeadm"},
			{From: "10-kubeadm.conf", To: units + ".d/10-kubeadm.conf"},
		},
	}, {
		Name: "kubectl", Section: "admin", Description: "Command-line utility for interacting with a Kubernetes cluster",
		Files: []file{{Set: "kubernetes", From: "kubectl", To: "/usr/bin/kubectl"}},
	}, {
		Name: "cri-tools", Section: "admin", Description: "Command-line utility for interacting with a container runtime",
		Files: []file{{From: "cri-tools.txt", To: "/usr/share/doc/cri-tools/README"}},
	}, {
		Name: "kubernetes-cni", Version: cniVersion, Section: "admin", Description: "Binaries required to provision kubernetes container networking",
		Files: []file{{Set: "cniplugins", To: "/opt/cni/bin/"}},
	}}
	for i := range packages {
		packages[i].Revision = kubernetesRevision
		if packages[i].Version == "" {
			packages[i].Version = kubernetesVersion
		}
	}
	return packages
}

// decoys are newer than what a cluster asks for, and hold nothing.
func decoys() []pkg {
	var packages []pkg
	for _, name := range []string{"kubelet", "kubeadm", "kubectl"} {
		packages = append(packages, pkg{
			Name: name, Version: decoyVersion, Revision: kubernetesRevision, Section: "admin", Description: "Never to be installed",
		})
	}
	return packages
}

func containerdPackage() pkg {
	same := []string{"containerd", "runc"}
	return pkg{
		Name: "containerd.io", Version: containerdVersion, Revision: "1",
		Section: "devel", Description: "An open and reliable container runtime",
		Conflicts: same, Replaces: same, Offers: same,
		Files: []file{
			{Set: "containerd", To: "/usr/bin/"},
			{Set: "runc", To: "/usr/bin/"},
			{From: "containerd.service", To: "/lib/systemd/system/containerd.service"},
			{From: "containerd.toml", To: "/etc/containerd/config.toml", Kept: true},
		},
		Unit: true,
	}
}
