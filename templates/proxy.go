package templates

import "strings"

// ProxyFile holds the proxies for what fairlead runs on a host; kubeadm hands them on to the
// static pods and to kube-proxy (its phases/controlplane/manifests.go, addons/proxy).
const ProxyFile = "/etc/fairlead/proxy.env"

// Proxy is how hosts reach what is elsewhere. It holds no password.
type Proxy struct {
	HTTP, HTTPS string // URLs, empty without one
	No          []string
}

func (p Proxy) variables() []string {
	var lines []string
	for _, v := range [][2]string{{"HTTP_PROXY", p.HTTP}, {"HTTPS_PROXY", p.HTTPS}, {"NO_PROXY", strings.Join(p.No, ",")}} {
		if v[1] != "" {
			lines = append(lines, v[0]+`="`+v[1]+`"`)
		}
	}
	return lines
}

// ProxyEnvironment returns ProxyFile, a variable a line, for systemd and for shells.
func ProxyEnvironment(p Proxy) HostFile {
	text := "# Written by fairlead.\n" + strings.Join(p.variables(), "\n") + "\n"
	return HostFile{Path: ProxyFile, Mode: 0o644, Content: []byte(text)}
}

// ProxyDropIn returns the part of a systemd unit that gives a service the proxies.
func ProxyDropIn(unit string, p Proxy) HostFile {
	var b strings.Builder
	b.WriteString("# Written by fairlead.\n[Service]\n")
	for _, variable := range p.variables() {
		// A percent sign would start one of systemd's specifiers.
		b.WriteString(`Environment="` + strings.ReplaceAll(strings.ReplaceAll(variable, `"`, ""), "%", "%%") + "\"\n")
	}
	return HostFile{Path: ProxyDropInPath(unit), Mode: 0o644, Content: []byte(b.String())}
}

// ProxyDropInPath is where ProxyDropIn lies.
func ProxyDropInPath(unit string) string {
	return "/etc/systemd/system/" + unit + ".d/50-fairlead-proxy.conf"
}
