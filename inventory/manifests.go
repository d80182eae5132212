package inventory

import (
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Manifest is a set of objects of the user's own. Paths are absolute.
type Manifest struct {
	// Name names the set in the cluster: a DNS label, unique among the manifests.
	// Default: made of the last element of Path or URL.
	Name            string
	Path            string // a file or a folder with a kustomization; "" with a URL
	URL             string // https; "" with a Path
	SHA256          string // of what the URL gives: 64 lower-case hexadecimal digits
	Patches         []Patch
	HostNetwork     bool
	Placement       Placement
	ImagePullPolicy string // Always, IfNotPresent or Never; "" leaves it alone
}

// manifests reads a list of manifests, each a path, a URL or a mapping. As in hosts,
// what cannot be read keeps its place.
func (d *decoder) manifests(node *yaml.Node, path []string) []Manifest {
	var all []Manifest
	for i, item := range d.items(node, path) {
		all = append(all, d.manifest(item, index(path, i)))
	}
	return all
}

func (d *decoder) manifest(node *yaml.Node, path []string) Manifest {
	var m Manifest
	if target(node).Kind != yaml.ScalarNode {
		mapping(d, node, path, &m, manifestFields())
		d.checkSource(path, m)
	} else if s, ok := d.text(node, path); ok && strings.Contains(s, "://") {
		d.source(node, path, &m)
		if m.URL != "" && m.SHA256 == "" {
			d.fault(path, "%s; append it as #sha256=…", needsSum)
		}
	} else if ok {
		m.Path = d.file(node, path)
	}
	if m.Name == "" && !d.faulty(at(path, "name")) {
		m.Name = manifestName(m)
	}
	return m
}

// needsSum is the problem of a URL that may give anything. The URL is not repeated:
// it may hold a token.
const needsSum = "needs the sha256 of what the URL gives, which `curl -fsSL URL | sha256sum` prints"

func manifestFields() []field[Manifest] {
	return []field[Manifest]{
		{"path", false, func(d *decoder, n *yaml.Node, p []string, m *Manifest) {
			if s, ok := d.text(n, p); ok && strings.Contains(s, "://") {
				d.fault(p, "is a URL; write it as url")
			} else if ok {
				m.Path = d.file(n, p)
			}
		}},
		{"url", false, func(d *decoder, n *yaml.Node, p []string, m *Manifest) { d.source(n, p, m) }},
		{"sha256", false, func(d *decoder, n *yaml.Node, p []string, m *Manifest) {
			if s := d.matching(n, p, sumProblem); s != "" {
				d.sum(p, s, m)
			}
		}},
		{"name", false, func(d *decoder, n *yaml.Node, p []string, m *Manifest) { m.Name = d.label(n, p) }},
		{"patches", false, func(d *decoder, n *yaml.Node, p []string, m *Manifest) { m.Patches = d.patches(n, p) }},
		{"hostNetwork", false, func(d *decoder, n *yaml.Node, p []string, m *Manifest) {
			m.HostNetwork = d.boolean(n, p)
		}},
		{"placement", false, func(d *decoder, n *yaml.Node, p []string, m *Manifest) {
			m.Placement = d.placement(n, p)
		}},
		{"imagePullPolicy", false, func(d *decoder, n *yaml.Node, p []string, m *Manifest) {
			m.ImagePullPolicy = d.oneOf(n, p, []string{"Always", "IfNotPresent", "Never"})
		}},
	}
}

// checkSource reports what is missing or too much of path, url and sha256.
func (d *decoder) checkSource(path []string, m Manifest) {
	hasPath, hasURL, hasSum := d.given(path, "path", m.Path), d.given(path, "url", m.URL), d.given(path, "sha256", m.SHA256)
	switch {
	case d.faulty(path):
	case !hasPath && !hasURL:
		d.fault(path, "must have a path or a url")
	case hasPath && hasURL:
		d.fault(at(path, "url"), "cannot be given beside path; make two manifests of them")
	case hasPath && hasSum:
		d.fault(at(path, "sha256"), "belongs to a url; a path needs none")
	case m.URL != "" && !hasSum:
		d.fault(at(path, "sha256"), "%s", needsSum)
	}
}

// given says whether a key has a value, be it one that could not be read.
func (d *decoder) given(path []string, key, value string) bool {
	return value != "" || d.faulty(at(path, key))
}

// source reads an https URL, which may end in #sha256= and what it must give.
func (d *decoder) source(node *yaml.Node, path []string, into *Manifest) {
	s, ok := d.text(node, path)
	if !ok {
		return
	}
	text, fragment, hasFragment := strings.Cut(s, "#")
	sum, isSum := strings.CutPrefix(fragment, "sha256=")
	problem := urlProblem(text)
	switch {
	case problem != "":
	case hasFragment && !isSum:
		problem = "only sha256= can follow the # of the URL"
	case isSum:
		problem = sumProblem(sum)
	}
	if problem != "" {
		d.fault(path, "%s", problem)
		return
	}
	into.URL = text
	if isSum {
		d.sum(path, sum, into)
	}
}

// sum sets the digest, which may be given in the URL and beside it.
func (d *decoder) sum(path []string, sum string, into *Manifest) {
	if into.SHA256 != "" && into.SHA256 != sum {
		d.fault(path, "the sha256 in the URL and the one beside it differ")
		return
	}
	into.SHA256 = sum
}

// urlProblem says what is wrong with the URL of a manifest.
func urlProblem(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || strings.ContainsFunc(s, unicode.IsSpace):
		return "is not a URL such as https://example.com/app.yaml"
	case u.Scheme != "https":
		return "must be an https:// URL; whatever is reached otherwise, download it and give its path"
	case u.Hostname() == "":
		return "must name a host after https://"
	case u.User != nil:
		return "must be without user and password; download the manifest and give its path"
	}
	return ""
}

func sumProblem(s string) string {
	sum := regexp.MustCompile(`^[0-9a-f]{64}$`)
	switch {
	case sum.MatchString(s):
		return ""
	case sum.MatchString(strings.ToLower(s)):
		return "write the sha256 in lower case: " + strings.ToLower(s)
	}
	return "the sha256 must be 64 hexadecimal digits, as sha256sum prints them"
}

// manifestName makes a DNS label of the last element of a path or URL, without the
// extension of a file; "" where nothing is left.
func manifestName(m Manifest) string {
	last := ""
	if u, err := url.Parse(m.URL); err == nil && m.URL != "" {
		if last = path.Base(u.Path); last == "." || last == "/" {
			last = u.Hostname()
		}
	} else if m.Path != "" {
		last = filepath.Base(m.Path)
	}
	last = strings.ToLower(last)
	for _, extension := range []string{".yaml", ".yml", ".json"} {
		last = strings.TrimSuffix(last, extension)
	}
	last = strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(last, "-"), "-")
	return strings.TrimRight(last[:min(len(last), 63)], "-")
}
