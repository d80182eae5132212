package inventory

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// Where packages come from when the file does not say it.
const (
	// DefaultKubernetesRepository is the folder below which v1.37/deb/ and v1.37/rpm/ lie.
	DefaultKubernetesRepository = "https://pkgs.k8s.io/core:/stable:"
	// DefaultRuntimeRepository is the folder below which debian/, ubuntu/, rhel/ and so on lie.
	DefaultRuntimeRepository = "https://download.docker.com/linux"
)

// Repository is a folder of package repositories, one for each family of
// distributions.
type Repository struct {
	URL string // http or https, without a slash at the end
	// Key is the absolute path of an armored OpenPGP key; "": it is fetched from the
	// repository, over TLS.
	Key string
}

// repository reads a URL, or a mapping of it and a key. The rule looks further at the
// URL.
func (d *decoder) repository(node *yaml.Node, path []string, rule func(string) string) Repository {
	var r Repository
	switch n := target(node); n.Kind {
	case yaml.ScalarNode:
		r.URL = strings.TrimRight(d.matching(node, path, rule), "/")
	case yaml.MappingNode:
		mapping(d, node, path, &r, repositoryFields(rule))
	default:
		d.fault(path, "must be a URL or {url: …, key: ./keyring.asc}, got %s", describe(n))
	}
	if strings.HasPrefix(r.URL, "http:") && !d.given(path, "key", r.Key) {
		d.fault(at(path, "key"), "is required with an http:// URL, as nothing else would protect what is installed as root; write {url: …, key: ./keyring.asc}")
	}
	return r
}

func repositoryFields(rule func(string) string) []field[Repository] {
	return []field[Repository]{
		{"url", true, func(d *decoder, n *yaml.Node, p []string, r *Repository) {
			r.URL = strings.TrimRight(d.matching(n, p, rule), "/")
		}},
		{"key", false, func(d *decoder, n *yaml.Node, p []string, r *Repository) {
			if s, ok := d.text(n, p); ok && strings.Contains(s, "://") {
				d.fault(p, "is a URL; download the key and give its path")
			} else if ok {
				r.Key = d.file(n, p)
			}
		}},
	}
}

// runtimeRepositoryProblem says what is wrong with the URL of the runtime's
// repository.
func runtimeRepositoryProblem(s string) string { return webProblem(s, DefaultRuntimeRepository) }

// kubernetesRepositoryProblem says what is wrong with the URL of Kubernetes'
// repository. Upstream's instructions name the folder of a single minor.
func kubernetesRepositoryProblem(s string) string {
	if problem := webProblem(s, DefaultKubernetesRepository+"/"); problem != "" {
		return problem
	}
	if regexp.MustCompile(`/v1\.[0-9]+(/(deb|rpm))?/*$`).MatchString(s) {
		return "must end before the folder of the minor, v1.x, which fairlead adds"
	}
	return ""
}
