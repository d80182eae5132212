package templates

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

// ContainerdConfigPath is where containerd reads its configuration.
const ContainerdConfigPath = "/etc/containerd/config.toml"

//go:embed host/containerd.toml
var containerdConfig string

//go:embed host/containerd-v2.toml
var containerdConfigV2 string

//go:embed host/containerd.service
var containerdUnit string

// Containerd holds what differs between hosts in containerd's configuration and unit.
type Containerd struct {
	// Format2 is for a containerd of which fairlead does not know beforehand that it is 2.0 or
	// later: one that comes from packages.
	Format2 bool
	// SandboxImage is the pause image of every pod, as the host has it.
	SandboxImage string
	// Credentials includes the file of RegistryCredentials.
	Credentials bool
	// RestrictOOMScoreAdj is for a host whose root lacks CAP_SYS_RESOURCE, so
	// that no process can lower its OOM score.
	RestrictOOMScoreAdj bool
	// DisableAppArmor is for a host on which AppArmor profiles cannot be loaded.
	DisableAppArmor bool
}

// ContainerdConfig returns the whole configuration file: systemd cgroups, hosts.toml
// files below RegistryCertsFolder, and the sandbox image pinned. It is of version 3,
// which containerd 2.0 and later understand, or of version 2, which 1.6 and later do.
func ContainerdConfig(o Containerd) []byte {
	config := containerdConfig
	if o.Format2 {
		config = containerdConfigV2
	}
	if o.Format2 && o.Credentials {
		config, _, _ = strings.Cut(config, "\n[") // the rest is in the file with the credentials
	}
	return o.fill(config, o.Credentials)
}

// fill puts what differs between hosts into a configuration.
func (o Containerd) fill(config string, credentials bool) []byte {
	imports := ""
	if credentials {
		imports = "imports = ['" + registryCredentialsPath + "']\n"
	}
	return []byte(strings.NewReplacer(
		"@IMPORTS@\n", imports,
		"@SANDBOX_IMAGE@", tomlString(o.SandboxImage),
		"@RESTRICT_OOM_SCORE_ADJ@", strconv.FormatBool(o.RestrictOOMScoreAdj),
		"@DISABLE_APPARMOR@", strconv.FormatBool(o.DisableAppArmor),
	).Replace(config))
}

// ContainerdUnit returns the systemd unit of /usr/local/bin/containerd. The OOM
// score is left alone where RestrictOOMScoreAdj says that it cannot be lowered:
// systemd would refuse to start the unit.
func ContainerdUnit(o Containerd) HostFile {
	unit := containerdUnit
	if o.RestrictOOMScoreAdj {
		unit = strings.Replace(unit, "OOMScoreAdjust=-999\n", "", 1)
	}
	return HostFile{Path: "/etc/systemd/system/containerd.service", Mode: 0o644, Content: []byte(unit)}
}

// tomlString writes s as a TOML basic string.
func tomlString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
