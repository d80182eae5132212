// Package container reaches a container of this machine, or of an engine elsewhere, that is a host: by the client of Docker,
// Podman or nerdctl, whose exec starts processes in it as root. Connections from it go through whatever it has that
// can copy bytes to a port.
//
// What it never does: make, start, stop or change a container, talk with an engine but by its client, or read the
// client's configuration. A container is known by its ID: another one under the same name is not the same host.
package container
