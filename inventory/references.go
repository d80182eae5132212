package inventory

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// The rules of this file are those of github.com/distribution/reference, but that
// registries are in lower case and IP addresses are right. No message repeats a
// value in which a user and a password may stand.

// noScheme is the problem of a name that is written as a URL.
const noScheme = "must be without https:// or another scheme"

// registryProblem says what is wrong with host[:port] as it stands in the names of
// images.
func registryProblem(s string) string {
	switch {
	case strings.Contains(s, "://"):
		return noScheme
	case strings.Contains(s, "@"):
		return "must be host or host:port, without a user; user and password are keys of images.registries"
	case strings.Contains(s, "/"):
		return fmt.Sprintf("must be host or host:port alone, without a path, got %q", clip(s))
	}
	host, port, ok := cutPort(s)
	if !ok {
		return fmt.Sprintf("must be host or host:port, such as registry.lab:5000, got %q", clip(s))
	}
	if problem := registryHostProblem(host); problem != "" {
		return problem
	}
	switch {
	case port != "" && !isPort(port[1:]):
		return fmt.Sprintf("must end in a port from 1 to 65535, got %q", clip(port[1:]))
	case s == "hub.docker.com":
		return "is the web site of Docker Hub; its registry is docker.io"
	case host != "localhost" && port == "" && !strings.ContainsAny(host, ".:"):
		return fmt.Sprintf("%q is no registry in the name of an image, where one has a dot or a port; Docker Hub is docker.io", host)
	}
	return ""
}

// cutPort splits host[:port]; an IPv6 address is in brackets. The port keeps its colon.
func cutPort(s string) (host, port string, ok bool) {
	m := regexp.MustCompile(`^(\[[^\[\]]*\]|[^:\[\]]+)(:[0-9]+)?$`).FindStringSubmatch(s)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// isPort says whether s is a TCP port without leading zeros.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// registryHostProblem says what is wrong with a DNS name, an IPv4 address or an
// IPv6 address in brackets.
func registryHostProblem(host string) string {
	if inner, is := strings.CutPrefix(host, "["); is {
		inner = strings.TrimSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		switch {
		case err != nil || !a.Is6() || a.Is4In6() || a.Zone() != "":
			return fmt.Sprintf("%q is not an IPv6 address in brackets", clip(host))
		case a.String() != inner:
			return fmt.Sprintf("write the address in its shortest form: [%s]", a)
		}
		return ""
	}
	if regexp.MustCompile(`^[0-9.]+$`).MatchString(host) && strings.Contains(host, ".") {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Sprintf("%q is not an IPv4 address", clip(host))
		}
		return ""
	}
	if isSubdomain(host) {
		return ""
	}
	hint := ""
	if lower := strings.ToLower(host); isSubdomain(lower) {
		hint = "; did you mean " + lower + "?"
	}
	return fmt.Sprintf("%q is neither an IP address nor a DNS name in lower case%s", clip(host), hint)
}

// repositoryProblem says what is wrong with the path of a repository, or the start
// of one, below its registry.
func repositoryProblem(s string) string {
	const part = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
	valid := regexp.MustCompile(`^` + part + `(/` + part + `)*$`)
	switch {
	case len(s) > 255:
		return "is longer than the 255 characters that the path of a repository may have"
	case valid.MatchString(s):
		return ""
	case valid.MatchString(strings.ToLower(s)):
		return fmt.Sprintf("the path of a repository must be in lower case: %s", strings.ToLower(s))
	case valid.MatchString(strings.Trim(s, "/")):
		return fmt.Sprintf("the path of a repository must be without / at its ends: %s", strings.Trim(s, "/"))
	}
	return fmt.Sprintf("%q is not a path of repositories: names of a-z and 0-9 with single ., _ or - inside, with / between them", clip(s))
}

// prefixProblem says what is wrong with a registry or a path of repositories in it.
func prefixProblem(s string) string {
	registry, path, hasPath := strings.Cut(s, "/")
	switch {
	case strings.Contains(s, "://"):
		return noScheme
	case strings.Contains(s, "@"):
		return "must be a registry or a path in it, without digest and user"
	case strings.Contains(path, ":"):
		return fmt.Sprintf("must be a registry or a path in it, without a tag, got %q", clip(s))
	}
	if problem := registryProblem(registry); problem != "" || !hasPath {
		return problem
	}
	if path == "" {
		return "must be without / at its end"
	}
	return repositoryProblem(path)
}

// referenceProblem says what is wrong with the reference of an image,
// [registry/]path[:tag][@digest].
func referenceProblem(s string) string {
	if strings.Contains(s, "://") {
		return noScheme
	}
	name, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest && !regexp.MustCompile(`^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`).MatchString(digest) {
		return "must have sha256: and 64 hexadecimal digits in lower case after the @"
	}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		if tag := name[i+1:]; !regexp.MustCompile(`^\w[-\w.]{0,127}$`).MatchString(tag) {
			return fmt.Sprintf("the tag %q must be 1 to 128 of letters, digits, _, . and -, and not start with . or -", clip(tag))
		}
		name = name[:i]
	}
	if registry, path, hasPath := strings.Cut(name, "/"); hasPath && spellsRegistry(registry) {
		if problem := registryProblem(registry); problem != "" {
			return problem
		}
		name = path
	}
	if regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(name) {
		return "is the ID of an image; give its name"
	}
	return repositoryProblem(name)
}

// spellsRegistry says whether the first part of a reference names a registry; else
// the image is one of Docker Hub's.
func spellsRegistry(part string) bool {
	return strings.ContainsAny(part, ".:") || part == "localhost" || strings.ToLower(part) != part
}
