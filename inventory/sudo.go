package inventory

import (
	"gopkg.in/yaml.v3"
)

// Sudo says what sudo is told on a host.
type Sudo struct {
	// Password is where the password comes from. Without one sudo must not ask.
	Password PasswordSource
}

// PasswordSource is where a password comes from; at most one is set.
type PasswordSource struct {
	Prompt bool   // the user types it
	File   string // absolute path of a file whose first line it is
	Env    string // name of a variable in the environment of the process
}

// Given says that there is a source.
func (s PasswordSource) Given() bool { return s != PasswordSource{} }

// sudo reads ssh.sudo. A host's own takes the place of all that is said for all hosts.
func (d *decoder) sudo(node *yaml.Node, path []string) (s Sudo) {
	mapping(d, node, path, &s, []field[Sudo]{
		{"password", true, func(d *decoder, n *yaml.Node, p []string, s *Sudo) { s.Password = d.sudoPassword(n, p) }},
	})
	return s
}

// sudoPassword reads where a password comes from. A password in the file itself may stand anywhere below the key, so that no message
// repeats what is there.
func (d *decoder) sudoPassword(node *yaml.Node, path []string) (s PasswordSource) {
	const prompt = "prompt"
	n := target(node)
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && n.Value == prompt:
		s.Prompt = d.count(path, 1)
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Kind == yaml.ScalarNode && (n.Content[0].Value == "file" || n.Content[0].Value == "env"):
		mapping(d, node, path, &s, []field[PasswordSource]{
			{"file", false, func(d *decoder, n *yaml.Node, p []string, s *PasswordSource) { s.File = d.file(n, p) }},
			{"env", false, func(d *decoder, n *yaml.Node, p []string, s *PasswordSource) {
				s.Env = d.matching(n, p, variableProblem)
			}},
		})
	default:
		d.fault(path, "must be %s, {file: ./password} or {env: VARIABLE}; a password itself does not belong into this file", prompt)
	}
	return s
}

// variableProblem says what is wrong with the name of a variable (POSIX, 8.1). What it is instead may be a password.
func variableProblem(s string) string {
	for i, c := range []byte(s) {
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9' || i == 0) {
			return "must be the name of a variable: letters, digits and _, no digit first"
		}
	}
	return ""
}
