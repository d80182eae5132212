package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"

	"fairlead/inventory"

	"gopkg.in/yaml.v3"
)

// reading is one file that is being read.
type reading struct {
	options  Options
	draft    *Draft
	problems []inventory.Problem
	whys     map[string]string   // by key: why it has no counterpart
	seen     map[*yaml.Node]bool // values that were read
}

// noCounterpart is why most things are left out.
const noCounterpart = "has no counterpart here"

func (r *reading) fault(line int, format string, args ...any) {
	r.problems = append(r.problems, inventory.Problem{Line: max(line, 1), Message: fmt.Sprintf(format, args...)})
}

// why says why a key is left out. Keys that hold secrets are told by their names.
func (r *reading) why(key string) string {
	if why := r.whys[key]; why != "" {
		return why
	}
	name := key[strings.LastIndex(key, ".")+1:]
	if regexp.MustCompile(`(?i)pass(word|wd|phrase)?$|secret|token|vault|private_?key(_?content)?$|^ssh_?key$|auth$|credential`).MatchString(name) {
		return "a secret, not copied"
	}
	return noCounterpart
}

// yamlReader reads the first document of a file and notes what was not read of it.
func yamlReader(whys map[string]string, read func(r *reading, top tree)) func(r *reading, data []byte) {
	return func(r *reading, data []byte) {
		top, ok := r.parse(data)
		if !ok {
			return
		}
		r.whys = whys
		read(r, top)
		r.rest(top.node, "", map[*yaml.Node]bool{})
	}
}

// parse reads the first document of a file.
func (r *reading) parse(data []byte) (tree, bool) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil || len(doc.Content) != 1 {
		r.fault(1, "is not valid YAML: %v", err)
		return tree{}, false
	}
	var next yaml.Node
	switch err := dec.Decode(&next); {
	case err == nil:
		r.draft.AddNote(next.Line, "", "a second document starts here; it was not read")
	case !errors.Is(err, io.EOF):
		r.fault(1, "is not valid YAML: %v", err)
		return tree{}, false
	}
	r.seen = map[*yaml.Node]bool{}
	return tree{r: r, node: target(doc.Content[0]), line: doc.Content[0].Line}, true
}

// ways are a host's addresses and how to log in there, as a file has them.
// second is the private one of another IP family.
type ways struct{ public, private, second, user, port, key Setting }

// reach says how a host is reached: by its public address from here, by its private one from other hosts.
func (r *reading) reach(h *Host, w ways) {
	h.SSH.User, h.SSH.IdentityFile, h.SSH.Address = w.user.Value, w.key.Value, w.public.Value
	if a, ok := usable(w.private.Value); ok {
		h.Address = a
	} else if w.private.Value != "" {
		r.draft.AddNote(w.private.Line, w.private.Key, "is no IP address that other hosts can reach, and left out")
	}
	if a, ok := usable(w.second.Value); ok {
		h.Second = a
	} else if w.second.Value != "" {
		r.draft.AddNote(w.second.Line, w.second.Key, "is no IP address that other hosts can reach, and left out")
	}
	h.SSH.Port = r.port(w.port)
	if problem := wordProblem(w.user.Value, "@:/"); problem != "" {
		r.fault(w.user.Line, "%s: %q is not a login name", w.user.Key, clip(w.user.Value))
	}
	if problem := wordProblem(w.public.Value, "@/,"); problem != "" {
		r.fault(w.public.Line, "%s: %q is neither an address nor a name", w.public.Key, clip(w.public.Value))
	}
}

// port reads a TCP port; 0 where none is given.
func (r *reading) port(s Setting) int {
	if s.Value == "" {
		return 0
	}
	n, err := strconv.Atoi(s.Value)
	if err != nil || n < 1 || n > 65535 {
		r.fault(s.Line, "%s: must be a port from 1 to 65535, got %q", s.Key, clip(s.Value))
		return 0
	}
	return n
}

// wordProblem says whether something is not one word, or has one of the characters.
func wordProblem(s, without string) string {
	if strings.HasPrefix(s, "-") || strings.ContainsAny(s, without+" \t\r\n\"'`$\\;|&<>(){}*?") {
		return "is not one word"
	}
	return ""
}

// hop writes a host to go through as ssh -J takes it.
func (r *reading) hop(host, user, port Setting) []string {
	if host.Value == "" {
		return nil
	}
	for _, s := range []Setting{host, user} {
		if wordProblem(s.Value, "@/,") != "" {
			r.fault(s.Line, "%s: %q cannot be part of ssh.jump", s.Key, clip(s.Value))
			return nil
		}
	}
	text := host.Value
	if n := r.port(port); n != 0 && n != inventory.DefaultSSHPort {
		text = net.JoinHostPort(strings.Trim(host.Value, "[]"), strconv.Itoa(n))
	} else if strings.Contains(text, ":") && !strings.HasPrefix(text, "[") {
		text = "[" + text + "]"
	}
	if user.Value != "" {
		text = user.Value + "@" + text
	}
	return []string{text}
}

// version takes off what tools put around a version of Kubernetes: v1.30.0+k0s.0, v1.26.4-rancher2-1.
func version(s Setting) Setting {
	s.Given = s.Value
	m := regexp.MustCompile(`^v?(\d+\.\d+\.\d+)[-+][A-Za-z]`).FindStringSubmatch(s.Value)
	if m != nil {
		s.Value = m[1]
	} else {
		s.Value = strings.TrimPrefix(s.Value, "v")
	}
	return s
}

// endpoint joins a host and a port, 6443 where none is given. A name in a host's place that has a port keeps it.
func endpoint(host, port Setting) Setting {
	if host.Value == "" {
		return Setting{}
	}
	if _, _, err := net.SplitHostPort(host.Value); err == nil {
		return host
	}
	number := port.Value
	if number == "" {
		number = strconv.Itoa(inventory.DefaultAPIPort)
	}
	host.Value = net.JoinHostPort(strings.Trim(host.Value, "[]"), number)
	return host
}
