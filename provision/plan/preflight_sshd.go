package plan

import (
	"fmt"

	"fairlead/inventory"
	"fairlead/provision/facts"
)

// leastSessions are one for files, one that ends a cancelled command, and two commands: what a step does, and the sign of life
// of the run beside it.
const leastSessions = 4

func checkSessions(_ *planner, _ inventory.Host, seen facts.Host) (message, mending string) {
	if seen.SSHSessions == 0 || seen.SSHSessions >= leastSessions {
		return "", ""
	}
	return fmt.Sprintf("sshd allows %s on a connection, and %d are needed at once", Counted(seen.SSHSessions, "session"), leastSessions),
		"MaxSessions 10 in /etc/ssh/sshd_config, then systemctl reload ssh (on some systems sshd)"
}

// checkForwarding is about a host through which the API server will have to be reached. As long as another one is the way there,
// it does not matter.
func checkForwarding(p *planner, host inventory.Host, seen facts.Host) (message, mending string) {
	if seen.Forwarding == nil || p.found.Answers && p.found.Host != host.Name {
		return "", ""
	}
	message = "the API server would not be reached: " + seen.Forwarding.Text
	if host.SSH.InContainer() {
		return message, "install bash, perl, python3, socat or nc in the container; or let this machine reach port 6443 of the host"
	}
	return message,
		"AllowTcpForwarding yes in /etc/ssh/sshd_config, without DisableForwarding and PermitOpen, then systemctl reload ssh (on some systems sshd); " +
			"or let this machine reach port 6443 of the host"
}
