package templates

import _ "embed"

//go:embed host/kubelet.service
var kubeletUnit string

//go:embed host/10-kubeadm.conf
var kubeletDropIn string

// HostFile is a file as it shall be on a host, owned by root.
type HostFile struct {
	// Path is absolute.
	Path string
	// Mode holds the permission bits.
	Mode uint32
	// Content is the whole file.
	Content []byte
	// Secret says that the content is shown to nobody.
	Secret bool
}

// KubeletUnit returns the kubelet's systemd unit and kubeadm's drop-in, as the
// Kubernetes packages have them, for /usr/local/bin/kubelet.
func KubeletUnit() []HostFile {
	const unit = "/etc/systemd/system/kubelet.service"
	return []HostFile{
		{Path: unit, Mode: 0o644, Content: []byte(kubeletUnit)},
		{Path: unit + ".d/10-kubeadm.conf", Mode: 0o644, Content: []byte(kubeletDropIn)},
	}
}

// ContainerDropIn returns the part of a packaged unit for a host whose root lacks
// CAP_SYS_RESOURCE: systemd would refuse to start a unit that lowers its OOM score.
func ContainerDropIn(unit string) HostFile {
	return HostFile{
		Path: "/etc/systemd/system/" + unit + ".d/50-fairlead-oom.conf", Mode: 0o644,
		Content: []byte("# Written by fairlead.\n[Service]\nOOMScoreAdjust=0\n"),
	}
}
