package bundle

import "path"

// The sets that other projects' modules make, but for those that a release of Kubernetes decides.

func runcSet() set {
	s := set{
		Name:     "runc",
		Binaries: []binary{{"runc", "github.com/opencontainers/runc"}},
		Tags:     []string{"seccomp", "urfave_cli_no_docs"},
		Needs:    []string{"libseccomp-dev", "pkg-config"},
		Checks: []check{
			{"runc", []string{"--version"}, "runc version " + runcVersion},
			{"runc", []string{"--version"}, "libseccomp"},
		},
	}
	return static(s)
}

func containerdSet() set {
	const module = "github.com/containerd/containerd/v2"
	return set{
		Name: "containerd",
		Binaries: []binary{
			{"containerd", module + "/cmd/containerd"},
			{"containerd-shim-runc-v2", module + "/cmd/containerd-shim-runc-v2"},
			{"ctr", module + "/cmd/ctr"},
		},
		LDFlags: []string{"-X " + module + "/version.Version=v" + containerdVersion},
		Checks: []check{
			{"containerd", []string{"--version"}, "v" + containerdVersion},
			{"ctr", []string{"--version"}, "v" + containerdVersion},
		},
	}
}

func cniSet() set {
	const module = "github.com/containernetworking/plugins"
	s := set{
		Name:    "cniplugins",
		LDFlags: []string{"-X " + module + "/pkg/utils/buildversion.BuildVersion=v" + cniVersion},
		Checks:  []check{{"bridge", []string{"--version"}, "v" + cniVersion}},
	}
	for _, plugin := range []string{
		"main/bridge", "main/dummy", "main/host-device", "main/ipvlan", "main/loopback",
		"main/macvlan", "main/ptp", "main/tap", "main/vlan",
		"ipam/dhcp", "ipam/host-local", "ipam/static",
		"meta/bandwidth", "meta/firewall", "meta/portmap", "meta/sbr", "meta/tuning", "meta/vrf",
	} {
		s.Binaries = append(s.Binaries, binary{path.Base(plugin), module + "/plugins/" + plugin})
	}
	return s
}

// cniFlannelSet is the plugin that delegates to others by what flanneld wrote; the
// project of the other plugins dropped it after v0.9.
func cniFlannelSet() set {
	return set{
		Name:     "cniflannel",
		Binaries: []binary{{"flannel", "github.com/containernetworking/plugins/plugins/meta/flannel"}},
	}
}

// flannelSet needs cgo for flannel's udp backend.
func flannelSet() set {
	const module = "github.com/flannel-io/flannel"
	return static(set{
		Name:     "flannel",
		Binaries: []binary{{"flanneld", module}, {"install-conf", module + "/cmd/install_conf"}},
		LDFlags:  []string{"-X " + module + "/pkg/version.Version=v" + flannelVersion},
		Checks:   []check{{"flanneld", []string{"--version"}, "v" + flannelVersion}},
	})
}

func metricsServerSet() set {
	const module = "sigs.k8s.io/metrics-server"
	return set{
		Name:     "metricsserver",
		Binaries: []binary{{"metrics-server", module + "/cmd/metrics-server"}},
		LDFlags:  []string{"-X k8s.io/client-go/pkg/version.gitVersion=v" + metricsServerVersion},
	}
}

func registrySet() set {
	const module = "github.com/distribution/distribution/v3"
	return set{
		Name:     "registry",
		Binaries: []binary{{"registry", module + "/cmd/registry"}},
		LDFlags:  []string{"-X " + module + "/version.version=v" + registryVersion},
		Checks:   []check{{"registry", []string{"--version"}, "v" + registryVersion}},
	}
}

// traefikSet goes without the ACME library's providers of names: they are most of its code, and
// the ingress controller asks nobody outside for certificates.
func traefikSet() set {
	const module = "github.com/traefik/traefik/v3"
	return set{
		Name:     "traefik",
		Copies:   []moduleCopy{{Folder: "lego", Module: "github.com/go-acme/lego/v5@v5.2.2", Dropped: []string{"providers/dns"}}},
		Binaries: []binary{{"traefik", module + "/cmd/traefik"}},
		LDFlags:  []string{"-X " + module + "/pkg/version.Version=" + traefikVersion},
		Checks:   []check{{"traefik", []string{"version"}, traefikVersion}},
	}
}

// nfpmSet makes Debian packages.
func nfpmSet() set {
	return set{
		Name:     "nfpm",
		Binaries: []binary{{"nfpm", "github.com/goreleaser/nfpm/v2/cmd/nfpm"}},
		LDFlags:  []string{"-X main.version=" + nfpmVersion},
		Checks:   []check{{"nfpm", []string{"--version"}, nfpmVersion}},
	}
}

// approverSet is fairlead's own approver of kubelet certificates.
func approverSet() set {
	return set{
		Name:     "approver",
		Product:  []string{"go.mod", "go.sum", "cmd/fairlead-approver", "pki", "provision/kube", "provision/object"},
		Binaries: []binary{{"fairlead-approver", "fairlead/cmd/fairlead-approver"}},
	}
}

// static makes a set with C in it stand on its own, as its users run on other systems.
func static(s set) set {
	s.CGO = true
	s.Tags = append(s.Tags, "netgo", "osusergo")
	s.LDFlags = append(s.LDFlags, "-linkmode external", "-extldflags -static")
	s.Needs = append(s.Needs, "gcc", "libc6-dev")
	return s
}

// debianBase has what kube-proxy and flannel call: iptables and its relatives, ip, a
// shell and cp.
func debianBase() base {
	return base{
		Suite:    "bookworm",
		Variant:  "essential",
		Packages: []string{"conntrack", "ipset", "iproute2", "iptables", "kmod", "nftables"},
		Needs:    []string{"mmdebstrap"},
		Exclude:  []string{"/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*", "/usr/share/lintian/*"},
		Drop: []string{
			"dev/", "proc/", "sys/", "run/", "tmp/", "var/cache/", "var/log/", "var/lib/apt/lists/",
			"etc/hostname", "etc/machine-id", "etc/resolv.conf",
			// The tools need neither Perl nor character sets; dpkg's records would be of no use.
			"usr/share/perl/", "usr/share/perl5/", "usr/lib/*/perl/", "usr/lib/*/libperl.so.*",
			"usr/lib/*/gconv/", "var/lib/dpkg/", "usr/share/bash-completion/",
		},
	}
}
