package inventory

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// hostText writes a host as the inside of a flow mapping.
func hostText(h Host, defaults SSH, quoted bool) string {
	return strings.Join(hostFieldTexts(h, defaults, quoted), ", ")
}

// hostFieldTexts writes each key of a host. quoted puts keys and strings in quotes,
// so that a file that is JSON stays so.
func hostFieldTexts(h Host, defaults SSH, quoted bool) []string {
	pair := func(key, value string) string { return quoteKey(key, quoted) + ": " + value }
	texts := []string{
		pair("name", quoteText(h.Name, quoted)),
		pair("address", addressText(h, quoted)),
	}
	if h.Node != "" {
		texts = append(texts, pair("nodeName", quoteText(h.Node, quoted)))
	}
	if ssh := sshTexts(h.SSH, defaults, quoted); len(ssh) > 0 {
		texts = append(texts, pair("ssh", "{"+strings.Join(ssh, ", ")+"}"))
	}
	if len(h.Labels) > 0 {
		var labels []string
		for _, key := range slices.Sorted(maps.Keys(h.Labels)) {
			labels = append(labels, quoteText(key, quoted)+": "+quoteText(h.Labels[key], quoted))
		}
		texts = append(texts, pair("labels", "{"+strings.Join(labels, ", ")+"}"))
	}
	if len(h.Taints) > 0 {
		var taints []string
		for _, t := range h.Taints {
			taints = append(taints, quoteText(t.String(), true))
		}
		texts = append(texts, pair("taints", "["+strings.Join(taints, ", ")+"]"))
	}
	if len(h.Packages) > 0 {
		var packages []string
		for _, name := range h.Packages {
			packages = append(packages, quoteText(name, quoted))
		}
		texts = append(texts, pair("packages", "["+strings.Join(packages, ", ")+"]"))
	}
	return texts
}

// addressText writes a host's address, or the list of both: a comma would end a text within a flow mapping.
func addressText(h Host, quoted bool) string {
	var texts []string
	for _, a := range h.Addresses() {
		texts = append(texts, quoteText(a.String(), quoted))
	}
	switch len(texts) {
	case 0:
		return quoteText("", quoted)
	case 1:
		return texts[0]
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// sshTexts writes what differs from the defaults.
func sshTexts(ssh, defaults SSH, quoted bool) []string {
	var texts []string
	add := func(key, value, other string) {
		if value != "" && value != other {
			texts = append(texts, quoteKey(key, quoted)+": "+quoteText(value, quoted))
		}
	}
	add("transport", ssh.Transport, defaults.Transport)
	add("address", ssh.Address, "")
	add("user", ssh.User, defaults.User)
	if ssh.Port != 0 && ssh.Port != defaults.Port {
		texts = append(texts, quoteKey("port", quoted)+": "+strconv.Itoa(ssh.Port))
	}
	add("identityFile", ssh.IdentityFile, defaults.IdentityFile)
	add("knownHosts", ssh.KnownHosts, defaults.KnownHosts)
	add("jump", JumpText(ssh.Jump), JumpText(defaults.Jump))
	add("hostKey", ssh.HostKey, "")
	add("container", ssh.Container, "")
	add("context", ssh.Context, defaults.Context)
	if from := ssh.Sudo.Password; from.Given() && ssh.Sudo != defaults.Sudo {
		texts = append(texts, quoteKey("sudo", quoted)+": {"+quoteKey("password", quoted)+": "+passwordText(from, quoted)+"}")
	}
	return texts
}

// passwordText writes where a password comes from.
func passwordText(from PasswordSource, quoted bool) string {
	switch {
	case from.File != "":
		return "{" + quoteKey("file", quoted) + ": " + quoteText(from.File, quoted) + "}"
	case from.Env != "":
		return "{" + quoteKey("env", quoted) + ": " + quoteText(from.Env, quoted) + "}"
	}
	return quoteText("prompt", quoted)
}

// quoteKey writes one of the format's keys.
func quoteKey(key string, quoted bool) string {
	if quoted {
		return strconv.Quote(key)
	}
	return key
}

// quoteText writes a string so that every YAML reader takes it for one: in quotes
// unless it is plain beyond doubt.
func quoteText(s string, quoted bool) string {
	plain := regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9_./-]*$`)
	word := regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$`)
	node := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	if quoted || !plain.MatchString(s) || word.MatchString(s) || node.ShortTag() != "!!str" {
		return strconv.Quote(s)
	}
	return s
}
