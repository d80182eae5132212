package inventory

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// webProblem says what is wrong with the http or https URL of something that hosts
// reach. It ends up in the files of package managers and runtimes, each with
// characters of its own that mean something there; so only plain ones are taken. No
// message repeats the URL, as a user and a password may stand in it.
func webProblem(s, example string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "is not a URL such as " + example
	case !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://"): // in lower case
		return "must be an http:// or https:// URL, such as " + example
	case u.User != nil:
		return "must be without user and password"
	case u.Hostname() == "":
		return "must name a host after " + u.Scheme + "://"
	case strings.ContainsAny(s, "?#"):
		return "must be without a query (?) and a fragment (#)"
	}
	host, port := u.Host, ""
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i:]
	}
	switch problem := registryHostProblem(host); {
	case problem != "":
		return problem
	case port != "" && !isPort(strings.TrimPrefix(port, ":")):
		return fmt.Sprintf("must have a port from 1 to 65535 after the host, got %q", clip(port[1:]))
	case !regexp.MustCompile(`^[A-Za-z0-9/._~:+,=%-]*$`).MatchString(s[len(u.Scheme)+len("://")+len(u.Host):]):
		return "must have only letters, digits and /._~:+,=%- in its path"
	}
	return ""
}
