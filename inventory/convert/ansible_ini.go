package convert

import (
	"net"
	"regexp"
	"strings"
	"unicode/utf8"
)

// readAnsibleINI reads an inventory as Ansible's ini plugin does (docs.ansible.com, "ansible.builtin.ini"). Its lines of hosts are
// words of a shell, `node1 ansible_host=192.0.2.1 ip=10.0.0.1`, which readers of INI files take for one key; so this one is our own.
func readAnsibleINI(r *reading, data []byte) {
	a := &ansibleLines{r: r, ansible: newAnsible(), section: ungrouped}
	for line := range strings.Lines(string(data)) {
		a.number++
		if !utf8.ValidString(line) {
			r.fault(a.number, "is not UTF-8 text")
			return
		}
		a.line(strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")))
	}
	if len(r.problems) == 0 {
		a.mean(r)
	}
}

// ansibleLines reads an inventory line by line.
type ansibleLines struct {
	r *reading
	*ansible
	section, kind string // [section:kind]
	number        int    // of the line
}

func (a *ansibleLines) line(line string) {
	if line == "" || strings.ContainsAny(line[:1], "#;") {
		return
	}
	if name, kind, is := iniSection(line); is {
		a.section, a.kind = name, kind
		if kind != "" && kind != "children" && kind != "vars" {
			a.r.fault(a.number, "[%s:%s]: a section is [GROUP], [GROUP:children] or [GROUP:vars]", clip(name), clip(kind))
		}
		a.group(name, a.number)
		return
	}
	if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
		a.r.fault(a.number, "%s: is no section: one is [GROUP], [GROUP:children] or [GROUP:vars]", clip(line))
		return
	}
	switch a.kind {
	case "children":
		a.iniChild(a.r, a.section, line, a.number)
	case "vars":
		a.iniVar(a.r, a.section, line, a.number)
	default:
		a.iniHost(a.r, a.section, line, a.number)
	}
}

// iniSection reads [GROUP] and [GROUP:KIND].
func iniSection(line string) (name, kind string, is bool) {
	m := regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:[#;].*)?$`).FindStringSubmatch(line)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

func (a *ansible) iniChild(r *reading, section, line string, number int) {
	all, err := words(line)
	if err != nil || len(all) != 1 {
		r.fault(number, "[%s:children] takes one group's name a line, got %q", clip(section), clip(line))
		return
	}
	a.group(section, number).addChild(all[0])
	a.group(all[0], number)
}

func (a *ansible) iniVar(r *reading, section, line string, number int) {
	key, value, found := strings.Cut(line, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !found || key == "" {
		r.fault(number, "[%s:vars] takes KEY=VALUE, got no = in this line", clip(section))
		return
	}
	a.group(section, number).vars = append(a.group(section, number).vars, variable{key: key, value: unquote(value), line: number})
}

// unquote takes off quotes around the whole, as Ansible does by reading a value as Python's.
func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] && !strings.ContainsRune(s[1:n-1], rune(s[0])) {
		return s[1 : n-1]
	}
	return s
}

func (a *ansible) iniHost(r *reading, section, line string, number int) {
	all, err := words(line)
	if err != nil {
		r.fault(number, "%v", err)
		return
	}
	if len(all) == 0 || all[0] == "" {
		return
	}
	var vars []variable
	for _, word := range all[1:] {
		key, value, found := strings.Cut(word, "=")
		if !found || key == "" {
			r.fault(number, "after a host's name come KEY=VALUE, got a word without =")
			return
		}
		vars = append(vars, variable{key: key, value: value, line: number})
	}
	a.addHosts(r, section, all[0], number, vars)
}

// addHosts adds the hosts of a pattern, which may have ranges and a port at its end, to a group.
func (a *ansible) addHosts(r *reading, section, pattern string, number int, vars []variable) {
	name, port := patternPort(pattern)
	names, err := expand(name)
	if err == nil && len(a.hosts)+len(names) > maxHosts {
		r.fault(number, "names more than %d hosts", maxHosts)
		return
	}
	if err != nil {
		r.fault(number, "%v", err)
		return
	}
	for _, name := range names {
		h := a.host(name, number)
		if port != "" {
			h.vars = append(h.vars, variable{key: "ansible_port", value: port, line: number})
		}
		h.vars = append(h.vars, vars...)
		a.group(section, number).addHost(name)
	}
}

// patternPort takes the port off host:22 and [2001:db8::1]:22. Colons within ranges are none of a port's.
func patternPort(pattern string) (name, port string) {
	plain := regexp.MustCompile(`\[[^\]]*\]`).ReplaceAllString(pattern, "")
	if strings.Count(plain, ":") != 1 {
		if inner, is := strings.CutSuffix(pattern, "]"); is && strings.HasPrefix(inner, "[") && !hasRange(pattern) {
			return inner[1:], "" // an IPv6 address
		}
		return pattern, ""
	}
	if host, port, err := net.SplitHostPort(pattern); err == nil {
		return host, port
	}
	i := strings.LastIndex(pattern, ":")
	return pattern[:i], pattern[i+1:]
}
