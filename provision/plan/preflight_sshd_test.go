package plan

import (
	"errors"

	"fairlead/inventory"
	"fairlead/provision/facts"
	"fairlead/provision/model/world"
)

func notForwarding(h *facts.Host) {
	h.Forwarding = facts.NewProblem(facts.HostForwards, errors.New("the host refuses to forward connections: administratively prohibited"))
}

// inContainers makes the control plane a container.
func inContainers(c *inventory.Cluster) {
	c.ControlPlane.Hosts[0].SSH = inventory.SSH{Transport: inventory.TransportDocker, Container: "cp1"}
}

// sshdCases are about an sshd that lets people in and up not do its work.
func sshdCases() []preflightCase {
	sessions := func(n int) func(*facts.Host) { return func(h *facts.Host) { h.SSHSessions = n } }
	const (
		few    = " on a connection, and 4 are needed at once (MaxSessions 10 in /etc/ssh/sshd_config, then systemctl reload ssh (on some systems sshd))"
		prison = "the API server would not be reached: the host refuses to forward connections: administratively prohibited (AllowTcpForwarding yes in /etc/ssh/sshd_config, " +
			"without DisableForwarding and PermitOpen, then systemctl reload ssh (on some systems sshd); or let this machine reach port 6443 of the host)"
	)
	return []preflightCase{
		{name: "one session", host: sessions(1), want: "error cp1 MaxSessions: sshd allows 1 session" + few},
		{name: "three sessions", on: "w1", host: sessions(3), want: "error w1 MaxSessions: sshd allows 3 sessions" + few},
		{name: "four sessions", host: sessions(4)},
		{name: "ten sessions", host: sessions(10)},
		{name: "no forwarding", host: notForwarding, want: "error cp1 Forwarding: " + prison},
		{name: "no forwarding on the way to the API server", living: true, host: notForwarding, want: "error cp1 Forwarding: " + prison},
		{name: "no forwarding in a container", edit: inContainers, host: notForwarding, want: "error cp1 Forwarding: the API server would not be reached: the host refuses to forward connections: " +
			"administratively prohibited (install bash, perl, python3, socat or nc in the container; or let this machine reach port 6443 of the host)"},
		{name: "no forwarding on another control plane", edit: world.ThreeControlPlanes, living: true, on: "cp2", host: notForwarding},
	}
}
