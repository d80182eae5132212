package templates

import (
	"strings"
)

// RegistryCertsFolder is where containerd looks for how to reach a registry
// (config_path; containerd docs/hosts.md).
const RegistryCertsFolder = "/etc/containerd/certs.d"

// RegistryEndpoint is a place from which containerd gets images.
type RegistryEndpoint struct {
	// URL is the scheme and the host, such as https://registry.example.com:5000.
	URL string
	// Path is put before the names of repositories; empty for none.
	Path string
	// CAFile is the path on the host of the CA that the endpoint's certificate is
	// verified against; empty for the system's CAs.
	CAFile string
}

// RegistryHosts returns containerd's hosts.toml for images named by name, a registry's
// host[:port]: the mirrors are tried in their order, then the server. Certificates are
// verified always.
func RegistryHosts(name string, server RegistryEndpoint, mirrors []RegistryEndpoint) HostFile {
	var b strings.Builder
	b.WriteString("# Written by fairlead as a whole; changes made here are replaced.\n")
	b.WriteString("server = " + tomlString(server.root()) + "\n")
	writeEndpoint(&b, "", server)
	if len(mirrors) == 0 {
		b.WriteString("\n[host]\n") // containerd 1 wants this table even where nothing is in it
	}
	for _, mirror := range mirrors {
		b.WriteString("\n[host." + tomlString(mirror.root()) + "]\n")
		writeEndpoint(&b, "  ", mirror)
	}
	return HostFile{Path: RegistryCertsFolder + "/" + name + "/hosts.toml", Mode: 0o644, Content: []byte(b.String())}
}

// root is what containerd puts before the names of repositories; with a path it is the whole.
func (e RegistryEndpoint) root() string {
	if e.Path == "" {
		return e.URL
	}
	return e.URL + "/v2/" + e.Path
}

func writeEndpoint(b *strings.Builder, margin string, e RegistryEndpoint) {
	b.WriteString(margin + "capabilities = [\"pull\", \"resolve\"]\n")
	if e.CAFile != "" {
		b.WriteString(margin + "ca = " + tomlString(e.CAFile) + "\n")
	}
	if e.Path != "" {
		b.WriteString(margin + "override_path = true\n")
	}
}

// RegistryCredential is a user of a registry.
type RegistryCredential struct{ Host, User, Password string }

// RegistryCredentials returns the part of containerd's configuration that holds passwords:
// a file of its own that only root can read. ContainerdConfig includes it if
// Containerd.Credentials is set. containerd calls the setting deprecated, and has no
// other for credentials that do not come with a pod.
//
// Below 2.0, containerd lets a plugin's section of an included file take the place of
// the whole section: there this file holds all of the plugin's settings.
func RegistryCredentials(credentials []RegistryCredential, o Containerd) HostFile {
	var b strings.Builder
	plugin := "io.containerd.cri.v1.images"
	if o.Format2 {
		plugin = "io.containerd.grpc.v1.cri"
		b.Write(o.fill(containerdConfigV2, false))
	} else {
		b.WriteString("# Written by fairlead as a whole; changes made here are replaced.\nversion = 3\n")
	}
	for _, c := range credentials {
		b.WriteString("\n[plugins." + tomlString(plugin) + ".registry.configs." + tomlString(c.Host) + ".auth]\n")
		b.WriteString("  username = " + tomlString(c.User) + "\n  password = " + tomlString(c.Password) + "\n")
	}
	return HostFile{Path: registryCredentialsPath, Mode: 0o600, Content: []byte(b.String()), Secret: true}
}

//nolint:gosec // a path
const registryCredentialsPath = "/etc/containerd/conf.d/fairlead-registries.toml"
