package facts

import (
	"slices"
	"strings"
)

// Query is what is asked of a host beside what every host is asked. Whoever plans something says
// what it has to know for that; the probe has no lists of its own.
type Query struct {
	// Paths are files, folders and sockets, PathPatterns patterns of files.
	Paths, PathPatterns []string
	// Texts and Certificates are patterns of small files whose text, or whose certificates, are wanted.
	Texts, Certificates []string
	// Units are systemd units or patterns of their names.
	Units []string
	// Sysctls are kernel parameters, with dots.
	Sysctls []string
	// Modules are kernel modules.
	Modules []string
	// Packages may be installed, Candidates could be.
	Packages, Candidates []string
	// Programs are asked for their versions, Tools have to be there.
	Programs, Tools []string
	// Disks are folders whose file systems are measured.
	Disks []string
	// Folders are such as are asked whether they are empty.
	Folders []string
	// Kubeconfigs are files in /etc/kubernetes.
	Kubeconfigs []string
	// LoginKeys are public keys that may let somebody log in, in the form of authorized_keys without their types.
	LoginKeys []string
	// Reach are HOST:PORT that are connected to; Readyz as well, and control planes ask whether an API server is ready behind it.
	Reach, Readyz []string
	// Remains asks for what a reset must leave none of.
	Remains bool
}

// kinds are the parts of a query by the names that the probe knows them by (scripts/probe*.sh).
func (q *Query) kinds() []struct {
	name string
	of   *[]string
} {
	return []struct {
		name string
		of   *[]string
	}{
		{"path", &q.Paths},
		{"path-like", &q.PathPatterns},
		{"text", &q.Texts},
		{"certificate", &q.Certificates},
		{"unit", &q.Units},
		{"sysctl", &q.Sysctls},
		{"module", &q.Modules},
		{"package", &q.Packages},
		{"candidate", &q.Candidates},
		{"program", &q.Programs},
		{"tool", &q.Tools},
		{"disk", &q.Disks},
		{"folder", &q.Folders},
		{"kubeconfig", &q.Kubeconfigs},
		{"login-key", &q.LoginKeys},
		{"reach", &q.Reach},
		{"readyz", &q.Readyz},
	}
}

// Ask joins queries to one that asks each thing once.
func Ask(queries ...Query) Query {
	var all Query
	known := map[string]bool{}
	for _, query := range queries {
		from := query.kinds()
		for i, kind := range all.kinds() {
			for _, name := range *from[i].of {
				if key := kind.name + ":" + name; !known[key] {
					known[key] = true
					*kind.of = append(*kind.of, name)
				}
			}
		}
		all.Remains = all.Remains || query.Remains
	}
	return all
}

// Arguments are those of the probe: KIND:NAME.
func (q Query) Arguments() []string {
	var arguments []string
	for _, kind := range q.kinds() {
		for _, name := range *kind.of {
			if kind.name == "sysctl" {
				name = strings.ReplaceAll(name, ".", "/")
			}
			arguments = append(arguments, kind.name+":"+name)
		}
	}
	if q.Remains {
		arguments = append(arguments, "remains:")
	}
	return arguments
}

// Includes says that the query asks for all that another one asks for, by the very same names.
func (q Query) Includes(other Query) bool {
	asked := q.kinds()
	for i, kind := range other.kinds() {
		for _, name := range *kind.of {
			if !slices.Contains(*asked[i].of, name) {
				return false
			}
		}
	}
	return q.Remains || !other.Remains
}
