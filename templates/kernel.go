package templates

import (
	"bytes"
	"fmt"
	"strings"
)

const writtenBy = "# Written by fairlead.\n"

// Modules returns the kernel modules that a node needs: overlay for containerd's
// snapshots, br_netfilter so that bridged pod traffic passes iptables.
func Modules() []string { return []string{"overlay", "br_netfilter"} }

// ModulesFile makes systemd load the modules at boot.
func ModulesFile() HostFile {
	return HostFile{
		Path:    "/etc/modules-load.d/fairlead.conf",
		Mode:    0o644,
		Content: []byte(writtenBy + strings.Join(Modules(), "\n") + "\n"),
	}
}

// Sysctl is one kernel setting: its dotted key, and its value as /proc shows it.
type Sysctl struct{ Key, Value string }

// Sysctls returns the kernel settings that a node needs; ipv6 says whether the
// cluster has an IPv6 subnet or address. The net.bridge keys exist only while
// br_netfilter is loaded.
func Sysctls(ipv6 bool) []Sysctl {
	settings := []Sysctl{
		{"net.bridge.bridge-nf-call-iptables", "1"},
		{"net.bridge.bridge-nf-call-ip6tables", "1"},
		{"net.ipv4.ip_forward", "1"},
	}
	if ipv6 {
		settings = append(settings,
			Sysctl{"net.ipv6.conf.all.forwarding", "1"},
			Sysctl{"net.ipv6.conf.default.forwarding", "1"},
		)
	}
	return settings
}

// SysctlFile makes the settings permanent. A file that sorts later can override
// it: what counts is what /proc says.
func SysctlFile(ipv6 bool) HostFile {
	content := bytes.NewBufferString(writtenBy)
	for _, s := range Sysctls(ipv6) {
		fmt.Fprintf(content, "%s = %s\n", s.Key, s.Value)
	}
	return HostFile{Path: "/etc/sysctl.d/99-fairlead.conf", Mode: 0o644, Content: content.Bytes()}
}
