package images

import (
	_ "crypto/sha256" // the digests that a reference may carry
	_ "crypto/sha512"
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// Reference is an image reference with everything filled in that may be left out
// when it is written: nginx is docker.io/library/nginx:latest.
type Reference struct {
	// Domain is the registry's host with its port, as it was written.
	Domain string
	// Path is the repository within the registry.
	Path string
	// Tag may be empty beside a digest only; beside a digest it is no more than a note.
	Tag string
	// Digest is "algorithm:hex", or empty.
	Digest string
}

// Parse reads a reference as container runtimes do (the rules are those of
// github.com/distribution/reference, normalize.go). The tag is latest when there
// is neither tag nor digest. An error names the reference.
func Parse(ref string) (Reference, error) {
	r, err := parse(ref)
	if err == nil && r.Tag == "" && r.Digest == "" {
		r.Tag = "latest"
	}
	return r, err
}

// parse is Parse without the default tag.
func parse(ref string) (Reference, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return Reference{}, fmt.Errorf("image reference %q: %w (a reference is registry/repository:tag@digest)", ref, err)
	}
	r := Reference{Domain: reference.Domain(named), Path: reference.Path(named)}
	if tagged, ok := named.(reference.Tagged); ok {
		r.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		r.Digest = digested.Digest().String()
	}
	return r, nil
}

// String is the full reference: domain/path:tag@digest.
func (r Reference) String() string { return r.name() + r.version() }

func (r Reference) name() string { return r.Domain + "/" + r.Path }

// version is the tag and the digest with their separators.
func (r Reference) version() string {
	var v string
	if r.Tag != "" {
		v = ":" + r.Tag
	}
	if r.Digest != "" {
		v += "@" + r.Digest
	}
	return v
}

// Normal is the full name of an image; two references mean the same image when
// their full names are equal.
func Normal(ref string) (string, error) {
	r, err := Parse(ref)
	if err != nil {
		return "", err
	}
	return r.String(), nil
}

// Domain is the registry of a reference, docker.io when it names none.
func Domain(ref string) (string, error) {
	r, err := Parse(ref)
	return r.Domain, err
}

// Same says that two references mean the same image. What is no reference is the
// same as itself only.
func Same(a, b string) bool {
	x, errX := Normal(a)
	y, errY := Normal(b)
	if errX != nil || errY != nil {
		return a == b
	}
	return x == y
}

// spellsDomain says that a reference has its registry written out.
func spellsDomain(ref string) bool {
	first, _, more := strings.Cut(ref, "/")
	return more && (first == "localhost" || strings.ContainsAny(first, ".:"))
}

// registryNamed is a registry as the names of images have it: Docker Hub is docker.io, also to
// who writes the host that serves it. Its third name, index.docker.io, is known to Parse.
func registryNamed(domain string) string {
	if strings.EqualFold(domain, "registry-1.docker.io") {
		return "docker.io"
	}
	return domain
}
