package templates

import (
	"slices"
	"strings"
)

// PackageManager names the program that a family of operating systems gets packages with.
type PackageManager string

// The package managers that fairlead can use.
const (
	Apt PackageManager = "apt"
	Dnf PackageManager = "dnf"
)

// Family is how packages are got on an operating system, by the ID of its os-release.
type Family struct {
	ID      string
	Name    string // for people
	Manager PackageManager
	// DockerPath is the folder of Docker's repository, empty when Docker has none for it.
	DockerPath string
	// Containerd and Docker are the distribution's own packages, empty when it has none.
	Containerd, Docker string
}

// Families are the operating systems that fairlead knows. Docker's folders are those of
// docs.docker.com/engine/install; the rebuilds of RHEL use CentOS's.
func Families() []Family {
	return []Family{
		{ID: "debian", Name: "Debian", Manager: Apt, DockerPath: "debian", Containerd: "containerd", Docker: "docker.io"},
		{ID: "ubuntu", Name: "Ubuntu", Manager: Apt, DockerPath: "ubuntu", Containerd: "containerd", Docker: "docker.io"},
		{ID: "rhel", Name: "Red Hat Enterprise Linux", Manager: Dnf, DockerPath: "rhel"},
		{ID: "rocky", Name: "Rocky Linux", Manager: Dnf, DockerPath: "centos"},
		{ID: "almalinux", Name: "AlmaLinux", Manager: Dnf, DockerPath: "centos"},
		{ID: "ol", Name: "Oracle Linux", Manager: Dnf, DockerPath: "centos"},
		{ID: "centos", Name: "CentOS Stream", Manager: Dnf, DockerPath: "centos"},
		{ID: "fedora", Name: "Fedora", Manager: Dnf, DockerPath: "fedora", Containerd: "containerd", Docker: "moby-engine"},
		{ID: "amzn", Name: "Amazon Linux", Manager: Dnf, Containerd: "containerd", Docker: "docker"},
	}
}

// FamilyOf finds the family of an operating system: by its ID, else by the first word of its
// ID_LIKE that is known.
func FamilyOf(id, like string) (Family, bool) {
	for _, name := range append([]string{id}, strings.Fields(like)...) {
		if i := slices.IndexFunc(Families(), func(f Family) bool { return f.ID == name }); i >= 0 {
			return Families()[i], true
		}
	}
	return Family{}, false
}

// Pinned is a package in exactly this version, whatever the packager's own suffix is.
func (f Family) Pinned(name, version string) string {
	if f.Manager == Apt {
		return name + "=" + version + "-*"
	}
	return name + "-" + version
}
