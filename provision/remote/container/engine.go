package container

import "slices"

// The engines, by the names of their clients.
const (
	Docker  = "docker"
	Podman  = "podman"
	Nerdctl = "nerdctl"
)

// engine is how the client of an engine is spoken to. What has no field here is the same with all of them.
type engine struct {
	// context is the flag for another context than the client's own.
	context string
	// called is what a context is to this engine.
	called string
	// start is how people start the engine.
	start string
	// group is how people get the right to use it without being root.
	group string
}

// engines is the table of engines.
func engines() map[string]engine {
	return map[string]engine{
		Docker:  {context: "--context", called: "context", start: "start Docker (systemctl start docker)", group: "join the group docker and log in anew, or run fairlead as root"},
		Podman:  {context: "--connection", called: "connection", start: "start its service or machine (podman machine start)", group: "run fairlead as the user whose containers they are"},
		Nerdctl: {context: "--namespace", called: "namespace", start: "start containerd (systemctl start containerd)", group: "run fairlead as root, or as the user of a rootless containerd"},
	}
}

// Engines are the names of the engines.
func Engines() []string { return []string{Docker, Podman, Nerdctl} }

// client is the client of an engine in a context.
type client struct {
	engine  string
	context string // empty for the client's own
	path    string // of folders with programs; empty means as this process
}

// argv is a command of the client.
func (c client) argv(words ...string) []string {
	argv := []string{c.engine}
	if c.context != "" {
		argv = append(argv, engines()[c.engine].context, c.context)
	}
	return append(argv, words...)
}

// inside starts a program in a container: as root whoever the container's own user is, with what a login of root's has, and nothing
// that the container was given for its first process.
func (c client) inside(id string, program ...string) []string {
	login := []string{"exec", "-i", "--user", "0", id, "/bin/sh", "-c", loginScript, "sh"}
	return c.argv(slices.Concat(login, program)...)
}

// loginScript starts its arguments as a login would.
const loginScript = `cd / && umask 022 && exec /usr/bin/env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/sh PATH="$PATH" "$@"`
