package templates

import (
	_ "embed"
)

// Where fairlead's own registry, distribution, has its things on its host.
const (
	RegistryPort       = 5000  // for all hosts, TLS, read-only
	RegistryWriterPort = 15000 // on the loopback interface, for fairlead
	RegistryStorage    = "/var/lib/fairlead-registry"
	RegistryFolder     = "/etc/fairlead/registry"

	RegistryCA          = RegistryFolder + "/ca.crt"
	RegistryCAKey       = RegistryFolder + "/ca.key"
	RegistryCertificate = RegistryFolder + "/tls.crt"
	RegistryKey         = RegistryFolder + "/tls.key"
	RegistryPasswords   = RegistryFolder + "/htpasswd" // only while the writer runs
)

//go:embed host/registry.yaml
var registryConfig string

//go:embed host/registry-writer.yaml
var registryWriterConfig string

//go:embed host/fairlead-registry.service
var registryUnit string

//go:embed host/fairlead-registry-writer.service
var registryWriterUnit string

// RegistryFiles returns the configurations and units of the registry that hosts pull from,
// and of its writer: a second process over the same storage that runs only while images are
// put in or deleted. Their keys are those of distribution's configuration
// (distribution docs/content/about/configuration.md).
func RegistryFiles() []HostFile {
	const units = "/etc/systemd/system/"
	return []HostFile{
		{Path: RegistryFolder + "/config.yaml", Mode: 0o644, Content: []byte(registryConfig)},
		{Path: RegistryFolder + "/writer.yaml", Mode: 0o644, Content: []byte(registryWriterConfig)},
		{Path: units + "fairlead-registry.service", Mode: 0o644, Content: []byte(registryUnit)},
		{Path: units + "fairlead-registry-writer.service", Mode: 0o644, Content: []byte(registryWriterUnit)},
	}
}
