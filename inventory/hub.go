package inventory

import (
	"regexp"
	"strings"
)

// dockerHub is how the names of images call Docker Hub, whatever else it is called.
const dockerHub = "docker.io"

// hubAddress finds the other names of Docker Hub: the host that serves it, and the address
// under which Docker's own configuration keeps its credentials.
const hubAddress = `^(https?://)?(docker\.io|index\.docker\.io|registry-1\.docker\.io)(/v[12])?/?$`

// registryNamed is a registry as the names of images have it. Only Docker Hub has more than
// one name. What is no name of it comes back as it was written.
func registryNamed(s string) string {
	if regexp.MustCompile(hubAddress).MatchString(s) {
		return dockerHub
	}
	return s
}

// prefixNamed is registryNamed for the registry of a prefix or a reference.
func prefixNamed(s string) string {
	if strings.Contains(s, "://") {
		return registryNamed(s)
	}
	registry, path, hasPath := strings.Cut(s, "/")
	if !hasPath {
		return registryNamed(s)
	}
	return registryNamed(registry) + "/" + path
}

// renamed is a rule for what rename makes of a value.
func renamed(rename func(string) string, rule func(string) string) func(string) string {
	return func(s string) string { return rule(rename(s)) }
}
