package pki

import (
	"fmt"
	"regexp"
	"strings"
)

// serverLine is the line of a kubeconfig that names a server, in YAML as all that write kubeconfigs for machines write it.
var serverLine = regexp.MustCompile(`(?m)^([ -]*server: *)([^ \r\n].*?)([ \r]*)$`)

// ServerLine is the server that a kubeconfig names, of whatever form the rest is. It is empty where the kubeconfig names none, or
// several.
func ServerLine(content string) string {
	found := serverLine.FindAllStringSubmatch(content, -1)
	if len(found) != 1 {
		return ""
	}
	return strings.Trim(found[0][2], `"'`)
}

// WithServerLine is the kubeconfig with another server, in the only line that names one. All else stays as it is.
func WithServerLine(content, server string) (string, error) {
	if ServerLine(content) == "" {
		return "", fmt.Errorf("name another server in a kubeconfig: it names none, or several")
	}
	return serverLine.ReplaceAllStringFunc(content, func(line string) string {
		return serverLine.FindStringSubmatch(line)[1] + server
	}), nil
}
